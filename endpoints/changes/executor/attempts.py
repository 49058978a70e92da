"""Calls to Azure as rows: written before they are sent, ended when they are answered.

An answer is stored whatever happened to the goal meanwhile; only moves are fenced.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from endpoints.azure_gateway.records import Accepted
from endpoints.changes.decide import AttemptOutcome
from endpoints.changes.executor.jobs import Job, fence, scaled
from endpoints.changes.executor.lease import extend
from endpoints.changes.models import Attempt, Change
from endpoints.changes.plan import DELETES
from endpoints.changes.services.moves import actor_for, tell_ledger
from endpoints.core.ids import new_request_id, ref
from endpoints.dispatch import db_now
from endpoints.inventory.services import cancel_expected, expect_write

RETRY_CAP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Sent:
    """An attempt that was written down and may now be sent."""

    attempt_id: int
    request_id: str
    expected_id: int


@transaction.atomic
def open_attempt(job: Job, note: str = "") -> Sent:
    """Write the intent and stamp it, under the fence; the lease then outlasts the call."""
    change = fence(job)
    extend(job.endpoint_id)
    now = db_now()
    attempt = Attempt.objects.create(
        change=change,
        step=change.step,
        generation=job.generation,
        epoch=job.epoch,
        verb=job.step.verb,
        target=job.target_arm_id,
        intended=job.step.as_json(),
        request_id=new_request_id(),
        sent_at=now,
    )
    expected = _expect(job, change, attempt)
    tell_ledger(
        change,
        actor_for(change),
        "change.call.intended",
        after={
            "attempt": attempt.pk,
            "call": attempt.request_id,
            "epoch": job.epoch,
            **job.step.for_ledger(),
        }
        | ({"why": note} if note else {}),
    )
    return Sent(attempt.pk, attempt.request_id, expected)


def _expect(job: Job, change: Change, attempt: Attempt) -> int:
    """Announce what the mirror will read. Instances and autoscale are no drift of anybody: nothing to announce."""
    if job.step.verb not in ("put_split", *DELETES):
        return 0
    return expect_write(
        endpoint_id=job.endpoint_id,
        cause=ref("change", change.pk),
        attempt=ref("attempt", attempt.pk),
        verb=job.step.verb,
        traffic=job.step.split,
        mirror=job.step.mirror,
        seconds=settings.OPSPORTAL.attention_after_seconds * 2,
        deployment=job.step.deployment,
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that gave no success. `unknown`: it may have taken effect all the same. `wait`: Azure's wish, seconds."""

    unknown: bool
    status: int | None
    text: str
    azure_request_id: str = ""
    wait: float | None = None


def keep_answer(change: Change, sent: Sent, answer: Accepted) -> None:
    """Azure took the call. To be told to the ledger by the caller, last."""
    _end(
        sent,
        outcome=AttemptOutcome.ACCEPTED,
        status=answer.status,
        azure_request_id=answer.azure_request_id[:100],
        operation_uri=answer.operation_uri,
    )
    tell_ledger(
        change,
        actor_for(change),
        "change.call.accepted",
        after={"attempt": sent.attempt_id, "status": answer.status},
        azure_request_id=answer.azure_request_id,
    )


def keep_refusal(job: Job, change: Change, sent: Sent, refusal: Refusal) -> None:
    """The call gave no success."""
    count = calls_of_step(job).count()
    text = refusal.text.replace("\x00", "")
    _end(
        sent,
        outcome=AttemptOutcome.UNKNOWN if refusal.unknown else AttemptOutcome.REFUSED,
        status=refusal.status,
        azure_request_id=refusal.azure_request_id[:100],
        error=text,
        retry_at=db_now() + (backoff(count) if refusal.wait is None else timedelta(seconds=refusal.wait)),
    )
    if not refusal.unknown:
        cancel_expected(sent.expected_id)
    tell_ledger(
        change,
        actor_for(change),
        "change.call.unanswered" if refusal.unknown else "change.call.refused",
        after={"attempt": sent.attempt_id, "status": refusal.status, "why": text},
        azure_request_id=refusal.azure_request_id,
    )


def _end(sent: Sent, *, outcome: AttemptOutcome, **told: Any) -> None:
    """Keep what was answered; the outcome too, unless somebody judged it while nothing was known."""
    attempt = Attempt.objects.filter(pk=sent.attempt_id)
    attempt.update(ended_at=db_now(), **told)
    attempt.filter(outcome="").update(outcome=outcome)


def backoff(count: int) -> timedelta:
    """1, 2, 4 … 30 s after the first, second, third … call of this step."""
    return timedelta(seconds=scaled(min(RETRY_CAP_SECONDS, 2.0 ** min(count - 1, 10))))


def calls_of_step(job: Job) -> QuerySet[Attempt]:
    """The calls that this goal made for the step at work."""
    return Attempt.objects.filter(change_id=job.change_id, generation=job.generation, step=job.step_number)


def newest(job: Job) -> Attempt | None:
    """The last call of this step."""
    return calls_of_step(job).order_by("-pk").first()
