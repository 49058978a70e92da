"""What happens while a step is in force: it bakes, its gates are asked, it is held, it goes on or goes back.

Pure, a part of `decide`. Time counts only between two readings that show the step in force and healthy, so that
neither a stopped executor nor a clock that jumps makes a bake shorter.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from endpoints.changes.lifecycle import Hold, State
from endpoints.changes.readable import endpoint_of, not_readable
from endpoints.changes.sight import (
    Action,
    Baked,
    Drift,
    Facts,
    HoldHere,
    Limits,
    Measure,
    RollBack,
    Seen,
    SeenEndpoint,
    StepOver,
    Wait,
)
from endpoints.changes.verdict import Outcome

BAKES = "The step is in force and bakes."


def watch(facts: Facts, seen: Seen, now: datetime, limits: Limits) -> Action:
    """The next action for a step that bakes or is held. Harm comes before everything but drift."""
    blocked = not_readable(facts, seen, now, limits)
    if blocked:
        return blocked
    endpoint = endpoint_of(seen)
    if facts.state is State.HELD and facts.confirmed_at is None:
        return _held_before(facts, endpoint, now, limits)
    if not _undisturbed(facts, endpoint):
        return Drift(endpoint.split)
    if _gates_due(facts, now):
        return Measure()
    harm = facts.bake.gates.harm or _broken(facts, endpoint)
    if harm and (stop := _stop(facts, harm)):
        return stop
    if facts.state is State.HELD:
        return _stay(facts, now, limits, harm)
    return _bake(facts, endpoint, now, limits)


def _held_before(facts: Facts, endpoint: SeenEndpoint, now: datetime, limits: Limits) -> Action:
    """Held with its step not ordered yet: what was in force before must stay so."""
    if facts.before is not None and endpoint.split != facts.before:
        return Drift(endpoint.split)
    return _stay(facts, now, limits)


def _stay(facts: Facts, now: datetime, limits: Limits, harm: str = "") -> Wait:
    """Held: what is waited for stays on the page, and a person who holds through harm is told of it."""
    told = facts.bake.hold is Hold.PERSON and harm
    attention = f"Held by a person although a gate fails: {harm}" if told else facts.attention
    return Wait(_next_look(now, limits), facts.waiting_for or "A person says how it goes on.", attention)


def _undisturbed(facts: Facts, endpoint: SeenEndpoint) -> bool:
    """Whether the split is the ordered one. Instances may change: autoscale does that, and it is nobody's order."""
    return endpoint.split == facts.target


def _broken(facts: Facts, endpoint: SeenEndpoint) -> str:
    """A deployment with traffic that Azure itself calls broken."""
    for name in facts.target.live:
        state = endpoint.deployments.get(name)
        if state is None and endpoint.complete and endpoint.deployments:
            return f"{name} no longer exists in Azure."
        if state in ("Failed", "Canceled", "Deleting"):
            return f"Azure reports {name} as {state}."
    return ""


def _stop(facts: Facts, harm: str) -> Action | None:
    """Give the traffic back, or hold. A person who holds the change here is not overruled."""
    if facts.bake.hold in (Hold.PERSON, Hold.FAILED):
        return None  # held for this very reason already, or a rollback was tried and could not be ordered
    if facts.bake.automatic:
        return RollBack(harm)
    return HoldHere(Hold.FAILED, harm)


def _gates_due(facts: Facts, now: datetime) -> bool:
    gates = facts.bake.gates
    if not gates.count:
        return False
    if gates.measured_at is None or gates.due_at is None or now >= gates.due_at:
        return True
    full_at = _full_at(facts)
    return facts.state is State.BAKING and full_at is not None and gates.measured_at < full_at <= now


def _full_at(facts: Facts) -> datetime | None:
    """When the bake was complete; None while it is not."""
    bake = facts.bake
    if bake.baked_at is None or bake.baked < bake.wanted:
        return None
    return bake.baked_at - timedelta(seconds=bake.baked - bake.wanted)


def _bake(facts: Facts, endpoint: SeenEndpoint, now: datetime, limits: Limits) -> Action:
    if facts.hold_wanted:
        return HoldHere(Hold.PERSON, "")
    busy = _busy(facts, endpoint)
    if busy:
        return Wait(_next_look(now, limits), f"{busy}; the bake waits for it.")
    bake = facts.bake
    if bake.baked_at is None:
        return Baked(0.0)
    since = (now - bake.baked_at).total_seconds()
    left = bake.wanted - bake.baked
    if since >= limits.bake_read or 0 < left <= since:
        return Baked(since if since <= limits.bake_gap else 0.0)
    if left > 0:
        return _still_baking(facts, left, now, limits)
    return _at_the_end(facts, now, limits)


def _busy(facts: Facts, endpoint: SeenEndpoint) -> str:
    """A deployment with traffic that Azure is working on: time that says nothing about the step."""
    states = ((name, endpoint.deployments.get(name)) for name in facts.target.live)
    return "; ".join(f"{name} is {state}" for name, state in states if state not in (None, "Succeeded"))


def _still_baking(facts: Facts, left: float, now: datetime, limits: Limits) -> Action:
    bake = facts.bake
    if bake.overtime_at and now >= bake.overtime_at:
        return HoldHere(Hold.OVERTIME, "The plan's longest duration is over.")
    assert bake.baked_at is not None
    looks = [bake.baked_at + timedelta(seconds=min(limits.bake_read, left)), bake.gates.due_at]
    until = min(look for look in looks if look)
    return Wait(max(until, now + timedelta(seconds=0.1)), BAKES)


def _at_the_end(facts: Facts, now: datetime, limits: Limits) -> Action:
    """Baked: only a pass goes on. What can't be told yet has a grace for its metrics to arrive."""
    bake, gates = facts.bake, facts.bake.gates
    full_at = _full_at(facts)
    assert full_at is not None
    behind = gates.count > 0 and (gates.until is None or gates.until < full_at)
    if not behind and (not gates.count or gates.outcome is Outcome.PASS):
        return HoldHere(Hold.CLICK, "") if bake.click else StepOver()
    if (now - full_at).total_seconds() < limits.grace:
        reason = gates.reason if not behind else "The last minutes of the bake are not measured yet."
        return Wait(min(_next_look(now, limits), gates.due_at or _next_look(now, limits)), reason or BAKES)
    if gates.outcome is Outcome.ERROR:
        return HoldHere(Hold.ERROR, gates.reason)
    return HoldHere(Hold.INCONCLUSIVE, gates.reason or "Metrics end before the bake does.")


def _next_look(now: datetime, limits: Limits) -> datetime:
    return now + timedelta(seconds=limits.bake_read)
