"""What a step orders beside the split: instances, autoscale, a delete. Its part of `decide`. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from endpoints.changes.lifecycle import Kind
from endpoints.changes.readable import SETTLED
from endpoints.changes.samesetting import same
from endpoints.changes.sight import (
    Action,
    Facts,
    Fail,
    Limits,
    Seen,
    SeenEndpoint,
    SeenSetting,
    StepDone,
    Wait,
)


def concerns(facts: Facts) -> list[str]:
    """The deployment that must stand, or be known not to, before the step is ordered."""
    if facts.capacity:
        return [facts.capacity.deployment]
    if facts.autoscale:
        return [facts.autoscale.deployment]
    return [facts.deletes] if facts.deletes else []


def shown_already(facts: Facts) -> str:
    """Why no call is needed."""
    if facts.deletes or facts.deletes_endpoint:
        return "Azure shows it deleted already."
    if facts.autoscale:
        return "Azure already shows the ordered autoscale setting."
    if facts.capacity:
        return "Azure already shows the ordered instances."
    return "Azure already shows the ordered split."


def missing(facts: Facts) -> str:
    """What Azure does not show although it said that it was done."""
    if facts.deletes:
        return f"{facts.deletes} still stands"
    if facts.deletes_endpoint:
        return "the endpoint still stands"
    if facts.autoscale:
        return "the autoscale setting is another one"
    if facts.capacity:
        return f"{facts.capacity.deployment} does not have {facts.capacity.instances} instances"
    return "the split is not in force"


def forbids(facts: Facts, seen: Seen, now: datetime, limits: Limits) -> Action | None:
    """What stands against a delete or another autoscale setting, by what was just read."""
    endpoint = seen.endpoint
    assert isinstance(endpoint, SeenEndpoint)
    if facts.deletes_endpoint and (endpoint.split.live or endpoint.split.mirror):
        return Fail("The endpoint has traffic again; it was not deleted.")
    if facts.deletes:
        return _not_deletable(facts.deletes, endpoint, now, limits)
    wanted = facts.autoscale
    if wanted and facts.kind is not Kind.ROLLBACK:
        assert isinstance(seen.setting, SeenSetting)
        if not same(wanted.previous, seen.setting.document):
            return Fail(
                f"The autoscale setting of {wanted.deployment} is another one than when this was written. "
                "Nothing was overwritten: ask again on what stands now."
            )
    return None


def _not_deletable(name: str, endpoint: SeenEndpoint, now: datetime, limits: Limits) -> Action | None:
    weight = endpoint.split.live.get(name, 0) or endpoint.split.mirror.get(name, 0)
    if weight:
        return Fail(f"{name} gets {weight}\u00a0% of the traffic again; it was not deleted.")
    state = endpoint.deployments.get(name, "")
    if state not in SETTLED:
        return Wait(now + timedelta(seconds=limits.busy_wait), f"{name} is {state}.")
    return None


def at_work(facts: Facts, endpoint: SeenEndpoint) -> str:
    """The deployment that Azure still brings to what was ordered; "" when it rests."""
    name = facts.deletes or (facts.capacity.deployment if facts.capacity else "")
    state = endpoint.deployments.get(name, "") if name else ""
    return "" if state in ("", *SETTLED) else f"{name} is {state}."


def turned(facts: Facts, endpoint: SeenEndpoint, now: datetime, limits: Limits) -> Action | None:
    """Once confirmed, and then another thing beside an unchanged split: somebody, or autoscale, moved it since.

    None for a rollback, which holds its ground until it was seen twice in a row.
    """
    if facts.kind is Kind.ROLLBACK:
        return None
    if facts.deletes and not endpoint.complete:
        reason = f"Azure's list of deployments can't be understood, so whether {facts.deletes} is gone is not known."
        return Wait(now + timedelta(seconds=limits.slow_wait), reason, attention=reason)
    if facts.deletes:
        return Fail(f"{facts.deletes} was deleted, and somebody made it anew.")
    if facts.deletes_endpoint:
        return Fail("The endpoint was deleted, and somebody made it anew.")
    if facts.autoscale:
        return Fail("The autoscale setting was in force, and somebody changed it again.")
    # It had so many instances: what autoscale makes of them from there on is nobody's order.
    return StepDone() if facts.capacity else None
