"""What a step orders beside the split: instances, autoscale, a delete. Its part of `decide`. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from endpoints.changes.lifecycle import Kind
from endpoints.changes.readable import SETTLED
from endpoints.changes.samesetting import same
from endpoints.changes.sight import (
    Action,
    Again,
    Facts,
    Fail,
    Limits,
    Put,
    Seen,
    SeenEndpoint,
    SeenSetting,
    StepDone,
    Wait,
)

OVERWRITES = "It overwrites an autoscale setting that somebody else changed since."


def concerns(facts: Facts) -> list[str]:
    """The deployment that must stand, or be known not to, before the step is ordered."""
    if facts.capacity:
        return [facts.capacity.deployment]
    if facts.autoscale and facts.autoscale.document is not None:
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
    if facts.deletes or facts.deletes_endpoint:
        return _not_deletable(facts, endpoint, now, limits)
    if facts.autoscale and _is_changed(facts, seen):
        return Fail(
            f"The autoscale setting of {facts.autoscale.deployment} is another one than when this was written. "
            "Nothing was overwritten: ask again on what stands now."
        )
    return None


def _is_changed(facts: Facts, seen: Seen) -> bool:
    """Whether somebody else changed the setting since the step was written."""
    assert isinstance(seen.setting, SeenSetting)
    return facts.autoscale is not None and not same(facts.autoscale.previous, seen.setting.document)


def _not_deletable(facts: Facts, endpoint: SeenEndpoint, now: datetime, limits: Limits) -> Action | None:
    """A delete is sent on a whole list only, of what has no traffic, rests, and is what was to be deleted."""
    goes = [facts.deletes] if facts.deletes else [*endpoint.split.live, *endpoint.split.mirror]
    for name in goes:
        if weight := endpoint.split.live.get(name) or endpoint.split.mirror.get(name):
            return Fail(f"{name} gets {weight}\u00a0% of the traffic again; nothing was deleted.")
    if not endpoint.complete:
        return _not_told(facts, now, limits)
    if facts.deletes and _is_another(facts, endpoint):
        return Fail(f"{facts.deletes} was made anew after this was asked for; it was not deleted.")
    for name in [facts.deletes] if facts.deletes else sorted(endpoint.deployments):
        if (state := endpoint.deployments.get(name, "")) not in SETTLED:
            return Wait(now + timedelta(seconds=limits.busy_wait), f"{name} is {state}.")
    return None


def _is_another(facts: Facts, endpoint: SeenEndpoint) -> bool:
    """Whether a deployment of that name was made since the plan was written."""
    created = endpoint.created.get(facts.deletes)
    return created is not None and facts.planned_at is not None and created > facts.planned_at


def _not_told(facts: Facts, now: datetime, limits: Limits) -> Wait:
    what = f"whether {facts.deletes} is gone" if facts.deletes else "what stands there"
    reason = f"Azure's list of deployments can't be understood, so {what} is not known."
    return Wait(now + timedelta(seconds=limits.slow_wait), reason, attention=reason)


def order_back(facts: Facts, seen: Seen, now: datetime, limits: Limits) -> Action:
    """A rollback orders its target whatever it finds, and deletes nothing."""
    endpoint = seen.endpoint
    assert isinstance(endpoint, SeenEndpoint)
    if facts.deletes or facts.deletes_endpoint:
        return Fail("A rollback deletes nothing.")
    if facts.autoscale:
        return Put(OVERWRITES if _is_changed(facts, seen) else "")
    if facts.capacity and facts.essential:
        name = facts.capacity.deployment
        state = endpoint.deployments.get(name)
        if state is None and endpoint.complete:
            return Fail(f"{name} no longer exists in Azure; it was not scaled.")
        if state is not None and state not in SETTLED:
            return Wait(now + timedelta(seconds=limits.busy_wait), f"{name} is {state}.")
    return Put()


def at_work(facts: Facts, endpoint: SeenEndpoint) -> str:
    """The deployment that Azure still brings to what was ordered; "" when it rests."""
    name = facts.deletes or (facts.capacity.deployment if facts.capacity else "")
    state = endpoint.deployments.get(name, "") if name else ""
    return "" if state in ("", *SETTLED) else f"{name} is {state}."


def came_out_otherwise(facts: Facts, endpoint: SeenEndpoint) -> Fail | None:
    """Azure's own operation succeeded, and other instances stand: scaling again would only repeat that."""
    wanted, last = facts.capacity, facts.last
    if wanted is None or facts.kind is Kind.ROLLBACK or last is None or last.operation_ended_at is None:
        return None
    found = endpoint.instances.get(wanted.deployment)
    if found in (None, wanted.instances) or endpoint.deployments.get(wanted.deployment) != "Succeeded":
        return None
    return Fail(
        f"Azure reported success and shows {found} instances of {wanted.deployment}, not {wanted.instances}: "
        "an autoscale setting may hold it there."
    )


def turned(facts: Facts, endpoint: SeenEndpoint, now: datetime, limits: Limits) -> Action | None:
    """Once confirmed, and then another thing beside an unchanged split: somebody, or autoscale, moved it since.

    None for a rollback, which holds its ground until it was seen twice in a row, but for instances.
    """
    if facts.capacity:
        return _scaled_once(facts.capacity.deployment, endpoint)
    if facts.kind is Kind.ROLLBACK:
        return None
    if facts.deletes:
        return _stands_again(facts, endpoint, now, limits)
    if facts.deletes_endpoint:
        return Fail("The endpoint was deleted, and somebody made it anew.")
    if facts.autoscale:
        return Fail("The autoscale setting was in force, and somebody changed it again.")
    return None


def _stands_again(facts: Facts, endpoint: SeenEndpoint, now: datetime, limits: Limits) -> Action:
    """Another one, or the same one because Azure's lists do not agree for a while."""
    if not endpoint.complete:
        return _not_told(facts, now, limits)
    if _is_another(facts, endpoint):
        return Fail(f"{facts.deletes} was deleted, and somebody made it anew.")
    assert facts.confirmed_at is not None
    settled = facts.confirmed_at + timedelta(seconds=limits.second_read + limits.settle)
    if now < settled:
        until = min(settled, now + timedelta(seconds=limits.busy_wait))
        return Wait(until, f"Azure showed {facts.deletes} deleted, and lists it again.")
    return Fail(f"Azure showed {facts.deletes} deleted, and lists it again. Nothing more was deleted.")


def _scaled_once(name: str, endpoint: SeenEndpoint) -> Action:
    """It had so many instances: what autoscale makes of them from there on is nobody's order."""
    state = endpoint.deployments.get(name)
    if state in (None, "Failed", "Canceled", "Deleting"):
        return Again(f"{name} was scaled, and then is {state or 'gone'}.")
    return StepDone()
