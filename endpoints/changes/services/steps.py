"""From step to step: over to the next one, or done; held, and on again. Shared by people and executor."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from endpoints.audit.actors import Actor
from endpoints.changes.lifecycle import PLANNED_HOLDS, Hold, State
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import Step, steps_from_json
from endpoints.changes.services.keep_files import keep_files
from endpoints.changes.services.lease import drop_goal, lock_lease
from endpoints.changes.services.moves import announce, move, tell_ledger
from endpoints.changes.terms import terms_from_json
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.holds.services import protect
from endpoints.inventory.services import cancel_all_expected

CALM: dict[str, Any] = {"waiting_for": "", "attention": "", "failures": 0}
ANEW: dict[str, Any] = {
    "confirmed_at": None,
    "baked": 0.0,
    "baked_at": None,
    "hold_wanted": False,
    "hold": "",
    "held_at": None,
    "gate_outcome": "",
    "gate_reason": "",
    "gate_harm": "",
    "measured_at": None,
}


def step_over(change: Change, *, actor: Actor, reason: str = "") -> None:
    """The step is over: on to the next one, or the change is done. The caller holds lease and change locked."""
    revision = ChangeRevision.objects.get(change=change, number=change.revision)
    steps = steps_from_json(revision.plan)
    now, held = db_now(), _held_until_now(change)
    if change.step + 1 < len(steps):
        keep_files(change, step=change.step + 1, actor=actor)
        fields = ANEW | {"step": change.step + 1, "step_since": now, "held_seconds": held}
        move(change=change, to=State.APPLYING, actor=actor, reason=reason or "next step", **fields, **CALM)
        return
    let_go(change)
    warm_until = _warm_until(revision, steps[-1], now)
    move(
        change=change,
        to=State.SUCCEEDED,
        actor=actor,
        reason=reason,
        facts=steps[-1].for_ledger(),
        hold="",
        held_at=None,
        held_seconds=held,
        warm_until=warm_until,
        **CALM,
    )
    if warm_until is not None:
        _keep_warm(change, _left(revision, steps[-1]), warm_until, actor)


def _warm_until(revision: ChangeRevision, last: Step, now: datetime) -> datetime | None:
    """Until when what lost all its traffic is kept as a rollback target."""
    hours = terms_from_json(revision.terms).warm
    return now + timedelta(hours=hours) if hours and _left(revision, last) else None


def _left(revision: ChangeRevision, last: Step) -> list[str]:
    """The deployments that lost all their traffic."""
    return sorted(set(revision.base["split"]) - set(last.split))


def _keep_warm(change: Change, names: list[str], until: datetime, actor: Actor) -> None:
    """Nobody scales them down while they may be what traffic is rolled back to."""
    for name in names:
        protect(
            actor=actor,
            endpoint_id=change.endpoint_id,
            deployment=name,
            until=until,
            cause=ref("change", change.pk),
            reason=f"CR-{change.pk} took its traffic: it is kept to be rolled back to.",
        )


def let_go(change: Change) -> None:
    """Nobody owns the split any more: whatever moves it from here on is drift, be it a late call of ours."""
    drop_goal(lock_lease(change.endpoint_id))
    cancel_all_expected(change.endpoint_id)


def hold_here(change: Change, *, hold: Hold, reason: str, actor: Actor) -> None:
    """Stop and wait for a person, or stay held for another reason. What was not planned asks for one."""
    words = reason or _WORDS.get(hold, "")
    if change.state == State.HELD:
        Change.objects.filter(pk=change.pk).update(hold=hold, waiting_for=words, attention=words)
        announce(change)
        tell_ledger(change, actor, "change.held", after={"hold": hold.value, "why": words})
        return
    move(
        change=change,
        to=State.HELD,
        actor=actor,
        reason=words,
        facts={"hold": hold.value},
        hold=hold,
        hold_wanted=False,
        held_at=db_now(),
        waiting_for=words,
        attention="" if hold in PLANNED_HOLDS | {Hold.PERSON} else words,
    )


_WORDS = {
    Hold.CLICK: "The plan wants a person's word before the next step.",
    Hold.PERSON: "Somebody holds it here.",
}


def resume(change: Change, *, actor: Actor) -> None:
    """On again from where it was held: the bake goes on, or the step is ordered."""
    held = _held_until_now(change)
    fields: dict[str, Any] = {"hold": "", "held_at": None, "held_seconds": held, **CALM}
    if change.confirmed_at is None:
        keep_files(change, step=change.step, actor=actor)
        move(change=change, to=State.APPLYING, actor=actor, reason="resumed", step_since=db_now(), **fields)
        return
    # The gates have their grace again, and time that was held does not count as baked.
    wanted = _wanted(change)
    fields |= {"baked": min(change.baked, wanted), "baked_at": db_now(), "measured_at": None}
    move(change=change, to=State.BAKING, actor=actor, reason="resumed", **fields)


def _wanted(change: Change) -> float:
    revision = ChangeRevision.objects.get(change=change, number=change.revision)
    steps = steps_from_json(revision.plan)
    watch = terms_from_json(revision.terms).watch if change.step + 1 == len(steps) else 0
    return float(steps[change.step].bake + watch)


def _held_until_now(change: Change) -> float:
    if change.held_at is None:
        return change.held_seconds
    return change.held_seconds + max(0.0, (db_now() - change.held_at).total_seconds())
