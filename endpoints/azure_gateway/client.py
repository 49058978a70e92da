"""Azure Machine Learning's control plane, as the product uses it.

    async with connect(settings) as azure:
        listing = await azure.list_endpoints(workspace_arm_id)

Every method raises errors.GatewayError only (and ValueError for an id that names nothing). Nothing is
repeated: whoever calls decides whether a failed call may be made again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urljoin

from endpoints.azure_gateway import arm, codec, diagnostics, discovery, documents, failures, monitor
from endpoints.azure_gateway.credentials import PROCESS_TOKENS, CachedCredential, TokenCache
from endpoints.azure_gateway.errors import Malformed, Unreachable
from endpoints.azure_gateway.limiter import Buckets, Limiter
from endpoints.azure_gateway.records import (
    Accepted,
    DeploymentRecord,
    DiagnosticSetting,
    Document,
    EndpointRecord,
    Found,
    Listing,
    MetricQuery,
    MetricsReading,
    OperationStatus,
    Permission,
    Reading,
    Unreadable,
    WorkspaceRecord,
)
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.azure_gateway.wire import Answer, Wire
from endpoints.core.clock import Clock, SystemClock

T = TypeVar("T")


class Azure:
    """One connection: bound to its event loop and closed by `connect`. Records out, never SDK objects."""

    def __init__(self, wire: Wire, settings: GatewaySettings) -> None:
        self._wire = wire
        self._settings = settings

    async def get_workspace(self, arm_id: str) -> Reading[WorkspaceRecord]:
        return await self._get(arm.path("workspace", arm_id), arm.WORKSPACES, codec.workspace)

    async def get_endpoint(self, arm_id: str, *, urgent: bool = False) -> Reading[EndpointRecord]:
        """One endpoint. `urgent` goes before every bulk read."""
        return await self._get(arm.path("endpoint", arm_id), arm.ENDPOINTS, codec.endpoint, urgent=urgent)

    async def get_deployment(self, arm_id: str, *, urgent: bool = False) -> Reading[DeploymentRecord]:
        return await self._get(
            arm.path("deployment", arm_id), arm.DEPLOYMENTS, codec.deployment, urgent=urgent
        )

    async def list_workspaces(self, subscription: str) -> Listing[WorkspaceRecord]:
        path = f"{arm.subscription_path(subscription)}/providers/Microsoft.MachineLearningServices/workspaces"
        return await self._list(path, arm.WORKSPACES, codec.workspace)

    async def list_endpoints(self, workspace_arm_id: str, *, urgent: bool = False) -> Listing[EndpointRecord]:
        path = f"{arm.path('workspace', workspace_arm_id)}/onlineEndpoints"
        return await self._list(path, arm.ENDPOINTS, codec.endpoint, urgent=urgent)

    async def list_deployments(
        self, endpoint_arm_id: str, *, urgent: bool = False
    ) -> Listing[DeploymentRecord]:
        path = f"{arm.path('endpoint', endpoint_arm_id)}/deployments"
        return await self._list(path, arm.DEPLOYMENTS, codec.deployment, urgent=urgent)

    async def list_permissions(self, scope: str) -> tuple[Permission, ...]:
        """What the identity of this connection is granted at a workspace or below."""
        path = f"{arm.scope_path(scope)}/providers/Microsoft.Authorization/permissions"
        return (await self._list(path, arm.PERMISSIONS, codec.permission)).items

    async def query_metrics(
        self, resource_ids: Sequence[str], query: MetricQuery, *, region: str, urgent: bool = False
    ) -> MetricsReading:
        """Metrics of 1 to 50 endpoints (or deployments) of one subscription and region.

        BatchRefused where that is not to be had: `list_metrics` may still be.
        """
        cloud = self._settings.cloud
        return await monitor.query_batch(self._wire, cloud, resource_ids, query, region=region, urgent=urgent)

    async def list_metrics(
        self, resource_id: str, query: MetricQuery, *, urgent: bool = False
    ) -> MetricsReading:
        """Metrics of one endpoint or deployment, at the cost of one of ARM's reads."""
        return await monitor.list_one(self._wire, resource_id, query, urgent=urgent)

    async def list_diagnostic_settings(self, arm_id: str) -> tuple[DiagnosticSetting, ...]:
        """Where the logs and metrics of a workspace, endpoint or deployment are exported to."""
        path = f"{arm.resource_path(arm_id)}/providers/Microsoft.Insights/diagnosticSettings"
        listing = await self._list(path, arm.DIAGNOSTIC_SETTINGS, diagnostics.setting)
        for item in listing.unreadable:
            raise Malformed(item.item, item.reason)
        return listing.items

    async def find_endpoints(self, subscriptions: Sequence[str]) -> Listing[Found]:
        """Endpoints that Resource Graph knows; DiscoveryRefused where it does not answer."""
        return await discovery.find(self._wire, self._settings, subscriptions, discovery.ENDPOINTS)

    async def find_deployments(self, subscriptions: Sequence[str]) -> Listing[Found]:
        """Deployments that Resource Graph knows; DiscoveryRefused where it does not answer."""
        return await discovery.find(self._wire, self._settings, subscriptions, discovery.DEPLOYMENTS)

    async def put_endpoint_split(
        self,
        document: Document,
        *,
        traffic: Mapping[str, int],
        mirror_traffic: Mapping[str, int] | None = None,
        request_id: str = "",
    ) -> Accepted:
        """Send a just-read endpoint document (`EndpointRecord.raw`) back with another split.

        Azure knows no precondition for this write: read, compare and send within one breath, and read
        again after. `mirror_traffic=None` leaves the mirror as it is, {} ends it. `request_id` is the id
        to stamp on the attempt before the call.
        """
        url = self._wire.url(arm.path("endpoint", str(document.get("id"))), arm.ENDPOINTS)
        body = documents.endpoint_body(document, traffic=traffic, mirror_traffic=mirror_traffic)
        return _accepted(await self._wire.write("PUT", url, body, request_id=request_id))

    async def patch_deployment_capacity(
        self, arm_id: str, instances: int, *, request_id: str = ""
    ) -> Accepted:
        """Set a deployment's instance count, and nothing else."""
        url = self._wire.url(arm.path("deployment", arm_id), arm.DEPLOYMENTS)
        body = documents.capacity_body(instances)
        return _accepted(await self._wire.write("PATCH", url, body, request_id=request_id))

    async def get_operation(self, operation_uri: str) -> OperationStatus:
        """Where an operation stands. Refuses (Malformed) a URI that does not lead to the resource manager."""
        answer = await self._wire.read(self._wire.check_home(operation_uri), urgent=True)
        return codec.operation(
            answer.document("operation"),
            retry_after=failures.retry_after(answer.headers),
            azure_request_id=answer.ids.azure_request_id,
        )

    async def _get(
        self, path: str, version: str, parse: Callable[[Document], T], *, urgent: bool = False
    ) -> Reading[T]:
        answer = await self._wire.read(self._wire.url(path, version), urgent=urgent)
        return Reading(
            value=_parser(parse, answer)(answer.document(path)),
            request_began=answer.request_began,
            response_ended=answer.response_ended,
            azure_request_id=answer.ids.azure_request_id,
        )

    async def _list(
        self, path: str, version: str, parse: Callable[[Document], T], *, urgent: bool = False
    ) -> Listing[T]:
        """All pages or an error: half a list would read as deletions."""
        limit = self._settings.listing_deadline
        try:
            async with asyncio.timeout(limit):
                return await self._pages(path, version, parse, urgent=urgent)
        except TimeoutError:
            raise Unreachable(f"The list {path} was not complete within {limit:g} s.") from None

    async def _pages(
        self, path: str, version: str, parse: Callable[[Document], T], *, urgent: bool
    ) -> Listing[T]:
        items: list[T] = []
        unreadable: list[Unreadable] = []
        first: Answer | None = None
        url, seen = self._wire.url(path, version), set[str]()
        while True:
            answer = await self._wire.read(url, urgent=urgent)
            first = first or answer
            seen.add(url)
            values, following = _page(answer, path)
            good, bad = codec.parse_all(values, _parser(parse, answer), where=f"page {len(seen)} of {path}")
            items += good
            unreadable += bad
            if not following:
                return Listing(
                    items=tuple(items),
                    unreadable=tuple(unreadable),
                    request_began=first.request_began,
                    response_ended=answer.response_ended,
                    azure_request_id=answer.ids.azure_request_id,
                    calls=len(seen),
                )
            url = self._wire.check_home(urljoin(url, following))
            if url in seen or len(seen) >= self._settings.page_limit:
                raise Malformed(path, f"the list does not end: {len(seen)} pages, and one more")


def _parser(parse: Callable[[Document], T], answer: Answer) -> Callable[[Document], T]:
    # Only an escape can smuggle in a character that can't be stored; without one there is nothing to look for.
    return codec.storable(parse) if b"\\u" in answer.content else parse


def _page(answer: Answer, path: str) -> tuple[list[Any], str]:
    document = answer.document(path)
    values = document.get("value") if isinstance(document, Mapping) else None
    if not isinstance(values, list):
        raise Malformed(path, "the page has no list of values", status=answer.status, ids=answer.ids)
    following = document.get("nextLink") or ""
    if not isinstance(following, str):
        raise Malformed(path, "the link to the next page is not text", status=answer.status, ids=answer.ids)
    return values, following


def _accepted(answer: Answer) -> Accepted:
    # The body is not looked at: Azure took the write, and what came of it is for a reading to say.
    return Accepted(
        status=answer.status,
        operation_uri=answer.headers.get("Azure-AsyncOperation", ""),
        azure_request_id=answer.ids.azure_request_id,
        correlation_id=answer.ids.correlation_id,
        client_request_id=answer.ids.client_request_id,
        retry_after=failures.retry_after(answer.headers),
        request_began=answer.request_began,
        response_ended=answer.response_ended,
    )


_process_buckets: dict[GatewaySettings, Buckets] = {}


def process_buckets(settings: GatewaySettings) -> Buckets:
    """The buckets that all connections of this process with these settings share."""
    return _process_buckets.setdefault(settings, Buckets(settings.rates))


@asynccontextmanager
async def connect(
    settings: GatewaySettings,
    *,
    clock: Clock | None = None,
    tokens: TokenCache = PROCESS_TOKENS,
    buckets: Buckets | None = None,
) -> AsyncIterator[Azure]:
    """A connection for the running event loop. Opens nothing before the first call."""
    async with CachedCredential(settings, tokens) as credential:
        limiter = Limiter(buckets or process_buckets(settings))
        wire = Wire(settings, credential, limiter, clock or SystemClock())
        try:
            yield Azure(wire, settings)
        finally:
            await wire.close()
