"""An Azure in this process for tests of one worker: answers at once, from documents, and does what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from endpoints.azure_gateway import codec
from endpoints.azure_gateway.records import (
    Accepted,
    DeploymentRecord,
    Document,
    EndpointRecord,
    Listing,
    OperationStatus,
    Reading,
    Unreadable,
)
from tests.inventory.support import deployment_document, endpoint_document


class FakeAzure:
    """One endpoint. `before_read` and `before_put` run first, and may raise or wait."""

    def __init__(self, workspace: Any, traffic: Mapping[str, int]) -> None:
        self.workspace = workspace
        self.traffic = dict(traffic)
        self.changes: dict[str, Any] = {}
        self.unreadable: tuple[Unreadable, ...] = ()
        self.deployments = ["blue", "green"]
        self.reads, self.lists, self.puts = 0, 0, 0
        self.began: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.before_read: Callable[[], Any] = lambda: None
        self.before_put: Callable[[], Any] = lambda: None

    def document(self) -> dict[str, Any]:
        return endpoint_document(self.workspace, traffic=self.traffic, **self.changes)

    async def get_endpoint(self, arm_id: str, *, urgent: bool = False) -> Reading[EndpointRecord]:
        self.reads += 1
        await _run(self.before_read)
        began = self.began()
        return Reading(codec.endpoint(self.document()), began, max(began, datetime.now(UTC)), "azure-read")

    async def list_deployments(self, arm_id: str, *, urgent: bool = False) -> Listing[DeploymentRecord]:
        self.lists += 1
        records = [codec.deployment(deployment_document(self.document(), name)) for name in self.deployments]
        now = datetime.now(UTC)
        return Listing(tuple(records), self.unreadable, now, now, "azure-list", 1)

    async def get_operation(self, operation_uri: str) -> OperationStatus:
        return OperationStatus("Succeeded", None, "", "", None, "azure-operation")

    async def put_endpoint_split(
        self,
        document: Document,
        *,
        traffic: Mapping[str, int],
        mirror_traffic: Mapping[str, int] | None = None,
        request_id: str = "",
    ) -> Accepted:
        self.puts += 1
        await _run(self.before_put)
        self.traffic = dict(traffic)
        now = datetime.now(UTC)
        return Accepted(201, "https://arm/op/1", "azure-put", "", request_id, None, now, now)


async def _run(act: Callable[[], Any]) -> None:
    found = act()
    if asyncio.iscoroutine(found):
        await found
