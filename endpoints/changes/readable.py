"""What a reading of the endpoint is worth: whether it can be decided on, and whether it shows what was ordered."""

from __future__ import annotations

from datetime import datetime, timedelta

from endpoints.changes.lifecycle import IN_FORCE, Kind
from endpoints.changes.samesetting import covers
from endpoints.changes.sight import (
    Action,
    Facts,
    Fail,
    Limits,
    Read,
    ReadFailure,
    ReadSetting,
    Seen,
    SeenEndpoint,
    SeenSetting,
    Trouble,
    Wait,
)

SETTLED = frozenset({"Succeeded", "Failed", "Canceled"})
GONE = "The endpoint was deleted in Azure; nothing was created again."


def not_readable(facts: Facts, seen: Seen, now: datetime, limits: Limits) -> Action | None:
    """What to do while there is no settled reading of what the step is about; None when there is one."""
    endpoint = seen.endpoint
    if endpoint is None:
        return Read()
    if isinstance(endpoint, ReadFailure):
        return _after_failure(endpoint, now, limits)
    if not endpoint.exists and facts.deletes_endpoint:
        return None
    if not endpoint.exists or (endpoint.provisioning_state == "Deleting" and not facts.deletes_endpoint):
        return Fail(GONE)
    if endpoint.provisioning_state not in SETTLED:
        until = now + timedelta(seconds=limits.busy_wait)
        return Wait(until, f"Azure is busy with this endpoint ({endpoint.provisioning_state}).")
    return _setting_not_read(facts, seen, now, limits)


def _setting_not_read(facts: Facts, seen: Seen, now: datetime, limits: Limits) -> Action | None:
    if facts.autoscale is None or facts.state in IN_FORCE or isinstance(seen.setting, SeenSetting):
        return None
    return ReadSetting() if seen.setting is None else _after_failure(seen.setting, now, limits)


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


def shows_target(facts: Facts, seen: Seen) -> bool:
    """Whether Azure shows what this step orders: the split, and what it orders beside that, at rest."""
    endpoint = endpoint_of(seen)
    if facts.deletes_endpoint:
        return not endpoint.exists
    if endpoint.split != facts.target and not _whatever_the_split(facts):
        return False
    if facts.deletes:
        return endpoint.complete and facts.deletes not in endpoint.deployments
    if facts.autoscale is not None:
        return isinstance(seen.setting, SeenSetting) and covers(
            facts.autoscale.document, seen.setting.document
        )
    wanted = facts.capacity
    if wanted is None:
        return True
    settled = endpoint.deployments.get(wanted.deployment) == "Succeeded"
    return settled and endpoint.instances.get(wanted.deployment) == wanted.instances


def _whatever_the_split(facts: Facts) -> bool:
    """A rollback puts back what is beside the split whoever moves that: its own step has ordered it, or comes yet."""
    return facts.kind is Kind.ROLLBACK and facts.beside
