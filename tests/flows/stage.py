"""A small world with everything real: emulator and executor processes, PostgreSQL, people and one endpoint."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.launch import Emulator
from endpoints.access.models import Grant, User, Workspace
from endpoints.access.policies import Principal
from endpoints.access.selectors import principal_now
from endpoints.azure_gateway.client import connect
from endpoints.azure_gateway.fleet import WorkspaceReading, read_workspace
from endpoints.azure_gateway.records import Reading
from endpoints.azure_gateway.settings import CloudSettings, GatewaySettings
from endpoints.changes import checks, services
from endpoints.changes.models import Attempt, Change
from endpoints.changes.selectors import change_detail
from endpoints.changes.selectors.situation import situation_of
from endpoints.changes.targets import key_of
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from endpoints.inventory.services import Answer, observe_deployments, observe_endpoint
from tests.flows.nursery import Nursery, Process
from tests.support.databases import Database
from tests.support.load import serve

WORKSPACE = (
    "/subscriptions/5b0a1c52-0000-4000-8000-000000000001/resourceGroups/rg-ml-prod"
    "/providers/Microsoft.MachineLearningServices/workspaces/mlw-prod-weu"
)
CHECKOUT = f"{WORKSPACE}/onlineEndpoints/checkout-risk"

CRASHED = 137

# Real waits scaled down; their order (call < bound < lease) is what matters.
TIMES = {
    "OPSPORTAL_LEASE_SECONDS": "3",
    "OPSPORTAL_IN_FLIGHT_BOUND_SECONDS": "1.5",
    "OPSPORTAL_REMOTE_CALL_SECONDS": "1.5",
    "OPSPORTAL_EXECUTOR_POLL_SECONDS": "0.3",
    "OPSPORTAL_SECOND_READ_SECONDS": "0.3",
    "OPSPORTAL_POLL_SCALE": "0.05",
}


def wait_for(what: str, true: Callable[[], Any], *, seconds: float = 30.0) -> Any:
    """The first truthy value of `true()`; fails, naming `what`, when none comes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = true()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


@dataclass
class Stage:
    """The world and the handles on it."""

    azure: Emulator
    executors: Nursery
    database: Database
    folder: Path
    requester: Principal
    reviewer: Principal
    operator: Principal
    workspace_id: int
    began: int = 0
    """The last request that the emulator had seen before this test."""
    processes: list[Process] = field(default_factory=list)
    times: Mapping[str, str] = field(default_factory=lambda: TIMES)
    """The waits of the executors, as their environment tells them."""

    @property
    def endpoint_id(self) -> int:
        return self.endpoint("checkout-risk")

    def endpoint(self, name: str) -> int:
        return Endpoint.objects.get(name=name, deleted_at=None).pk

    def settings(self) -> GatewaySettings:
        cloud = CloudSettings(
            name="StageCloud", resource_manager=self.azure.arm, ca_bundle=str(self.azure.ca_file)
        )
        return GatewaySettings(cloud=cloud)

    def mirror(self) -> None:
        """Take the workspace as Azure shows it into the mirror."""
        reading = asyncio.run(self._read())
        for item in reading.endpoints:
            answer = Reading(item.endpoint, reading.request_began, reading.response_ended, "")
            seen = observe_endpoint(workspace_id=self.workspace_id, reading=answer)
            assert item.deployments is not None
            observe_deployments(
                endpoint_id=seen.endpoint_id,
                records=item.deployments.items,
                answer=Answer.to(item.deployments),
                is_complete=True,
            )

    async def _read(self) -> WorkspaceReading:
        async with connect(self.settings()) as azure:
            return await read_workspace(azure, WORKSPACE)

    def request(self, split: Mapping[str, int], *, name: str = "checkout-risk", **more: Any) -> int:
        return services.request_change(
            principal=self.requester,
            endpoint_id=self.endpoint(name),
            split=split,
            reason="version 24 is better",
            **more,
        )

    def approved(self, split: Mapping[str, int], **more: Any) -> int:
        return self.approve(self.request(split, **more))

    def approve(self, change_id: int) -> int:
        """With every warning of its checks accepted."""
        verdicts = checks.run(situation_of(self.change(change_id)))
        services.approve_change(
            principal=self.reviewer,
            change_id=change_id,
            seen_hash=self.hash(change_id),
            accept=[verdict.name for verdict in verdicts if verdict.needs_acceptance],
        )
        return change_id

    def started(self, split: Mapping[str, int], **more: Any) -> int:
        return self.start(self.approved(split, **more))

    def start(self, change_id: int) -> int:
        services.start_change(principal=self.operator, change_id=change_id, seen_hash=self.hash(change_id))
        return change_id

    def roll_back(
        self,
        split: Mapping[str, int],
        *,
        mirror: Mapping[str, int] | None = None,
        name: str = "checkout-risk",
    ) -> int:
        """Order a rollback to an issued target; the rollback's number."""
        receipt = services.roll_back(
            principal=self.operator, endpoint_id=self.endpoint(name), target_key=key_of(split, mirror or {})
        )
        return receipt.change_id

    def hash(self, change_id: int) -> str:
        return change_detail(self.requester, change_id).content_hash

    def change(self, change_id: int) -> Change:
        return Change.objects.get(pk=change_id)

    def dies(self, process: Process) -> None:
        """Wait until the process has met its crash point."""
        code = process.wait(30)
        assert code == CRASHED, f"it ended with {code}\n{self.logs()[-3000:]}"

    def until(self, change_id: int, *states: str, seconds: float = 30.0) -> Change:
        def reached() -> Change | None:
            change = self.change(change_id)
            return change if change.state in states else None

        try:
            found: Change = wait_for(f"CR-{change_id} reaching {states}", reached, seconds=seconds)
        except AssertionError as error:
            change = self.change(change_id)
            raise AssertionError(
                f"{error}; it is {change.state}: {change.waiting_for} {change.attention}\n{self.logs()[-3000:]}"
            ) from None
        return found

    def live(self) -> dict[str, int]:
        """The split that Azure really serves: ground truth."""
        return dict(self.azure.admin.resource(CHECKOUT)["document"]["properties"]["traffic"])

    def sent(self) -> list[dict[str, Any]]:
        """Write requests that reached Azure in this test, oldest first: ground truth."""
        return self.azure.admin.requests(since=self.began, plane="arm", method="PUT")

    def writes(self) -> list[dict[str, Any]]:
        """The same of every verb that writes."""
        requests = self.azure.admin.requests(since=self.began, plane="arm")
        return [request for request in requests if request["method"] in ("PUT", "PATCH", "DELETE")]

    def puts(self) -> int:
        """How many of them were for the endpoint."""
        return sum(request["path"].lower() == CHECKOUT.lower() for request in self.sent())

    def fault(self, kind: str, **options: Any) -> str:
        """A fault that meets writes of the endpoint, unless `method` says otherwise."""
        return self.azure.admin.fault(
            kind, **{"method": "PUT", "path": "onlineEndpoints/checkout-risk$"} | options
        )

    def foreign(self, **change: Any) -> None:
        """Somebody else's write to the endpoint."""
        self.azure.admin.foreign(CHECKOUT, **change)

    def attempts(self, change_id: int) -> list[Attempt]:
        return list(Attempt.objects.filter(change_id=change_id).order_by("pk"))

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            **self.azure.environment(),
            **self.times,
            "DJANGO_SETTINGS_MODULE": "opsportal.settings.embedded",
            "SECRET_KEY": "stage-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOP",
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "DATABASE_URL": self.database.url,
            "BROKER_URL": "redis://127.0.0.1:1/0",
            "OPSPORTAL_AZURE_CLOUD": "StageCloud",
            "OPSPORTAL_AZURE_RESOURCE_MANAGER": self.azure.arm,
            "OPSPORTAL_AZURE_CA_BUNDLE": str(self.azure.ca_file),
            "OPSPORTAL_LOG_FORMAT": "console",
            **more,
        }

    def executor(self, **more: str) -> Process:
        """A real executor process, without a broker: nothing that it does may need one."""
        process = self.executors.start(
            "executor",
            environment=self.environment(**more),
            log=self.folder / f"executor-{len(self.processes)}.log",
        )
        self.processes.append(process)
        return process

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def stop(self) -> None:
        """End the executors. At once: how they end in order has a test of its own."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait(10)


def back_to_the_start(azure: Emulator, *, update_seconds: float = 0.2) -> None:
    """Everything allowed, checkout-risk as the scenario made it, and no fault left over."""
    admin = azure.admin
    admin.clear_faults()
    admin.settings(durations={"endpoint_update": update_seconds})
    admin.identity("opsportal", actions=["*"], not_actions=[], scopes=["/"])
    admin.foreign(CHECKOUT, recreate=True)
    admin.foreign(CHECKOUT, traffic={"blue": 100}, mirror_traffic={}, state="Succeeded")


@contextmanager
def stage(
    azure: Emulator,
    executors: Nursery,
    database: Database,
    folder: Path,
    *,
    times: Mapping[str, str] = TIMES,
) -> Iterator[Stage]:
    """People and workspace in a fresh database, the mirror filled, no executor yet."""
    workspace = Workspace.objects.create(
        slug="mlw-prod-weu",
        arm_id=WORKSPACE,
        arm_key=WORKSPACE.lower(),
        subscription_id="5b0a1c52-0000-4000-8000-000000000001",
        resource_group="rg-ml-prod",
        name="mlw-prod-weu",
        region="westeurope",
        environment="production",
    )
    people = {role: _person(role, workspace) for role in ("requester", "reviewer", "operator")}
    began = max((request["n"] for request in azure.admin.requests()), default=0)
    world = Stage(
        azure, executors, database, folder, workspace_id=workspace.pk, began=began, times=times, **people
    )
    world.mirror()
    for name in ("checkout-risk",):
        serve(world.endpoint(name))
    try:
        yield world
    finally:
        world.stop()


def _person(role: str, workspace: Workspace) -> Principal:
    user = User.objects.create(username=f"the-{role}", display_name=f"The {role}", kind="person")
    Grant.objects.create(user=user, workspace=workspace, role=role, since=db_now())
    return principal_now(user.pk)
