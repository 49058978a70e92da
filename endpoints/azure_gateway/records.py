"""What the gateway hands out: frozen records of Azure's resources, and the envelope each reading comes in.

No SDK object and no secret leaves this room: keys and the values of environment variables are gone from the
records and from `raw`, which otherwise is the document as Azure sent it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Document = Mapping[str, Any]

UNKNOWN = "Unknown"

ENDPOINT_METRICS = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
DEPLOYMENT_METRICS = f"{ENDPOINT_METRICS}/deployments"
_AGGREGATIONS = frozenset({"Average", "Maximum", "Minimum"})
# The names that Azure gives to metrics and dimensions; none of them can end the filter that it stands in.
_METRIC_NAME = re.compile(r"[A-Za-z0-9_]{1,120}")
# So many metrics Azure answers for at once.
_MOST_METRICS = 20


@dataclass(frozen=True, slots=True)
class Identity:
    """The managed identity of a resource. `user_assigned` holds ARM ids, lower-cased and sorted."""

    type: str
    principal_id: str = ""
    tenant_id: str = ""
    user_assigned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkspaceRecord:
    """An Azure Machine Learning workspace."""

    arm_id: str
    name: str
    location: str
    kind: str
    workspace_guid: str
    friendly_name: str
    description: str
    provisioning_state: str
    public_network_access: str
    tags: Mapping[str, str]
    identity: Identity | None
    raw: Document


@dataclass(frozen=True, slots=True)
class EndpointRecord:
    """A realtime endpoint. Split maps have lower-case names and no zeros; states are Azure's own words."""

    arm_id: str
    name: str
    location: str
    kind: str
    auth_mode: str
    provisioning_state: str
    traffic: Mapping[str, int]
    mirror_traffic: Mapping[str, int]
    scoring_uri: str
    swagger_uri: str
    public_network_access: str
    identity: Identity | None
    tags: Mapping[str, str]
    description: str
    properties: Mapping[str, Any]
    compute: str
    created_at: datetime | None
    created_by: str
    last_modified_at: datetime | None
    last_modified_by: str
    operation_uri: str
    raw: Document


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """A deployment of a realtime endpoint. `instance_count` is None when Azure gives no capacity.

    `endpoint_arm_id` is "" when the id does not contain one. Environment variables are kept by name only:
    their values may be secrets.
    """

    arm_id: str
    name: str
    endpoint_arm_id: str
    location: str
    kind: str
    compute_type: str
    model: str
    model_mount_path: str
    environment: str
    code_id: str
    scoring_script: str
    environment_variable_names: tuple[str, ...]
    instance_type: str
    instance_count: int | None
    sku_name: str
    sku_tier: str
    scale_settings: Document
    request_settings: Document
    liveness_probe: Document
    readiness_probe: Document
    startup_probe: Document
    container_resources: Document
    app_insights_enabled: bool | None
    egress_public_network_access: str
    data_collector: Document
    provisioning_state: str
    identity: Identity | None
    tags: Mapping[str, str]
    description: str
    properties: Mapping[str, Any]
    created_at: datetime | None
    created_by: str
    last_modified_at: datetime | None
    last_modified_by: str
    operation_uri: str
    raw: Document

    @property
    def max_concurrent_requests(self) -> int | None:
        """How many requests one instance takes at a time; None when Azure does not say."""
        value = self.request_settings.get("maxConcurrentRequestsPerInstance")
        return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """One answer: its value was true in Azure at some moment between `request_began` and `response_ended`.

    The end is the beginning plus a monotonic duration: it never lies before it, whatever the clock does.
    """

    value: T
    request_began: datetime
    response_ended: datetime
    azure_request_id: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One item that could not be understood or read: its ARM id (or "item 3 of …") and why."""

    item: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """All pages of a list, complete except for `unreadable`: what is in neither does not exist."""

    items: tuple[T, ...]
    unreadable: tuple[Unreadable, ...]
    request_began: datetime
    response_ended: datetime
    azure_request_id: str
    calls: int

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Accepted:
    """Azure took a write. `operation_uri` is "" when it named no operation: then the resource tells."""

    status: int
    operation_uri: str
    azure_request_id: str
    correlation_id: str
    client_request_id: str
    retry_after: float | None
    request_began: datetime
    response_ended: datetime


@dataclass(frozen=True, slots=True)
class OperationStatus:
    """Where a long-running operation stands. `status` is Azure's own word."""

    status: str
    percent: float | None
    error_code: str
    error_message: str
    retry_after: float | None
    azure_request_id: str

    @property
    def ended(self) -> bool:
        return self.status.lower() in {"succeeded", "failed", "canceled", "cancelled"}

    @property
    def succeeded(self) -> bool:
        return self.status.lower() == "succeeded"


@dataclass(frozen=True, slots=True)
class Permission:
    """What one role assignment grants at a scope: patterns with `*`, less the patterns in `not_actions`."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """What to ask of Azure Monitor: values of whole minutes in [since, until), both aware.

    `dimensions` split each metric by all of them. Azure cuts the series of one metric of one resource at
    `top` without a word, and at 10 when not told: so it is always sent. ValueError for what can't be asked.
    """

    namespace: str
    names: tuple[str, ...]
    aggregations: tuple[str, ...]
    since: datetime
    until: datetime
    dimensions: tuple[str, ...] = ()
    top: int = 1000

    def __post_init__(self) -> None:
        if self.namespace not in (ENDPOINT_METRICS, DEPLOYMENT_METRICS):
            raise ValueError(f"{self.namespace!r} is no namespace of metrics that the portal reads.")
        if not 1 <= len(self.names) <= _MOST_METRICS:
            raise ValueError(f"{len(self.names)} metrics can't be asked at once: 1 to {_MOST_METRICS} can.")
        for name in self.names + self.dimensions:
            if not _METRIC_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not the name of a metric or dimension.")
        if not self.aggregations or not _AGGREGATIONS.issuperset(self.aggregations):
            raise ValueError(f"{self.aggregations!r} are not some of Average, Maximum and Minimum.")
        if any(moment.tzinfo is None or moment.timestamp() % 60 for moment in (self.since, self.until)):
            raise ValueError(
                "The time of a query of metrics begins and ends with a whole minute of known zone."
            )
        if self.since >= self.until or self.since.timestamp() < 0 or self.top < 1:
            raise ValueError("A query of metrics asks for one minute and one series at least.")


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """One metric of one resource, minute by minute; of equal length but for what was not asked for, ().

    `resource_id` and the names of dimensions are lower case, values of dimensions as Azure gives them.
    `minutes` are seconds since 1970, ascending. None is a minute that Azure named without a value, or with
    one that can't be; a minute that is not here is one of which Azure said nothing. Neither is a zero.
    """

    resource_id: str
    metric: str
    dimensions: Mapping[str, str]
    minutes: tuple[int, ...]
    average: tuple[float | None, ...]
    maximum: tuple[float | None, ...]
    minimum: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class MetricsReading:
    """What Azure Monitor answered. A resource may have series and be `unreadable` in part, with the reason.

    `truncated` are the resources of which some metric came in as many series as the query allows.
    """

    series: tuple[MetricSeries, ...]
    unreadable: tuple[Unreadable, ...]
    truncated: tuple[str, ...]
    request_began: datetime
    response_ended: datetime
    azure_request_id: str
    calls: int


@dataclass(frozen=True, slots=True)
class DiagnosticSetting:
    """Where a resource's logs and metrics are exported to.

    `log_categories` are the enabled ones; groups, which stand for many, are in `log_groups`. `workspace_id`
    is the ARM id of a Log Analytics workspace, "" when the setting exports elsewhere.
    """

    name: str
    log_categories: tuple[str, ...]
    log_groups: tuple[str, ...]
    metrics: bool
    workspace_id: str


@dataclass(frozen=True, slots=True, order=True)
class LogPlace:
    """A place among the rows of a log: when a row came in, and when it was written."""

    arrived: datetime
    written: datetime


@dataclass(frozen=True, slots=True)
class LogSpan:
    """Rows that came in within [since, until), from `after` on where a page ended there."""

    since: datetime
    until: datetime
    after: LogPlace | None = None

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.until.tzinfo is None or self.since >= self.until:
            raise ValueError("A log is read from one time of known zone to a later one.")


@dataclass(frozen=True, slots=True)
class TrafficRow:
    """One request in the traffic log: names lower case, ids as Azure has them, "" and None for what it leaves open.

    `resource_id` is who wrote the row: the endpoint, or only its workspace. `deployment` is "" where none was chosen.
    """

    at: datetime
    arrived: datetime
    resource_id: str
    subscription: str
    workspace: str
    endpoint: str
    deployment: str
    request_id: str
    client_id: str
    status: int | None
    model_status: int | None
    duration_ms: float | None
    request_bytes: int | None
    response_bytes: int | None


@dataclass(frozen=True, slots=True)
class ModelLine:
    """What a model wrote about one of its answers, as far as it says; nothing else of its console is read."""

    at: datetime
    arrived: datetime
    resource_id: str
    deployment: str
    request_id: str
    client_id: str
    model_version: str
    confidence: float | None
    scores: Mapping[str, float] | None
    high_risk: bool | None


@dataclass(frozen=True, slots=True)
class LogPage(Generic[T]):
    """Rows of a log in the order in which they came in. `rest`: where the next page begins; None: that was all.

    `unreadable` are rows that could not be understood: they are not in `rows`, and are not asked for again.
    """

    rows: tuple[T, ...]
    unreadable: tuple[Unreadable, ...]
    rest: LogPlace | None
    request_began: datetime
    response_ended: datetime
    azure_request_id: str


@dataclass(frozen=True, slots=True)
class Found:
    """A resource as Resource Graph knows it: that it exists, or lately did. Its state is for a reading to say."""

    arm_id: str
    name: str
    type: str
    location: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class VmPrice:
    """What one size costs per `unit` ("OneHour") with an `os` in a `tier`: an estimate of Azure's, not a bill."""

    os: str
    tier: str
    amount: Decimal
    currency: str
    unit: str


@dataclass(frozen=True, slots=True)
class VmSizeRecord:
    """A size of machines in a region. What Azure does not say is None, "" or (), never 0.

    `family` is spelled as `UsageRecord.family` is, so that the two can be compared. `for_endpoints`: realtime
    endpoints may run on it.
    """

    name: str
    family: str
    vcpus: int | None
    gpus: int | None
    memory_gb: float | None
    for_endpoints: bool
    prices: tuple[VmPrice, ...]


@dataclass(frozen=True, slots=True)
class RetailPrice:
    """A row of the retail price list, for one size in one region: which machine it is for stands in its names.

    `kind` is "Consumption" for pay as you go. `from_units`: how many units must be used before it counts.
    `effective_at`: since when it counts; it can lie ahead. None where Azure does not say.
    """

    size: str
    region: str
    amount: Decimal
    currency: str
    unit: str
    kind: str
    product: str
    sku: str
    meter: str
    from_units: Decimal | None
    primary: bool
    effective_at: datetime | None


@dataclass(frozen=True, slots=True)
class AutoscaleRecord:
    """An autoscale setting of Azure Monitor. `target` is the ARM id of what it scales, as it is written there."""

    arm_id: str
    name: str
    location: str
    target: str
    enabled: bool
    raw: Document


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """How much of a subscription's quota in a region is used. `limit` is None where Azure sets none.

    `family` is "" for what counts anything but the dedicated cores of one family: see `label`.
    """

    family: str
    label: str
    used: int
    limit: int | None
    unit: str


@dataclass(frozen=True, slots=True)
class ActivityRecord:
    """One entry of the activity log: who did what to which resource, as far as Azure says; "" where not.

    An operation leaves several, with one `correlation_id`: its beginning, its end, and sometimes more.
    `resource_id` is lower case. What was written is not in it.
    """

    event_id: str
    at: datetime
    caller: str
    operation: str
    status: str
    resource_id: str
    correlation_id: str
    client_request_id: str
    app_id: str
    object_id: str


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A secret on its way from a vault to a request header: to be used and dropped, kept nowhere."""

    value: str
    version: str

    def __repr__(self) -> str:
        return "Secret(hidden)"


@dataclass(frozen=True, slots=True)
class EntraCredential:
    """Score as the portal's own identity."""


@dataclass(frozen=True, slots=True)
class KeyFrom:
    """Score with an endpoint's key, read from a vault for this one call."""

    secret_uri: str


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What a deployment answered to one request.

    `seconds` runs from sending to the last byte read, opening a connection included where none is open.
    `deployment` is who answered as the answer itself says, "" when it does not. `body` is cut where
    `truncated` says so. `error` tells people what was wrong, "" after a 2xx.
    """

    status: int
    seconds: float
    deployment: str
    request_id: str
    body: bytes = field(repr=False)
    truncated: bool
    error: str

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300
