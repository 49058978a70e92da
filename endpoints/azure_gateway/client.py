"""Azure Machine Learning's control plane, as the product uses it.

    async with connect(settings) as azure:
        listing = await azure.list_endpoints(workspace_arm_id)

Every method raises errors.GatewayError only (and ValueError for an id that names nothing). Nothing is
repeated: whoever calls decides whether a failed call may be made again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from endpoints.azure_gateway import (
    activity,
    arm,
    autoscale,
    catalogue,
    codec,
    diagnostics,
    discovery,
    documents,
    failures,
    logs,
    monitor,
    retail,
    scoring,
    vault,
)
from endpoints.azure_gateway.credentials import PROCESS_TOKENS, CachedCredential, TokenCache
from endpoints.azure_gateway.errors import Malformed
from endpoints.azure_gateway.limiter import Buckets, Limiter
from endpoints.azure_gateway.paging import Pages, listed, storable_parser
from endpoints.azure_gateway.records import (
    Accepted,
    ActivityRecord,
    AutoscaleRecord,
    DeploymentRecord,
    DiagnosticSetting,
    Document,
    EndpointRecord,
    EntraCredential,
    Found,
    KeyFrom,
    Listing,
    LogPage,
    LogSpan,
    MetricQuery,
    MetricsReading,
    ModelLine,
    OperationStatus,
    Permission,
    ProbeAnswer,
    Reading,
    RetailPrice,
    Secret,
    TrafficRow,
    UsageRecord,
    VmSizeRecord,
    WorkspaceRecord,
)
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.azure_gateway.wire import Answer, Wire
from endpoints.core.clock import Clock, SystemClock

T = TypeVar("T")

# Thousands of events: whoever needs more asks about a shorter time.
_MOST_PAGES_OF_ACTIVITY = 50
# Where a PATCH may lead instead of to a status document: 202 while it runs, then what it left.
_RESULTS = "/mfeoperationresults/"


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
        """What the identity of this connection is granted at a subscription, one of its groups, or below."""
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

    async def read_traffic_log(
        self, log_workspace: str, span: LogSpan, endpoints: Collection[str]
    ) -> LogPage[TrafficRow]:
        """A page of the requests that a Log Analytics workspace knows of 1 to 200 endpoints, by their names.

        Rows come in 3 to 10 minutes late, or later. LogMissing where none ever came in, LogsRefused where this
        cloud has no such place.
        """
        return await logs.read_traffic(self._wire, self._settings.cloud, log_workspace, span, endpoints)

    async def read_model_lines(self, log_workspace: str, span: LogSpan) -> LogPage[ModelLine]:
        """A page of what models wrote about their answers, of all endpoints whose console a workspace has."""
        return await logs.read_model_lines(self._wire, self._settings.cloud, log_workspace, span)

    async def find_endpoints(self, subscriptions: Sequence[str]) -> Listing[Found]:
        """Endpoints that Resource Graph knows; DiscoveryRefused where it does not answer."""
        return await discovery.find(self._wire, self._settings, subscriptions, discovery.ENDPOINTS)

    async def find_deployments(self, subscriptions: Sequence[str]) -> Listing[Found]:
        """Deployments that Resource Graph knows; DiscoveryRefused where it does not answer."""
        return await discovery.find(self._wire, self._settings, subscriptions, discovery.DEPLOYMENTS)

    async def list_vm_sizes(self, subscription: str, region: str) -> Listing[VmSizeRecord]:
        """The sizes of machines that Azure Machine Learning has in a region, and what it says they cost."""
        path = f"{arm.location_path(subscription, region)}/vmSizes"
        return await self._list(path, arm.COMPUTE, catalogue.vm_size, exact=True)

    async def list_usages(self, subscription: str, region: str) -> Listing[UsageRecord]:
        """A subscription's quota in a region; the shares that single workspaces and clusters use are left out."""
        path = f"{arm.location_path(subscription, region)}/usages"
        return await self._list(path, arm.COMPUTE, catalogue.usage, keep=catalogue.of_subscription)

    async def list_retail_prices(
        self, region: str, size: str, *, currency: str = "USD"
    ) -> Listing[RetailPrice]:
        """Every row of the public price list for a size, without any credential. `size` in Azure's own spelling.

        PricesRefused where this cloud has no such list.
        """
        return await retail.list_prices(self._wire, self._settings, region, size, currency)

    async def list_autoscale(self, subscription: str, group: str = "") -> Listing[AutoscaleRecord]:
        """Autoscale settings of deployments in a subscription, or in one of its resource groups."""
        path = autoscale.list_path(subscription, group)
        return await self._list(path, arm.AUTOSCALE, autoscale.setting, keep=autoscale.of_deployment)

    async def get_autoscale(self, arm_id: str) -> Reading[AutoscaleRecord]:
        return await self._get(arm.autoscale_path(arm_id), arm.AUTOSCALE, autoscale.setting)

    async def put_autoscale(self, arm_id: str, document: Document, *, request_id: str = "") -> Accepted:
        """Create a setting, or replace one by a document as it was read (`AutoscaleRecord.raw`) and changed."""
        url = self._wire.url(arm.autoscale_path(arm_id), arm.AUTOSCALE)
        return _accepted(await self._wire.write("PUT", url, autoscale.body(document), request_id=request_id))

    async def delete_autoscale(self, arm_id: str, *, request_id: str = "") -> Accepted:
        """Delete a setting; one that is not there is deleted already."""
        url = self._wire.url(arm.autoscale_path(arm_id), arm.AUTOSCALE)
        return _accepted(await self._wire.write("DELETE", url, None, request_id=request_id))

    async def list_activity(
        self,
        subscription: str,
        *,
        since: datetime,
        until: datetime,
        resource_id: str = "",
        operations: Collection[str] = (),
    ) -> Listing[ActivityRecord]:
        """What the activity log has of one workspace, endpoint or deployment, or of all in the subscription.

        It comes 3 to 20 minutes late: no event may mean not yet. `operations` keeps only those, in any case:
        Azure itself does not filter by them.
        """
        pages = Pages(
            activity.log_path(subscription),
            arm.ACTIVITY,
            activity.event,
            self._wire.read_activity,
            options={"$filter": activity.log_filter(subscription, since, until, resource_id)},
            most=_MOST_PAGES_OF_ACTIVITY,
        )
        listing = await listed(self._wire, self._settings, pages)
        wanted = {operation.lower() for operation in operations}
        kept = (item for item in listing if not wanted or item.operation.lower() in wanted)
        return replace(listing, items=tuple(kept))

    async def read_secret(self, secret_uri: str) -> Secret:
        """A secret of a vault of this cloud, by its URI; Malformed, with nothing sent, for any other address."""
        return await vault.read_secret(self._wire, self._settings.cloud, secret_uri)

    async def probe(
        self,
        scoring_uri: str,
        deployment: str,
        body: bytes,
        *,
        credential: EntraCredential | KeyFrom,
    ) -> ProbeAnswer:
        """Ask one deployment to score a JSON body; `scoring_uri` is the endpoint record's own.

        Whatever status comes back is an answer. Raises when none does, when the key can't be read, and, with
        nothing sent, when the URI is not one of this cloud's.
        """
        cloud = self._settings.cloud
        return await scoring.probe(self._wire, cloud, scoring_uri, deployment, body, credential=credential)

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

    async def delete_deployment(self, arm_id: str, *, request_id: str = "") -> Accepted:
        """Delete a deployment; one that is not there is deleted already. Azure refuses one that has traffic."""
        url = self._wire.url(arm.path("deployment", arm_id), arm.DEPLOYMENTS)
        return _accepted(await self._wire.write("DELETE", url, None, request_id=request_id))

    async def delete_endpoint(self, arm_id: str, *, request_id: str = "") -> Accepted:
        """Delete an endpoint with all its deployments; one that is not there is deleted already."""
        url = self._wire.url(arm.path("endpoint", arm_id), arm.ENDPOINTS)
        return _accepted(await self._wire.write("DELETE", url, None, request_id=request_id))

    async def get_operation(self, operation_uri: str) -> OperationStatus:
        """Where an operation stands. Refuses (Malformed) a URI that does not lead to the resource manager."""
        answer = await self._wire.read(self._wire.check_home(operation_uri), urgent=True)
        if _RESULTS in operation_uri.lower():
            return codec.result(
                answer.status,
                retry_after=failures.retry_after(answer.headers),
                azure_request_id=answer.ids.azure_request_id,
            )
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
            value=storable_parser(parse, answer)(answer.document(path)),
            request_began=answer.request_began,
            response_ended=answer.response_ended,
            azure_request_id=answer.ids.azure_request_id,
        )

    async def _list(
        self,
        path: str,
        version: str,
        parse: Callable[[Any], T],
        *,
        urgent: bool = False,
        exact: bool = False,
        keep: Callable[[Any], bool] | None = None,
    ) -> Listing[T]:
        """All pages or an error: half a list would read as deletions."""

        async def read(url: str) -> Answer:
            return await self._wire.read(url, urgent=urgent)

        return await listed(
            self._wire, self._settings, Pages(path, version, parse, read, exact=exact, keep=keep)
        )


def _accepted(answer: Answer) -> Accepted:
    # The body is not looked at: Azure took the write, and what came of it is for a reading to say.
    return Accepted(
        status=answer.status,
        operation_uri=_operation_uri(answer.headers),
        azure_request_id=answer.ids.azure_request_id,
        correlation_id=answer.ids.correlation_id,
        client_request_id=answer.ids.client_request_id,
        retry_after=failures.retry_after(answer.headers),
        request_began=answer.request_began,
        response_ended=answer.response_ended,
    )


def _operation_uri(headers: Mapping[str, str]) -> str:
    """Where the operation's status is told or, where Azure names no such place, its result."""
    location = headers.get("Location", "")
    return headers.get("Azure-AsyncOperation") or (location if _RESULTS in location.lower() else "")


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
