"""The scenario: which fleet exists, who may do what, how every deployment behaves. Read from YAML.

A mistake in the file is an error that says where it is; nothing is started half. The format is described in
`docs/reference/emulator.md`. Turning it into the world's first records is `seeding.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from emulator import behaving, names, sidelines
from emulator.autoscale.documents import Plan as AutoscalePlan
from emulator.autoscale.documents import plan as autoscale_plan
from emulator.compute.quota import Limit
from emulator.fold import Who
from emulator.models import Model
from emulator.monitor.catalogue import LOG_CATEGORIES
from emulator.monitor.load import Load
from emulator.reading import ScenarioError, listed, mapping, parts
from emulator.tokens import Identity
from emulator.values import Json, guid
from emulator.vault.secrets import Vaults


@dataclass(frozen=True, slots=True)
class WorkspacePlan:
    name: str
    subscription: str
    group: str
    location: str
    created: str
    by: str
    tags: Json


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    name: str
    created: str
    by: str
    instances: int
    tags: Json
    properties: Json
    failed: Json | None = None
    behaves: Model | None = None
    autoscale: AutoscalePlan | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """A traffic map that was put at some time; None is soon after its deployments stood."""

    at: str | None
    by: str
    traffic: dict[str, int]
    mirror: dict[str, int]


@dataclass(frozen=True, slots=True)
class EndpointPlan:
    name: str
    workspace: str
    created: str
    by: str
    document: Json
    deployments: tuple[DeploymentPlan, ...]
    history: tuple[Shift, ...]
    load: Load | None = None
    """Without one, some load is made up that its deployments carry."""
    metrics: bool = True
    diagnostics: tuple[Json, ...] = ()


@dataclass(slots=True)
class Scenario:
    settings: Json = field(default_factory=dict)
    identities: list[Identity] = field(default_factory=list)
    workspaces: list[WorkspacePlan] = field(default_factory=list)
    endpoints: list[EndpointPlan] = field(default_factory=list)
    default_model: Model = field(default_factory=Model)
    limits: tuple[Limit, ...] = ()
    unpriced: frozenset[str] = frozenset()
    retail: Mapping[str, float] = field(default_factory=dict)
    writers: Mapping[str, Who] = field(default_factory=dict)
    vaults: Vaults = field(default_factory=Vaults)


def load(path: Path) -> Scenario:
    """Read a scenario file. Anchors and merge keys keep it short; keys that begin with `x-` are ignored."""
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScenarioError(f"{path} can't be read: {error}") from error
    return parse(value)


def parse(value: Any) -> Scenario:
    top = mapping(value, "the scenario")
    top = {name: item for name, item in top.items() if not name.startswith("x-")}
    part = parts(
        top,
        "the scenario",
        settings={},
        identities=[],
        subscriptions={},
        workspaces={},
        endpoints=[],
        model={},
        quotas=[],
        unpriced=[],
        retail={},
        writers={},
        vaults={},
    )
    subscriptions = mapping(part["subscriptions"], "subscriptions")
    workspaces = [
        _workspace(name, item, subscriptions)
        for name, item in mapping(part["workspaces"], "workspaces").items()
    ]
    known = {item.name for item in workspaces}
    endpoints = [_endpoint(item, known) for item in listed(part["endpoints"], "endpoints")]
    return Scenario(
        settings=mapping(part["settings"], "settings"),
        identities=[_identity(item, i) for i, item in enumerate(listed(part["identities"], "identities"))],
        workspaces=workspaces,
        endpoints=endpoints,
        default_model=behaving.model(part["model"], "model"),
        limits=sidelines.quotas(part["quotas"], subscriptions),
        unpriced=sidelines.unpriced(part["unpriced"]),
        retail=sidelines.retail(part["retail"]),
        writers=sidelines.writers(part["writers"]),
        vaults=sidelines.vaults(part["vaults"], subscriptions, _endpoint_ids(workspaces, endpoints)),
    )


def _endpoint_ids(workspaces: list[WorkspacePlan], endpoints: list[EndpointPlan]) -> dict[str, str]:
    """ARM ids by `workspace/endpoint`, as the file may name them."""
    places = {plan.name: names.workspace_id(plan.subscription, plan.group, plan.name) for plan in workspaces}
    return {
        f"{plan.workspace}/{plan.name}": names.endpoint_id(places[plan.workspace], plan.name)
        for plan in endpoints
    }


def _workspace(name: str, value: Any, subscriptions: Json) -> WorkspacePlan:
    where = f"workspace {name}"
    part = parts(
        mapping(value, where),
        where,
        subscription=...,
        group=...,
        location=...,
        created="-400d",
        by="Platform team",
        tags={},
    )
    subscription = str(part["subscription"])
    return WorkspacePlan(
        name=name, **{**part, "subscription": str(subscriptions.get(subscription, subscription))}
    )


def _identity(value: Any, number: int) -> Identity:
    where = f"identity {number + 1}"
    part = parts(
        mapping(value, where),
        where,
        name=...,
        client_id=None,
        object_id=None,
        actions=["*"],
        not_actions=[],
        scopes=["/"],
    )
    name = str(part["name"])
    return Identity(
        client_id=part["client_id"] or guid("client", name),
        object_id=part["object_id"] or guid("object", name),
        name=name,
        actions=tuple(part["actions"]),
        not_actions=tuple(part["not_actions"]),
        scopes=tuple(part["scopes"]),
    )


def _endpoint(value: Any, workspaces: set[str]) -> EndpointPlan:
    where = f"endpoint {value.get('name') if isinstance(value, dict) else value}"
    part = parts(
        mapping(value, where),
        where,
        name=...,
        workspace=...,
        created="-90d",
        by="Platform team",
        description=None,
        auth="Key",
        public=False,
        kind="Managed",
        compute=None,
        identity=None,
        tags={},
        properties={},
        traffic={},
        mirror={},
        since=None,
        shifted_by=None,
        history=[],
        deployments={},
        load=None,
        metrics=True,
        diagnostics=False,
    )
    if part["workspace"] not in workspaces:
        raise ScenarioError(f"{where}: there is no workspace {part['workspace']!r}.")
    deployments = tuple(
        _deployment(name, item, where, part) for name, item in mapping(part["deployments"], where).items()
    )
    return EndpointPlan(
        name=part["name"],
        workspace=part["workspace"],
        created=part["created"],
        by=part["by"],
        document=_endpoint_document(part),
        deployments=deployments,
        history=_history(part, where),
        load=None if part["load"] is None else _load(part["load"], where),
        metrics=_flag(part["metrics"], f"metrics of {where}"),
        diagnostics=_diagnostics(part["diagnostics"], where),
    )


def _load(value: Any, where: str) -> Load:
    where = f"load of {where}"
    part = parts(mapping(value, where), where, **{item.name: item.default for item in fields(Load)})
    for name, number in part.items():
        if isinstance(number, bool) or not isinstance(number, (int, float)) or number < 0:
            raise ScenarioError(f"{where}: {name} is a number of 0 or more, not {number!r}.")
    return Load(**{name: float(number) for name, number in part.items()})


def _diagnostics(value: Any, where: str) -> tuple[Json, ...]:
    """`true` is one setting with all logs; a mapping tells more."""
    if value is False:
        return ()
    where = f"diagnostics of {where}"
    part = parts(
        {} if value is True else mapping(value, where),
        where,
        name="to-log-analytics",
        workspace=None,
        logs=list(LOG_CATEGORIES),
        metrics=False,
    )
    unknown = set(listed(part["logs"], where)) - set(LOG_CATEGORIES)
    if unknown:
        raise ScenarioError(f"{where}: unknown logs {', '.join(sorted(map(str, unknown)))}.")
    return ({**part, "metrics": _flag(part["metrics"], where)},)


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise ScenarioError(f"{where} is true or false, not {value!r}.")
    return value


def _endpoint_document(part: Json) -> Json:
    document = {
        "kind": part["kind"],
        "tags": part["tags"],
        "identity": part["identity"] or {"type": "SystemAssigned"},
        "properties": {
            "authMode": part["auth"],
            "publicNetworkAccess": "Enabled" if part["public"] else "Disabled",
            "properties": part["properties"],
        },
    }
    for name in ("description", "compute"):
        if part[name] is not None:
            document["properties"][name] = part[name]
    return document


def _history(part: Json, where: str) -> tuple[Shift, ...]:
    """Earlier maps as listed, then the present one."""
    shifts = [_shift(item, where, part["by"]) for item in listed(part["history"], where)]
    if part["traffic"] or part["mirror"]:
        unknown = {*part["traffic"], *part["mirror"]} - set(part["deployments"])
        if unknown:
            raise ScenarioError(f"{where}: traffic names {', '.join(sorted(unknown))}, which is not there.")
        by = part["shifted_by"] or part["by"]
        shifts.append(Shift(part["since"], by, dict(part["traffic"]), dict(part["mirror"])))
    return tuple(shifts)


def _shift(value: Any, where: str, by: str) -> Shift:
    part = parts(mapping(value, where), f"history of {where}", at=..., by=by, traffic={}, mirror={})
    return Shift(part["at"], part["by"], dict(part["traffic"]), dict(part["mirror"]))


def _deployment(name: str, value: Any, endpoint: str, of: Json) -> DeploymentPlan:
    where = f"deployment {name} of {endpoint}"
    part = parts(
        mapping(value, where),
        where,
        created=of["created"],
        by=of["by"],
        model=None,
        environment=None,
        code=None,
        sku=None,
        instances=1,
        tags={},
        description=None,
        settings={},
        failed=None,
        behaves=None,
        autoscale=None,
    )
    properties = dict(mapping(part["settings"], where))
    properties["endpointComputeType"] = of["kind"] if of["kind"] == "Managed" else "Kubernetes"
    for field_name, key in (("model", "model"), ("environment", "environmentId"), ("sku", "instanceType")):
        if part[field_name] is not None:
            properties[key] = part[field_name]
    if part["description"] is not None:
        properties["description"] = part["description"]
    if part["code"] is not None:
        properties["codeConfiguration"] = {"codeId": part["code"], "scoringScript": "score.py"}
    behaves, autoscale = part["behaves"], part["autoscale"]
    return DeploymentPlan(
        name=name,
        created=part["created"],
        by=part["by"],
        instances=part["instances"],
        tags=part["tags"],
        properties=properties,
        failed=part["failed"],
        behaves=None if behaves is None else behaving.model(behaves, where),
        autoscale=None if autoscale is None else autoscale_plan(autoscale, where),
    )
