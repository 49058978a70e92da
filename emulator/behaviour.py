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

    # Scoring
    unknown_deployment_header_status: int = 404
    """Status when azureml-model-deployment names a deployment that is not there."""
    client_id_header_invalid: Literal["cleaned", "dropped"] = "cleaned"
    """What happens to characters that x-ms-client-request-id may not hold."""
