"""Reading a fleet that did not change, database included, beside a plain loop over the SDK in the same run.

The fleet is 200 endpoints of 3 deployments in 10 workspaces of one subscription, 80 ms away. Then the same three
times in a row under ARM's token buckets: 630 reads, of which 250 may go at once and 25 more each second.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench import stage
from bench.figures import Figure

if TYPE_CHECKING:
    from emulator.launch import Emulator

FLEET, WORKSPACES, LATENCY_MS = "200x3", 10, 80
CALLS = 210
ROUNDS = 5
BURST, REFILL = 250, 25
FLOOR = (3 * CALLS - BURST) / REFILL


@dataclass
class Cost:
    """Seconds on the wall, and of this process's CPU in all its threads."""

    wall: float = 0.0
    cpu: float = 0.0


def measure() -> list[Figure]:
    stage.prepare()
    with (
        stage.database(),
        stage.fleet(FLEET, workspaces=WORKSPACES, subscriptions=1, latency_ms=LATENCY_MS) as azure,
    ):
        workspaces = connect_workspaces(azure)
        read_all(workspaces)
        rounds = [_one_round(workspaces) for _ in range(ROUNDS)]
        sdk = _plain_sdk_loop(azure)
        return [*_figures(rounds, sdk), *_under_buckets(azure, workspaces)]


def connect_workspaces(azure: Emulator) -> list[int]:
    from endpoints.access import services
    from endpoints.audit.actors import SYSTEM_COMMAND

    found = [one["id"] for one in azure.admin.world().values() if one["kind"] == "workspace"]
    return [
        services.add_workspace(
            actor=SYSTEM_COMMAND,
            arm_id=arm_id,
            slug=arm_id.rpartition("/")[2],
            environment="test",
            region="westeurope",
        )
        for arm_id in sorted(found)
    ]


def read_all(workspaces: list[int]) -> list[Any]:
    """One sync of everything, as the worker's task runs it; the runs that it wrote."""
    from endpoints.inventory.models import SyncRun, SyncTarget
    from endpoints.inventory.services import sync_shard
    from endpoints.inventory.services.targets import add_missing

    add_missing()
    SyncTarget.objects.update(due_at="2020-01-01T00:00:00Z", retry_at=None)
    before = SyncRun.objects.count()
    if sync_shard(workspace_id=workspaces[0]) != len(workspaces):
        raise RuntimeError("not every workspace was read")
    return list(SyncRun.objects.order_by("pk")[before:])


def _one_round(workspaces: list[int]) -> Cost:
    """One reading, with our own bucket full as it is a cadence after the last one."""
    time.sleep(CALLS / REFILL + 0.5)
    with _measured() as cost:
        runs = read_all(workspaces)
    if sum(run.calls for run in runs) != CALLS or any(
        run.outcome != "complete" or run.changes for run in runs
    ):
        raise RuntimeError(
            f"not an unchanged reading of all: {[run.error or run.unreadable for run in runs]}"
        )
    return cost


def _plain_sdk_loop(azure: Emulator) -> Cost:
    """What the documentation shows: a client per workspace, and a list of deployments for each endpoint."""
    from azure.ai.ml import MLClient
    from azure.identity import ManagedIdentityCredential

    credential = ManagedIdentityCredential()
    arm_ids = [one["id"] for one in azure.admin.world().values() if one["kind"] == "workspace"]
    listed = 0
    with _measured() as cost:
        for arm_id in arm_ids:
            parts = arm_id.split("/")
            client = MLClient(
                credential,
                parts[2],
                parts[4],
                parts[8],
                cloud="EmulatedCloudOfTheBench",
                cloud_metadata=azure.cloud_metadata(),
                connection_verify=str(azure.ca_file),
                enable_telemetry=False,
            )
            for endpoint in client.online_endpoints.list():
                listed += len(list(client.online_deployments.list(str(endpoint.name))))
    if listed != 600:
        raise RuntimeError(f"the SDK's loop found {listed} deployments")
    return cost


def _figures(rounds: list[Cost], sdk: Cost) -> list[Figure]:
    wall = statistics.median(cost.wall for cost in rounds)
    cpu = statistics.median(cost.cpu for cost in rounds)
    return [
        Figure(name="reading an unchanged fleet", value=wall, bar=1.5, yardstick=sdk.wall),
        Figure(
            name="CPU per call",
            value=cpu / CALLS * 1000,
            bar=3.0,
            unit="ms",
            yardstick=sdk.cpu / CALLS * 1000,
        ),
    ]


def _under_buckets(azure: Emulator, workspaces: list[int]) -> list[Figure]:
    """Both sides begin with full buckets, as after a minute without a call."""
    time.sleep(BURST / REFILL)
    azure.admin.settings(arm_buckets=True, latency_ms=LATENCY_MS)
    since = len(azure.admin.requests(plane="arm"))
    with _measured() as cost:
        runs = [run for _ in range(3) for run in read_all(workspaces)]
    answers = azure.admin.requests(plane="arm")[since:]
    refused = sum(1 for answer in answers if answer["status"] == 429)
    failed = sum(1 for run in runs if run.outcome != "complete")
    return [
        Figure(
            name="three readings under ARM's buckets",
            value=cost.wall,
            bar=1.2,
            yardstick=FLOOR,
            of_yardstick=True,
        ),
        Figure(name="workspaces not read completely", value=failed, bar=0, unit=""),
        Figure(name="answers 429", value=100 * refused / len(answers), bar=1.0, unit="%"),
    ]


@contextmanager
def _measured() -> Iterator[Cost]:
    cost = Cost()
    wall, cpu = time.perf_counter(), time.process_time()
    yield cost
    cost.wall, cost.cpu = time.perf_counter() - wall, time.process_time() - cpu
