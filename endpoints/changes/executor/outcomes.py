"""What the executor writes down about a change's progress, each under the fence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from endpoints.azure_gateway.records import Accepted
from endpoints.changes.decide import AttemptOutcome, Split, Wait
from endpoints.changes.executor.attempts import (
    Refusal,
    Sent,
    backoff,
    calls_of_step,
    keep_answer,
    keep_refusal,
    newest,
)
from endpoints.changes.executor.jobs import POISON, UNANSWERED, Fenced, Job, fence, scaled
from endpoints.changes.lifecycle import Hold, Kind, State
from endpoints.changes.models import Attempt, Change
from endpoints.changes.services.lease import drop_goal, lock_lease
from endpoints.changes.services.moves import actor_for, announce, move, tell_ledger
from endpoints.changes.services.rollback import order_automatic_rollback
from endpoints.changes.services.steps import hold_here, step_over
from endpoints.changes.watching import BAKES
from endpoints.dispatch import db_now
from endpoints.inventory.services import cancel_all_expected

ASIDE_SECONDS = 60
_CALM: dict[str, Any] = {"waiting_for": "", "attention": "", "failures": 0}


@transaction.atomic
def accepted(job: Job, sent: Sent, answer: Accepted, note: str = "") -> None:
    """Azure took the call: from now on its own state is compared with what was ordered.

    The answer is stored even when the goal is another one by now; only the move is fenced.
    """
    change = _still_ours(job)
    keep_answer(change or _the(job), sent, answer)
    if change:
        move(
            change=change,
            to=State.VERIFYING,
            actor=actor_for(change),
            reason=note,
            facts={"attempt": sent.attempt_id},
            azure_request_id=answer.azure_request_id,
            confirmed_at=None,
            **_CALM,
        )


@transaction.atomic
def refused(job: Job, sent: Sent, refusal: Refusal, *, fatal: str) -> None:
    """The call gave no success. `fatal` says why it never will, which ends the change; "" tries again later."""
    change = _still_ours(job)
    scales_first = job.facts.kind == Kind.ROLLBACK and job.facts.capacity is not None
    skips = change is not None and scales_first and not job.facts.essential
    if fatal and change and not skips:
        _let_go(job)  # before the ledger is written: from there on everybody waits for this transaction
    keep_refusal(job, change or _the(job), sent, refusal)
    if fatal and change and skips:
        step_over(change, actor=actor_for(change), reason=fatal)
    elif fatal and change:
        _fail(change, fatal)


def _still_ours(job: Job) -> Change | None:
    try:
        return fence(job)
    except Fenced:
        return None


def _the(job: Job) -> Change:
    return Change.objects.get(pk=job.change_id)


@transaction.atomic
def note_operation(job: Job, failure: str) -> None:
    """Azure's operation ended."""
    fence(job)
    attempt = newest(job)
    if attempt:
        failure = failure.replace("\x00", "")
        Attempt.objects.filter(pk=attempt.pk).update(operation_ended_at=db_now(), operation_failure=failure)


@transaction.atomic
def accept_unanswered(job: Job, reason: str) -> None:
    """Azure shows the target without an answer of ours: adopt it."""
    change = fence(job)
    adopted = _adopt(calls_of_step(job))
    move(
        change=change,
        to=State.VERIFYING,
        actor=actor_for(change),
        reason="recovered: Azure shows what an unanswered call ordered" if adopted else reason,
        confirmed_at=None,
        **_CALM,
    )


def _adopt(calls: QuerySet[Attempt]) -> int:
    """One call explains what Azure shows: one that Azure took, or else the oldest without an answer.

    The others may still land, and stay unanswered: whoever orders something else must wait for them.
    """
    if calls.filter(outcome=AttemptOutcome.ACCEPTED).exists():
        return 0
    oldest = calls.filter(outcome__in=UNANSWERED).order_by("pk").values("pk")[:1]
    return Attempt.objects.filter(pk__in=oldest).update(outcome=AttemptOutcome.ADOPTED, ended_at=db_now())


@transaction.atomic
def confirm(job: Job, azure_request_id: str) -> None:
    """First read-back that shows the target: no move, but on record."""
    change = fence(job)
    now = db_now()
    Change.objects.filter(pk=change.pk).update(confirmed_at=now, **_CALM)
    announce(change)
    tell_ledger(
        change,
        actor_for(change),
        "change.confirmed",
        after={"step": change.step, **job.step.for_ledger()},
        azure_request_id=azure_request_id,
    )


@transaction.atomic
def step_done(job: Job) -> None:
    """Second read-back: on to the next step, or done."""
    change = fence(job)
    Attempt.objects.filter(change=change, generation=job.generation, outcome=AttemptOutcome.ACCEPTED).update(
        outcome=AttemptOutcome.CONFIRMED
    )
    bake = job.facts.bake
    if job.facts.kind != Kind.ROLLBACK and (bake.wanted or bake.click or change.hold_wanted):
        now = db_now()
        fields = {"baked": 0.0, "baked_at": now, "measured_at": None, **_CALM}
        move(change=change, to=State.BAKING, actor=actor_for(change), reason="in force", **fields)
        return
    step_over(change, actor=actor_for(change))


@transaction.atomic
def baked(job: Job, seconds: float) -> None:
    """So many more seconds of the bake are over."""
    change = fence(job)
    rows = Change.objects.filter(pk=change.pk)
    rows.update(baked=F("baked") + seconds, baked_at=db_now(), waiting_for=BAKES, attention="")
    announce(change)


@transaction.atomic
def held(job: Job, hold: Hold, reason: str) -> None:
    """Stop here until a person says how it goes on."""
    change = fence(job)
    hold_here(change, hold=hold, reason=reason, actor=actor_for(change))


@transaction.atomic
def stepped_over(job: Job) -> None:
    """Baked and passed: the next step, or done."""
    step_over(fence(job), actor=actor_for(_the(job)))


@transaction.atomic
def step_skipped(job: Job, reason: str) -> None:
    """A rollback goes on without the instances that it asked for."""
    change = fence(job)
    step_over(change, actor=actor_for(change), reason=reason)


@transaction.atomic
def rolled_back_by_itself(job: Job, reason: str) -> None:
    """A gate failed: order the ordinary rollback to the base, in the name of nobody."""
    change = fence(job)
    order_automatic_rollback(change, reason=reason)


@transaction.atomic
def again(job: Job, reason: str) -> None:
    """The order did not take effect: apply once more, not at once."""
    change = fence(job)
    attempt = newest(job)
    if attempt:
        count = calls_of_step(job).count()
        attempt.outcome, attempt.retry_at = AttemptOutcome.NOT_APPLIED, db_now() + backoff(count)
        attempt.save(update_fields=["outcome", "retry_at"])
    move(change=change, to=State.APPLYING, actor=actor_for(change), reason=reason, confirmed_at=None)


@transaction.atomic
def drifted(job: Job, found: Split) -> None:
    """Stop: somebody else ordered this. The goal is given up; what happens next is a person's decision."""
    change = fence(job)
    _let_go(job)
    move(
        change=change,
        to=State.DRIFTED,
        actor=actor_for(change),
        reason="Azure shows a split that nobody here ordered",
        facts={"found": {"split": found.live, "mirror": found.mirror}, "ordered": job.step.for_ledger()},
        next_check_at=None,
        **_CALM,
    )


@transaction.atomic
def failed(job: Job, reason: str) -> None:
    """The step can't be applied."""
    change = fence(job)
    _let_go(job)
    _fail(change, reason)


def _fail(change: Change, reason: str) -> None:
    text = reason.replace("\x00", "")
    fields = {**_CALM, "waiting_for": text}
    move(change=change, to=State.FAILED, actor=actor_for(change), reason=text, **fields)


def _let_go(job: Job) -> None:
    """Nobody owns the split any more: whatever moves it from here on is drift, be it a late call of ours."""
    drop_goal(lock_lease(job.endpoint_id))
    cancel_all_expected(job.endpoint_id)


def waiting(job: Job, wait: Wait) -> None:
    """Say on the page what is waited for, and whether a person should look."""
    rows = Change.objects.filter(pk=job.change_id, ended_at__isnull=True, state=job.facts.state)
    rows = rows.exclude(waiting_for=wait.reason, attention=wait.attention)
    if rows.update(waiting_for=wait.reason, attention=wait.attention, next_check_at=wait.until):
        announce(_the(job))


@transaction.atomic
def stumbled(endpoint_id: int, text: str) -> None:
    """Count an unexpected error; too many in a row set the change aside for a while, and others go on."""
    change = (
        Change.objects.select_for_update(no_key=True)
        .filter(endpoint_id=endpoint_id, started_at__isnull=False, ended_at__isnull=True)
        .first()
    )
    if change is None:
        return
    change.failures = min(change.failures + 1, POISON)
    if change.failures >= POISON:
        change.next_check_at = db_now() + timedelta(seconds=scaled(ASIDE_SECONDS))
        change.attention = (
            f"Set aside after {POISON} unexpected errors, and tried again each minute: {text} "
            "Traffic stays as Azure reports it, and rolling back is possible."
        ).replace("\x00", "")
        announce(change)
    change.save(update_fields=["failures", "attention", "next_check_at"])


def recovered(job: Job) -> None:
    """It can be worked on again: errors count only in a row."""
    Change.objects.filter(pk=job.change_id, ended_at__isnull=True).update(failures=0)
