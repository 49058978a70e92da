"""A scenario becomes the world's first records: workspaces, endpoints, deployments, and their past shifts.

Distances such as -30d are fixed here, once: after a restart the log is read and nothing is seeded again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from emulator import names
from emulator.autoscale.documents import planned, setting_name
from emulator.documents import stored
from emulator.fold import Kind, Record, Who
from emulator.models import Incident, Model, Models
from emulator.monitor.load import Spell, Workload, made_up, spell
from emulator.monitor.minutes import carried_by
from emulator.reading import when
from emulator.scenario import DeploymentPlan, EndpointPlan, Scenario, Shift, WorkspacePlan
from emulator.values import Json, guid, stamp
from emulator.writers import person


@dataclass(frozen=True, slots=True)
class Seeder:
    seed: int
    now: datetime
    writers: Mapping[str, Who] = field(default_factory=dict)

    def records(self, scenario: Scenario) -> Iterator[Record]:
        places = {plan.name: plan for plan in scenario.workspaces}
        for workspace in scenario.workspaces:
            yield self._workspace(workspace)
        for endpoint in scenario.endpoints:
            yield from self._endpoint(endpoint, places[endpoint.workspace])

    def _workspace(self, plan: WorkspacePlan) -> Record:
        resource = workspace_id(plan)
        group = resource.partition("/providers/")[0]
        storage = f"{group}/providers/Microsoft.Storage/storageAccounts/st{plan.name.replace('-', '')}"
        document = {
            "location": plan.location,
            "kind": "Default",
            "tags": plan.tags,
            "properties": {
                "friendlyName": plan.name,
                "workspaceId": guid(self.seed, "workspace", names.key(resource)),
                "storageAccount": storage,
                "keyVault": f"{group}/providers/Microsoft.KeyVault/vaults/kv-{plan.name}",
                "applicationInsights": f"{group}/providers/Microsoft.Insights/components/appi-{plan.name}",
                "discoveryUrl": f"https://{plan.location}.api.azureml.ms/discovery",
                "publicNetworkAccess": "Enabled",
                "hbiWorkspace": False,
            },
        }
        return self._record(resource, "workspace", when(plan.created, self.now), plan.by, document)

    def _endpoint(self, plan: EndpointPlan, place: WorkspacePlan) -> Iterator[Record]:
        resource = names.endpoint_id(workspace_id(place), plan.name)
        document = stored("endpoint", {**plan.document, "location": place.location})
        created = when(plan.created, self.now)
        yield self._record(resource, "endpoint", created, plan.by, document)
        stands: dict[str, datetime] = {}
        for i, deployment in enumerate(plan.deployments, 1):
            begun = max(when(deployment.created, self.now), created) + timedelta(minutes=i)
            stands[deployment.name] = begun
            yield from self._deployment(resource, deployment, place, begun)
        for shift in plan.history:
            properties = {**document["properties"], "traffic": shift.traffic, "mirrorTraffic": shift.mirror}
            at = self._shifted(shift, stands)
            yield self._record(resource, "endpoint", at, shift.by, {**document, "properties": properties})

    def _shifted(self, shift: Shift, stands: dict[str, datetime]) -> datetime:
        if shift.at is not None:
            return when(shift.at, self.now)
        return max(stands[name] for name in (*shift.traffic, *shift.mirror)) + timedelta(minutes=30)

    def _deployment(
        self, endpoint: str, plan: DeploymentPlan, place: WorkspacePlan, begun: datetime
    ) -> Iterator[Record]:
        resource = names.deployment_id(endpoint, plan.name)
        document = stored(
            "deployment",
            {
                "location": place.location,
                "kind": plan.properties["endpointComputeType"],
                "tags": plan.tags,
                "sku": {"name": "Default", "capacity": plan.instances},
                "properties": self._assets(plan.properties, place),
            },
        )
        done = self._record(resource, "deployment", begun, plan.by, document)
        if plan.autoscale is not None:
            yield self._autoscale(resource, plan, place, begun + timedelta(hours=1))
        if plan.failed is None:
            yield done
            return
        error = {"code": plan.failed["code"], "message": plan.failed["message"]}
        ended = stamp(min(begun + timedelta(minutes=12), self.now))
        yield replace(done, phase="begun", state="Creating", due=ended, error=error)
        yield replace(done, phase="failed", state="Failed", at=ended, error=error)

    def _autoscale(self, target: str, plan: DeploymentPlan, place: WorkspacePlan, at: datetime) -> Record:
        if plan.autoscale is None:
            raise ValueError(f"{target} has no plan to scale by.")
        resource = names.autoscale_id(place.subscription, place.group, setting_name(target))
        document = planned(plan.autoscale, target, place.location)
        return self._record(resource, "autoscale", at, plan.by, document)

    def _assets(self, properties: Json, place: WorkspacePlan) -> Json:
        """Names such as `delivery-risk:23` become full ARM ids; what is an id already stays."""
        properties = dict(properties)
        if "model" in properties:
            properties["model"] = _asset(properties["model"], "models", place)
        if "environmentId" in properties:
            properties["environmentId"] = _asset(properties["environmentId"], "environments", place)
        if "codeConfiguration" in properties:
            code = properties["codeConfiguration"]
            properties["codeConfiguration"] = {**code, "codeId": _asset(code["codeId"], "codes", place)}
        return properties

    def _record(self, resource: str, kind: Kind, at: datetime, by: str, document: Json) -> Record:
        return Record(
            n=0,
            at=stamp(min(at, self.now)),
            who=self.writers.get(by) or person(by),
            verb="put",
            phase="applied",
            resource=resource,
            kind=kind,
            state="Succeeded",
            document=document,
            operation=None if kind in {"workspace", "autoscale"} else guid(self.seed, resource, stamp(at)),
        )


def workspace_id(plan: WorkspacePlan) -> str:
    return names.workspace_id(plan.subscription, plan.group, plan.name)


def models(scenario: Scenario) -> Models:
    """How the scenario's deployments behave, by the key of their id. Read anew at every start."""
    places = {plan.name: workspace_id(plan) for plan in scenario.workspaces}
    told = {}
    for endpoint in scenario.endpoints:
        parent = names.endpoint_id(places[endpoint.workspace], endpoint.name)
        for deployment in endpoint.deployments:
            if deployment.behaves is not None:
                told[names.key(names.deployment_id(parent, deployment.name))] = deployment.behaves
    return Models(scenario.default_model, told)


def workload(scenario: Scenario, *, seed: int, began: datetime) -> Workload:
    """Loads, bad times and diagnostic settings. Read anew at every start; distances count from the first one."""
    places = {plan.name: plan for plan in scenario.workspaces}
    told = Workload(began)
    silent = set()
    for endpoint in scenario.endpoints:
        place = places[endpoint.workspace]
        resource = names.endpoint_id(workspace_id(place), endpoint.name)
        key = names.key(resource)
        told.loads[key] = endpoint.load or made_up(seed, resource, _carried(endpoint, scenario.default_model))
        told.diagnostics[key] = [
            {**item, "workspace": item["workspace"] or _log_analytics(place)} for item in endpoint.diagnostics
        ]
        if not endpoint.metrics:
            silent.add(key)
        for deployment in endpoint.deployments:
            behaves = deployment.behaves or scenario.default_model
            told.spells[names.key(names.deployment_id(resource, deployment.name))] = tuple(
                _spell(item, began) for item in behaves.incidents
            )
    told.silent = frozenset(silent)
    return told


def _carried(endpoint: EndpointPlan, default: Model) -> float:
    """Requests a minute that the deployments with traffic can answer."""
    live = endpoint.history[-1].traffic if endpoint.history else {}
    carried = 0.0
    for plan in endpoint.deployments:
        if live.get(plan.name):
            settings = plan.properties.get("requestSettings") or {}
            concurrency = int(settings.get("maxConcurrentRequestsPerInstance") or 1)
            carried += plan.instances * carried_by(plan.behaves or default, concurrency)
    return carried


def _spell(incident: Incident, began: datetime) -> Spell:
    until = None if incident.until is None else when(incident.until, began).timestamp()
    told = {name: getattr(incident, name) for name in ("p95_factor", "failure_rate", "status", "grows")}
    return spell(when(incident.since, began).timestamp(), until, told)


def _log_analytics(place: WorkspacePlan) -> str:
    group = workspace_id(place).partition("/providers/")[0]
    return f"{group}/providers/Microsoft.OperationalInsights/workspaces/log-{place.name}"


def _asset(reference: str, collection: str, place: WorkspacePlan) -> str:
    if "/" in reference:
        return reference
    name, _, version = reference.partition(":")
    return f"{workspace_id(place)}/{collection}/{name}/versions/{version or 1}"
