"""The gates of a step that is in force: measured on what metrics say now, written down, and folded into one word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from endpoints.changes.executor.jobs import Job, fence
from endpoints.changes.gates import Measurement as Measured
from endpoints.changes.gates import measure
from endpoints.changes.gatespec import GateSpec
from endpoints.changes.models import Change, ChangeRevision, GateOverride, Measurement
from endpoints.changes.selectors.evidence import StepEvidence, applies, step_evidence
from endpoints.changes.services.moves import actor_for, announce, tell_ledger
from endpoints.changes.standing import GateStanding, overall, standing
from endpoints.changes.terms import terms_from_json
from endpoints.changes.verdict import Outcome
from endpoints.dispatch import db_now

NOT_COMPARED = "No other deployment serves beside it in this step, so there is nothing to compare with."
ALL_OVERRIDDEN = "Every gate was overridden by a person."


@dataclass(frozen=True, slots=True)
class _Word:
    """All gates of a step together."""

    outcome: Outcome
    reason: str
    harm: str


def measure_gates(job: Job) -> None:
    """Ask every gate once. Metrics are read before the rows are locked: that may take a while."""
    change = Change.objects.get(pk=job.change_id)
    revision = ChangeRevision.objects.get(change=change, number=change.revision)
    terms = terms_from_json(revision.terms)
    step = step_evidence(change, revision, terms, db_now())
    measured = [_ask(spec, step) for spec in terms.gates]
    _keep(job, step, list(zip(terms.gates, measured, strict=True)))


def _ask(spec: GateSpec, step: StepEvidence) -> Measured:
    if applies(spec, step):
        return measure(spec, step.evidence)
    return Measured(spec.name, Outcome.INCONCLUSIVE, NOT_COMPARED, excused=True, dry_run=spec.dry_run)


@transaction.atomic
def _keep(job: Job, step: StepEvidence, measured: list[tuple[GateSpec, Measured]]) -> None:
    change, now = fence(job), db_now()
    # The same minutes are judged once: an executor that died in between finds its own words again.
    Measurement.objects.bulk_create(
        [
            Measurement(
                change=change,
                step=change.step,
                gate=spec.name,
                outcome=one.outcome,
                value=one.value,
                limit=one.limit,
                requests=one.requests,
                minutes=one.minutes,
                excused=one.excused,
                dry_run=one.dry_run,
                reason=one.reason,
                detail=one.detail,
                since=step.since,
                until=_until(one, step, now),
                at=now,
            )
            for spec, one in measured
            if step.until > step.since or one.outcome is Outcome.ERROR  # else there was nothing to look at
        ],
        ignore_conflicts=True,
    )
    word = _fold(change, [spec for spec, _ in measured])
    changed = word.outcome != change.gate_outcome
    Change.objects.filter(pk=change.pk).update(
        measured_at=now, gate_outcome=word.outcome, gate_reason=word.reason, gate_harm=word.harm
    )
    announce(change)
    if changed:
        tell_ledger(
            change,
            actor_for(change),
            "change.gates",
            before={"outcome": change.gate_outcome} if change.gate_outcome else None,
            after={"step": change.step, **asdict(word)},
        )


def _until(one: Measured, step: StepEvidence, now: datetime) -> datetime:
    """What could not be measured is told of the moment at which that was so, not of the minutes it did not see."""
    return max(now, step.since) if one.outcome is Outcome.ERROR else step.until


def _fold(change: Change, specs: Sequence[GateSpec]) -> _Word:
    """What all gates say together by every measurement of this step. An overridden one holds nothing any more."""
    overridden = set(GateOverride.objects.filter(change=change).values_list("gate", flat=True))
    stands = [_standing(change, spec) for spec in specs if spec.name not in overridden]
    if not stands:
        return _Word(Outcome.PASS, ALL_OVERRIDDEN, "")
    worst = overall(stands)
    harm = next((f"{one.name}: {one.reason}" for one in stands if one.harm), "")
    return _Word(worst.outcome, worst.reason, harm)


def _standing(change: Change, spec: GateSpec) -> GateStanding:
    rows = Measurement.objects.filter(change=change, step=change.step, gate=spec.name).order_by("until", "pk")
    return standing(spec, [_measured(row) for row in rows])


def _measured(row: Measurement) -> Measured:
    return Measured(
        gate=row.gate,
        outcome=Outcome(row.outcome),
        reason=row.reason,
        value=row.value,
        limit=row.limit,
        requests=row.requests,
        minutes=row.minutes,
        excused=row.excused,
        dry_run=row.dry_run,
    )
