"""A big made-up fleet: `--fleet 2000x3` is 2,000 endpoints of three deployments. Same seed, same fleet."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.models import Incident, Model
from emulator.monitor.catalogue import LOG_CATEGORIES
from emulator.scenario import DeploymentPlan, EndpointPlan, Scenario, Shift, WorkspacePlan
from emulator.tokens import Identity
from emulator.values import chance, guid

REGIONS = ("westeurope", "northeurope", "eastus2", "swedencentral")
TEAMS = ("payments", "search", "logistics", "media", "support", "pricing")
SKUS = ("Standard_DS3_v2", "Standard_DS2_v2", "STANDARD_F4S_V2", "standard_ds4_v2", "Standard_NC4as_T4_v3")
_DIAGNOSTICS = {
    "name": "to-log-analytics",
    "workspace": None,
    "logs": list(LOG_CATEGORIES),
    "metrics": False,
}
NAMES = ("blue", "green", "canary", "shadow")


@dataclass(frozen=True, slots=True)
class FleetSize:
    endpoints: int
    deployments: int
    workspaces: int = 4
    subscriptions: int = 2

    @classmethod
    def parse(cls, text: str, *, workspaces: int, subscriptions: int) -> FleetSize:
        """`2000x3`; raises ValueError for anything else."""
        endpoints, _, deployments = text.lower().partition("x")
        size = cls(int(endpoints), int(deployments), workspaces, subscriptions)
        if min(size.endpoints, size.deployments, workspaces, subscriptions) < 1 or size.deployments > 20:
            raise ValueError("a fleet has at least one of each, and at most 20 deployments an endpoint")
        return size


def generate(size: FleetSize, seed: int) -> Scenario:
    workspaces = [_workspace(i, size, seed) for i in range(size.workspaces)]
    return Scenario(
        identities=[Identity(guid("client", "opsportal"), guid("object", "opsportal"), "opsportal")],
        workspaces=workspaces,
        endpoints=[
            _endpoint(i, workspaces[i % size.workspaces].name, size, seed) for i in range(size.endpoints)
        ],
        default_model=Model(),
    )


def _workspace(i: int, size: FleetSize, seed: int) -> WorkspacePlan:
    subscription = guid(seed, "subscription", i % size.subscriptions)
    location = REGIONS[i % len(REGIONS)]
    return WorkspacePlan(
        f"mlw-fleet-{i:02d}", subscription, "rg-fleet", location, "-400d", "Platform team", {}
    )


def _endpoint(i: int, workspace: str, size: FleetSize, seed: int) -> EndpointPlan:
    team = TEAMS[int(chance(seed, "team", i) * len(TEAMS))]
    created = f"-{30 + int(chance(seed, 'age', i) * 300)}d"
    deployments = tuple(_deployment(i, j, created, size, seed) for j in range(size.deployments))
    tags = {"team": team, "environment": "production" if chance(seed, "env", i) < 0.7 else "test"}
    if chance(seed, "owner", i) < 0.9:
        tags["owner"] = f"{team}@example.com"
    document = {
        "kind": "Managed",
        "tags": tags,
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "authMode": "Key" if chance(seed, "auth", i) < 0.7 else "AADToken",
            "publicNetworkAccess": "Enabled" if chance(seed, "public", i) < 0.1 else "Disabled",
            "properties": {},
        },
    }
    return EndpointPlan(
        name=f"{team}-{i:05d}",
        workspace=workspace,
        created=created,
        by=f"{team} pipeline",
        document=document,
        deployments=deployments,
        metrics=chance(seed, "metrics", i) >= 0.005,
        diagnostics=(_DIAGNOSTICS,) if chance(seed, "diagnostics", i) < 0.6 else (),
        history=(Shift("-20d", f"{team} pipeline", _split(i, size.deployments, seed), {}),),
    )


def _split(i: int, deployments: int, seed: int) -> dict[str, int]:
    if deployments > 1 and chance(seed, "canary", i) < 0.15:
        return {_name(0): 90, _name(1): 10}
    return {_name(0): 100}


def _deployment(i: int, j: int, created: str, size: FleetSize, seed: int) -> DeploymentPlan:
    failed = None
    if j == size.deployments - 1 and j > 0 and chance(seed, "failed", i) < 0.02:
        failed = {"code": "ImageBuildFailure", "message": "Building the environment's image failed."}
    return DeploymentPlan(
        name=_name(j),
        created=created,
        by="pipeline",
        instances=1 + int(chance(seed, "instances", i, j) * 4),
        tags={},
        properties={
            "endpointComputeType": "Managed",
            "instanceType": SKUS[int(chance(seed, "sku", i, j) * len(SKUS))],
            "model": f"model-{i:05d}:{1 + j + int(chance(seed, 'version', i) * 20)}",
            "environmentId": "sklearn-serving:12",
        },
        failed=failed,
        behaves=_behaves(i, j, seed),
    )


def _behaves(i: int, j: int, seed: int) -> Model:
    """Latencies of all kinds; some deployments had a bad hour of late, some get slower and slower."""
    p50 = 5 * 30 ** chance(seed, "p50", i)
    roll = chance(seed, "incident", i, j)
    incidents: tuple[Incident, ...] = ()
    if roll < 0.03:
        incidents = (Incident("-26h", "-25h", p95_factor=3.0, failure_rate=0.08),)
    elif roll < 0.06:
        incidents = (Incident("-21d", "-2d", p95_factor=2.2, grows=True),)
    return Model(round(p50, 1), round(p50 * (2 + 2 * chance(seed, "p95", i, j)), 1), incidents=incidents)


def _name(j: int) -> str:
    return NAMES[j] if j < len(NAMES) else f"deployment-{j}"
