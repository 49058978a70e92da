"""What a reading of the endpoint is worth: whether it can be decided on, and whether it shows what was ordered."""

from __future__ import annotations

from datetime import datetime, timedelta

from endpoints.changes.sight import (
    Action,
    Facts,
    Fail,
    Limits,
    Read,
    ReadFailure,
    Seen,
    SeenEndpoint,
    Trouble,
    Wait,
)

SETTLED = frozenset({"Succeeded", "Failed", "Canceled"})


def not_readable(seen: Seen, now: datetime, limits: Limits) -> Action | None:
    """What to do while there is no settled reading of the endpoint; None when there is one."""
    endpoint = seen.endpoint
    if endpoint is None:
        return Read()
    if isinstance(endpoint, ReadFailure):
        return _after_failure(endpoint, now, limits)
    if not endpoint.exists or endpoint.provisioning_state == "Deleting":
        return Fail("The endpoint was deleted in Azure; nothing was created again.")
    if endpoint.provisioning_state not in SETTLED:
        until = now + timedelta(seconds=limits.busy_wait)
        return Wait(until, f"Azure is busy with this endpoint ({endpoint.provisioning_state}).")
    return None


def _after_failure(failure: ReadFailure, now: datetime, limits: Limits) -> Wait:
    if failure.retry_at and failure.retry_at > now:
        return Wait(failure.retry_at, failure.text)
    if failure.trouble in (Trouble.FORBIDDEN, Trouble.UNAUTHENTICATED, Trouble.MALFORMED):
        return Wait(now + timedelta(seconds=limits.slow_wait), failure.text, attention=failure.text)
    return Wait(now + timedelta(seconds=limits.busy_wait), failure.text)


def endpoint_of(seen: Seen) -> SeenEndpoint:
    """The reading, after `not_readable` found nothing against it."""
    assert isinstance(seen.endpoint, SeenEndpoint)
    return seen.endpoint


def shows_target(facts: Facts, endpoint: SeenEndpoint) -> bool:
    """Whether Azure shows what this step orders: the split and, where it scales, that many instances at rest."""
    if endpoint.split != facts.target:
        return False
    wanted = facts.capacity
    if wanted is None:
        return True
    settled = endpoint.deployments.get(wanted.deployment) == "Succeeded"
    return settled and endpoint.instances.get(wanted.deployment) == wanted.instances
