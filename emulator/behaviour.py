"""Where the real service was not seen: one named setting per open question, with the reason for its default.

`docs/reference/emulator.md` lists every field; a test holds the two together. A scenario or the admin port
may change any of them, so that a client can be tried against each possible answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Behaviour:
    # Writes
    update_status: int = 201
    """Status of a PUT on something that exists. Recordings of creations show 201."""
    busy_status: int = 409
    """Status of a write while another operation runs on the same resource. 409 and 400 are both reported."""
    busy_code: str = "Conflict"
    endpoint_busy_blocks_deployments: bool = True
    """A deployment can't be written while its endpoint is updating (reported by users of another SDK)."""
    deployment_busy_blocks_endpoint: bool = False
    """Whether an endpoint can't be written while one of its deployments is being changed."""
    unsent_fields: Literal["reset", "kept"] = "reset"
    """What a PUT does to fields that it leaves out. Older clients are known to drop the mirror setting."""
    properties_only_grow: bool = True
    """The schema says of `properties.properties`: can be added, but not removed or altered."""
    scaling_state: Literal["Updating", "Scaling"] = "Scaling"
    """provisioningState of a deployment while its instance count changes: the enumeration holds both."""
    running_status: str = "Updating"
    """`status` of an operation that has not ended, whatever the verb. Seen in recordings of PUT only."""
    signed_operation_urls: bool = True
    """Azure-AsyncOperation of 2025 carries a signature that makes the URL about 3.5 kB long."""
    patch_retry_after: int = 0
    """Retry-After on 202 answers in seconds, 0 for no header. The specification has it, recordings do not."""

    # Traffic
    bad_traffic_status: int = 400
    """Status of a PUT whose traffic breaks a rule (sum, unknown deployment, mirror)."""
    bad_traffic_code: str = "BadArgument"
    traffic_takes_effect: Literal["begin", "end"] = "end"
    """When the split serves requests: as the operation begins, or as it ends."""
    reported_while_updating: Literal["effective", "requested"] = "effective"
    """Which split a GET shows while the operation runs."""
    traffic_visible_after: float = 0.0
    """Seconds between an operation's end and the first GET that shows its split."""
    traffic_key_case: Literal["as_sent", "lower", "as_deployed"] = "as_sent"
    """Spelling of deployment names in a stored split; names compare without regard to case."""
    zero_weights: Literal["kept", "dropped"] = "kept"
    """Whether entries of weight 0 are stored. The SDK never sends them, so this was never seen."""
    target_must_have_succeeded: bool = True
    """Refuse to raise the weight of a deployment whose provisioningState is not Succeeded."""

    # Deleting
    delete_live_status: int = 400
    """Status of a DELETE on a deployment with live traffic; the refusal itself is documented."""
    delete_live_code: str = "BadArgument"
    mirror_blocks_delete: bool = True
    """Whether mirrored traffic protects a deployment as live traffic does."""

    # Keys
    regenerate_uses_sent_value: bool = False
    """Whether regenerateKeys sets the sent keyValue, which the SDK fills with the current key."""

    # Lists
    endpoint_page_size: int = 100
    """Endpoints on a page when `count` is not sent."""
    deployment_page_size: int = 100
    """Deployments on a page when `$top` is not sent."""

    usage_page_size: int = 100
    """Rows of quota usage on a page."""
    retail_page_size: int = 100
    """Items on a page of the retail price list."""
    autoscale_page_size: int = 100
    """Autoscale settings on a page."""

    # Sizes, prices, quota
    unknown_region: Literal["refused", "empty"] = "refused"
    """Sizes and usages of a region that does not exist: a 404, or an empty list."""
    absent_prices: Literal["absent", "empty"] = "absent"
    """A size without a price: no `estimatedVMPrices`, or one without values."""
    usage_names: Literal["label", "family"] = "label"
    """`name.value` of a family's usage: the label, as Microsoft's example has it, or the family's name."""

    # Metrics
    metrics_lag_seconds: float = 75.0
    """Seconds after its end until a minute comes in. Documented: under a minute in the database; more was reported."""
    metrics_settle_seconds: float = 240.0
    """Seconds after its end during which a minute still grows; before that it reports a part of its requests."""
    idle_endpoint_series: Literal["absent", "zero"] = "absent"
    """RequestsPerMinute of an endpoint, split: what is there of a deployment that the split gives nothing?"""
    idle_deployment_requests: Literal["zero", "nothing"] = "zero"
    """RequestsPerMinute of a deployment that nobody asks: 0, or time stamps without a value."""
    quiet_minutes: Literal["zero", "nothing"] = "zero"
    """A minute without a request, of a deployment that the split does give something, at endpoint scope."""
    absent_model_status: str = "None"
    """`modelStatusCode` of a request that never reached the model (408, 429)."""
    unknown_resource_spoils: Literal["itself", "call"] = "itself"
    """An id of a batch that is not there: does it alone stay empty, or is the whole call a 404?"""
    unadvertised_aggregation: Literal["omitted", "refused"] = "omitted"
    """An aggregation that the metric does not advertise: points without it, or a 400."""
    longer_intervals: Literal["aggregated", "refused"] = "aggregated"
    """The tables list PT1M only; the API takes PT5M to P1D for other providers' minute metrics."""
    capacity_ready: str = "Ready"
    """`State` of DeploymentCapacity for instances that serve. The values of this dimension are not documented."""
    capacity_pending: str = "Pending"
    capacity_failed: str = "Failed"
    coming_instances: Literal["absent", "pending"] = "absent"
    """DeploymentCapacity while a scale-out runs: nothing of what is coming up, or instances that are pending."""

    # Activity log
    activity_page_size: int = 200
    """Events on a page."""
    activity_app_caller: Literal["object_id", "app_id"] = "object_id"
    """`caller` of an event that an application caused: its object id or its application id."""

    # Logs
    logs_row_cap: int = 500_000
    """Rows of one answer; of more there come so many, and an error beside them."""
    logs_resource: Literal["endpoint", "workspace"] = "endpoint"
    """`_ResourceId` of a row: the endpoint's, or the workspace's, which the table's page names as its resource type."""
    mirrored_rows: Literal["logged", "absent"] = "logged"
    """Whether a mirrored copy has a row of its own, under another x-request-id. Metrics are known to count copies."""

    # Resource Graph
    resource_graph_delay_seconds: float = 0.0
    """How old the world is that Resource Graph shows: it is eventually consistent."""

    # Scoring
    unknown_deployment_header_status: int = 404
    """Status when azureml-model-deployment names a deployment that is not there."""
    score_denied_status: int = 403
    """Status for a valid Entra token without the role to score. The table of status codes has 401 for it."""
    client_id_header_invalid: Literal["cleaned", "dropped"] = "cleaned"
    """What happens to characters that x-ms-client-request-id may not hold."""
