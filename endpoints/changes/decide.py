"""What the executor does next with one active change: a pure function of rows, what Azure shows, and the time.

`decide` is asked again and again until it says something else than Poll or Read; everything it needs is in its
arguments, so that tests and simulations explore it without a database, a network or a clock. It is level-
triggered: it never trusts that a call worked, it compares what Azure shows with what was ordered.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from math import inf

from endpoints.changes import besides, watching
from endpoints.changes.lifecycle import EXECUTING, IN_FORCE, Hold, Kind, State
from endpoints.changes.plan import rising
from endpoints.changes.readable import SETTLED, endpoint_of, not_readable, shows_target
from endpoints.changes.sight import (
    Accept,
    Action,
    Again,
    AttemptOutcome,
    Autoscale,
    Bake,
    Baked,
    Blocked,
    Capacity,
    Confirm,
    Drift,
    Facts,
    Fail,
    Gates,
    HoldHere,
    LastAttempt,
    Limits,
    Measure,
    NoteOperation,
    Poll,
    Put,
    Read,
    ReadFailure,
    ReadSetting,
    RollBack,
    Seen,
    SeenEndpoint,
    SeenOperation,
    SeenSetting,
    SkipStep,
    Split,
    StepDone,
    StepOver,
    Trouble,
    Wait,
)

__all__ = [
    "SETTLED",
    "Accept",
    "Action",
    "Again",
    "AttemptOutcome",
    "Autoscale",
    "Bake",
    "Baked",
    "Blocked",
    "Capacity",
    "Confirm",
    "Drift",
    "Facts",
    "Fail",
    "Gates",
    "HoldHere",
    "LastAttempt",
    "Limits",
    "Measure",
    "NoteOperation",
    "Poll",
    "Put",
    "Read",
    "ReadFailure",
    "ReadSetting",
    "RollBack",
    "Seen",
    "SeenEndpoint",
    "SeenOperation",
    "SeenSetting",
    "SkipStep",
    "Split",
    "StepDone",
    "StepOver",
    "Trouble",
    "Wait",
    "decide",
    "next_poll",
]


def decide(facts: Facts, seen: Seen, now: datetime, limits: Limits) -> Action:
    """The next action. Waits that go on for too long ask for a person."""
    if facts.state not in EXECUTING:
        raise ValueError(f"nothing is executed in state {facts.state}")
    if facts.state in IN_FORCE:
        if facts.kind is Kind.ROLLBACK:
            raise ValueError("a rollback waits for nothing")
        return watching.watch(facts, seen, now, limits)
    if given_up := _scaling_given_up(facts, now, limits):
        return given_up
    follow = _applying if facts.state is State.APPLYING else _verifying
    action = follow(facts, seen, now, limits)
    if isinstance(action, Wait) and not action.attention and _overdue(facts, now, limits):
        return replace(action, attention=f"No end in sight: {action.reason}")
    return action


def _scaling_given_up(facts: Facts, now: datetime, limits: Limits) -> SkipStep | None:
    """A rollback that scales first: nothing about that may keep the traffic from going back."""
    if facts.kind is not Kind.ROLLBACK or facts.capacity is None or facts.essential:
        return None
    if facts.last and facts.last.operation_failure:
        return SkipStep(f"Azure failed to scale {facts.capacity.deployment}: {facts.last.operation_failure}")
    if (now - facts.step_since).total_seconds() > limits.scale_first:
        return SkipStep(f"{facts.capacity.deployment} was not scaled within {limits.scale_first:g} s.")
    return None


def _overdue(facts: Facts, now: datetime, limits: Limits) -> bool:
    limit = limits.attention_after
    if facts.kind is Kind.ROLLBACK:
        limit = min(limit, limits.rollback_attention_after)
    return (now - facts.step_since).total_seconds() > limit


def _applying(facts: Facts, seen: Seen, now: datetime, limits: Limits) -> Action:
    held = _held_up(facts, now, limits)
    if held:
        return held
    blocked = not_readable(facts, seen, now, limits)
    if blocked:
        return blocked
    last = facts.last
    if shows_target(facts, seen):
        return Accept(besides.shown_already(facts))
    if last and last.outcome is AttemptOutcome.ACCEPTED:
        return Accept("Azure took the call.")  # the move was lost, not the answer
    if facts.kind is Kind.ROLLBACK:
        # Whatever it finds; a call of its own that is still on the way orders the same.
        return besides.order_back(facts, seen, now, limits)
    if last and last.unresolved and now < _landed_by(last.sent_at, limits):
        return _unanswered(last.sent_at, limits)
    if facts.blocked:
        return HoldHere(facts.blocked.hold, facts.blocked.reason)
    if facts.hold_wanted:
        return HoldHere(Hold.PERSON, "")
    return _from_base(facts, seen, now, limits)


def _held_up(facts: Facts, now: datetime, limits: Limits) -> Wait | None:
    """What forbids a call, and makes a reading worthless, whatever Azure shows."""
    last = facts.last
    if last and last.retry_at and last.retry_at > now:
        reason = last.refusal or _why_again(last)
        return Wait(last.retry_at, reason, attention=reason if last.needs_person else "")
    if facts.rival_sent_at and now < _landed_by(facts.rival_sent_at, limits):
        return _unanswered(facts.rival_sent_at, limits)
    return None


def _why_again(last: LastAttempt) -> str:
    if last.operation_failure:
        return f"Azure failed to apply it: {last.operation_failure}. The next call is not due yet."
    return "The call did not take effect; the next one is not due yet."


def _landed_by(sent_at: datetime, limits: Limits) -> datetime:
    """When an unanswered call has taken effect, or never will."""
    return sent_at + timedelta(seconds=limits.in_flight)


def _unanswered(sent_at: datetime, limits: Limits) -> Wait:
    return Wait(_landed_by(sent_at, limits), "A call without an answer may still take effect.")


def _from_base(facts: Facts, seen: Seen, now: datetime, limits: Limits) -> Action:
    endpoint = endpoint_of(seen)
    if facts.before is not None and endpoint.split != facts.before:
        return Drift(endpoint.split)
    wanted = {*facts.target.live, *besides.concerns(facts)}
    missing = sorted(name for name in wanted if name not in endpoint.deployments)
    if missing and not endpoint.complete:
        reason = f"Azure's list of deployments can't be understood, so {', '.join(missing)} was not found."
        return Wait(now + timedelta(seconds=limits.slow_wait), reason, attention=reason)
    if missing:
        return Fail(f"{', '.join(missing)} no longer exists in Azure.")
    return besides.forbids(facts, seen, now, limits) or _capacity_first(facts, endpoint, now, limits)


def _capacity_first(facts: Facts, endpoint: SeenEndpoint, now: datetime, limits: Limits) -> Action:
    """No weight rises on a deployment that is not Succeeded."""
    gaining = rising(endpoint.split.live, facts.target.live)
    if facts.capacity:
        gaining = [facts.capacity.deployment]
    for name in gaining:
        state = endpoint.deployments[name]
        if state in ("Failed", "Canceled", "Deleting"):
            kept = "it was not scaled" if facts.capacity else "no traffic was sent to it"
            return Fail(f"{name} is {state}; {kept}.")
        if state != "Succeeded":
            return Wait(now + timedelta(seconds=limits.busy_wait), f"{name} is {state}.")
    return Put()


def _verifying(facts: Facts, seen: Seen, now: datetime, limits: Limits) -> Action:
    pending = _operation(facts, seen, now, limits)
    if pending:
        return pending
    if facts.confirmed_at and now < _second_read_at(facts, limits):
        return Wait(_second_read_at(facts, limits), "Confirmed once; the second reading is due.")
    blocked = not_readable(facts, seen, now, limits)
    if blocked:
        return blocked
    endpoint = endpoint_of(seen)
    if shows_target(facts, seen):
        return StepDone() if facts.confirmed_at else Confirm()
    return _differs(facts, endpoint, now, limits)


def _second_read_at(facts: Facts, limits: Limits) -> datetime:
    assert facts.confirmed_at is not None
    return facts.confirmed_at + timedelta(seconds=limits.second_read)


def _operation(facts: Facts, seen: Seen, now: datetime, limits: Limits) -> Action | None:
    """What Azure's operation document asks for; None when the endpoint itself is the better witness."""
    last = facts.last
    if last is None or not last.operation_uri or last.operation_ended_at or facts.confirmed_at:
        return None
    if seen.operation is None:
        return Poll()
    if isinstance(seen.operation, ReadFailure):
        return None
    if seen.operation.running:
        due = next_poll(last.sent_at, now, scale=limits.poll, hurry=facts.kind is Kind.ROLLBACK)
        return Wait(max(due, seen.operation.retry_at or due), "Azure is applying it.")
    return NoteOperation(seen.operation.failure)


def _differs(facts: Facts, endpoint: SeenEndpoint, now: datetime, limits: Limits) -> Action:
    """Azure is at rest and shows something else than ordered."""
    last, rollback = facts.last, facts.kind is Kind.ROLLBACK
    if (
        facts.confirmed_at
        and (rollback or endpoint.split == facts.target)
        and (turned := besides.turned(facts, endpoint, now, limits))
    ):
        return turned
    if facts.confirmed_at:
        # A rollback is over at two readings in a row; until then it holds its ground, whoever moved the split.
        return (
            Again("Azure showed the split once and then another one.") if rollback else Drift(endpoint.split)
        )
    if not rollback and endpoint.split != facts.before:
        return Drift(endpoint.split)
    if working := besides.at_work(facts, endpoint):
        return Wait(now + timedelta(seconds=limits.busy_wait), working)
    if last and last.operation_failure:
        said = f"Azure failed to apply it: {last.operation_failure}"
        return Again(said) if rollback else Fail(said)
    since = last.operation_ended_at or last.sent_at if last else facts.step_since
    settled = since + timedelta(seconds=limits.settle)
    if now < settled:
        until = min(settled, now + timedelta(seconds=limits.poll))
        return Wait(until, "Azure says it is done, but does not show it yet.")
    return besides.came_out_otherwise(facts, endpoint) or Again(
        f"Azure reported success, but {besides.missing(facts)}."
    )


def next_poll(since: datetime, now: datetime, *, scale: float = 1.0, hurry: bool = False) -> datetime:
    """0.25 s, 0.5 s, each second to 30 s, each 2 s to a minute, then each 5 s after `since`; all times `scale`.

    Somebody who rolls back counts the seconds: with `hurry` each half second to 30 s.
    """
    elapsed = (now - since).total_seconds() / scale
    pauses = ((0.2, 0.25), (0.6, 0.5), (30.0, 0.5 if hurry else 1.0), (60.0, 2.0), (inf, 5.0))
    pause = next(pause for until, pause in pauses if elapsed < until)
    return now + timedelta(seconds=pause * scale)
