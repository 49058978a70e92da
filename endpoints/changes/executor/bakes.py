"""A change's bake as the decider needs it: out of its row, its plan and its terms."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from endpoints.changes.decide import Bake, Gates
from endpoints.changes.lifecycle import Hold
from endpoints.changes.models import Change, Measurement
from endpoints.changes.plan import Step
from endpoints.changes.terms import OnFailure, Terms
from endpoints.changes.verdict import Outcome


def bake_of(change: Change, terms: Terms, steps: tuple[Step, ...]) -> Bake:
    """The last step bakes for its own time and the watch together."""
    step = steps[change.step]
    last = change.step + 1 == len(steps)
    return Bake(
        wanted=float(step.bake + (terms.watch if last else 0)),
        baked=change.baked,
        baked_at=change.baked_at,
        click=step.click,
        gates=_gates(change, terms),
        automatic=terms.on_failure is OnFailure.ROLL_BACK,
        hold=Hold(change.hold) if change.hold else None,
        overtime_at=_overtime_at(change, terms),
    )


def _gates(change: Change, terms: Terms) -> Gates:
    measured = change.measured_at
    return Gates(
        count=len(terms.gates),
        outcome=Outcome(change.gate_outcome) if change.gate_outcome else None,
        reason=change.gate_reason,
        harm=change.gate_harm,
        measured_at=measured,
        until=_seen_until(change) if measured else None,
        due_at=measured + timedelta(seconds=settings.OPSPORTAL.gate_seconds) if measured else None,
    )


def _seen_until(change: Change) -> datetime | None:
    """The end of what the last measurement of this step looked at."""
    seen = Measurement.objects.filter(change=change, step=change.step).exclude(outcome=Outcome.ERROR)
    newest = seen.order_by("-until")
    return newest.values_list("until", flat=True).first()


def _overtime_at(change: Change, terms: Terms) -> datetime | None:
    if not terms.longest or change.started_at is None:
        return None
    return change.started_at + timedelta(seconds=terms.longest + change.held_seconds)
