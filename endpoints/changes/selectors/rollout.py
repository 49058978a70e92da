"""Where a walked plan stands: its terms, the bake, what each gate said, who overrode what, what holds it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from endpoints.changes.lifecycle import PLANNED_HOLDS, Hold, State
from endpoints.changes.models import Change, ChangeRevision, GateOverride, Measurement
from endpoints.changes.plan import Step
from endpoints.changes.terms import Terms, terms_from_json
from endpoints.changes.verdict import Outcome

MOST_MEASUREMENTS = 500


@dataclass(frozen=True, slots=True)
class BakeView:
    """The step in force. Seconds; `ends_at`: when it has baked if nothing comes between, None while nothing counts."""

    wanted: float
    baked: float
    ends_at: datetime | None
    watch: bool

    @property
    def share(self) -> float:
        return min(1.0, self.baked / self.wanted) if self.wanted else 1.0


@dataclass(frozen=True, slots=True)
class GateView:
    """One gate as it was measured last in the step at work; `outcome` None: not yet. `limit` as in its measurement."""

    name: str
    kind: str
    dry_run: bool
    outcome: Outcome | None
    reason: str
    value: float | None
    limit: float | None
    requests: float | None
    minutes: int
    excused: bool
    overridden_by: int | None
    at: datetime | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement in the change's life."""

    id: int
    step: int
    gate: str
    outcome: Outcome
    reason: str
    value: float | None
    limit: float | None
    requests: float | None
    excused: bool
    dry_run: bool
    until: datetime
    at: datetime
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Overridden:
    """A person's word against a gate."""

    gate: str
    step: int
    by_id: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Rollout:
    """`step` is the one at work, counted from 0. `gates_outcome` is all gates together, None before the first time."""

    terms: Terms
    step: int
    bake: BakeView | None
    hold: Hold | None
    hold_reason: str
    hold_wanted: bool
    held_at: datetime | None
    gates: tuple[GateView, ...]
    gates_outcome: Outcome | None
    gates_reason: str
    next_measurement: datetime | None
    overrides: tuple[Overridden, ...]
    emergency: bool
    start_at: datetime | None
    scheduled_by: int | None
    warm_until: datetime | None

    @property
    def needs_person(self) -> bool:
        """Whether it is held for something that was not planned."""
        return self.hold is not None and self.hold not in PLANNED_HOLDS


def rollout_of(revision: ChangeRevision, steps: tuple[Step, ...], *, every: float) -> Rollout:
    """Where the change of this content stands. `every`: seconds between two measurements."""
    change, terms = revision.change, terms_from_json(revision.terms)
    overrides = tuple(
        Overridden(row.gate, row.step, row.by_id, row.reason, row.at)
        for row in GateOverride.objects.filter(change=change).order_by("pk")
    )
    return Rollout(
        terms=terms,
        step=change.step,
        bake=bake_of(change, terms, steps),
        hold=Hold(change.hold) if change.hold else None,
        hold_reason=change.waiting_for if change.hold else "",
        hold_wanted=change.hold_wanted,
        held_at=change.held_at,
        gates=_gates(change, terms, overrides),
        gates_outcome=Outcome(change.gate_outcome) if change.gate_outcome else None,
        gates_reason=change.gate_reason,
        next_measurement=_next(change, terms, every),
        overrides=overrides,
        emergency=change.emergency,
        start_at=change.start_at,
        scheduled_by=change.scheduled_by_id,
        warm_until=change.warm_until,
    )


def bake_of(change: Change, terms: Terms, steps: tuple[Step, ...]) -> BakeView | None:
    """The step in force; None while none is."""
    if change.state not in (State.BAKING, State.HELD) or change.confirmed_at is None:
        return None
    last = change.step + 1 == len(steps)
    wanted = float(steps[change.step].bake + (terms.watch if last else 0))
    left = wanted - change.baked
    counts = change.state == State.BAKING and change.baked_at is not None and left > 0
    return BakeView(
        wanted=wanted,
        baked=min(change.baked, wanted),
        ends_at=change.baked_at + timedelta(seconds=left) if counts and change.baked_at else None,
        watch=last and terms.watch > 0,
    )


def _next(change: Change, terms: Terms, every: float) -> datetime | None:
    if not terms.gates or change.state not in (State.BAKING, State.HELD) or change.measured_at is None:
        return None
    return change.measured_at + timedelta(seconds=every)


def _gates(change: Change, terms: Terms, overrides: tuple[Overridden, ...]) -> tuple[GateView, ...]:
    newest: dict[str, Measurement] = {}
    if terms.gates and change.started_at:
        rows = Measurement.objects.filter(change=change, step=change.step)
        newest = {row.gate: row for row in rows.order_by("gate", "-until").distinct("gate")}
    by = {one.gate: one.by_id for one in overrides}
    return tuple(
        _gate(spec.name, spec.kind.value, spec.dry_run, newest.get(spec.name), by.get(spec.name))
        for spec in terms.gates
    )


def _gate(name: str, kind: str, dry_run: bool, row: Measurement | None, by: int | None) -> GateView:
    if row is None:
        return GateView(name, kind, dry_run, None, "", None, None, None, 0, False, by, None, {})
    return GateView(
        name=name,
        kind=kind,
        dry_run=dry_run,
        outcome=Outcome(row.outcome),
        reason=row.reason,
        value=row.value,
        limit=row.limit,
        requests=row.requests,
        minutes=row.minutes,
        excused=row.excused,
        overridden_by=by,
        at=row.at,
        detail=row.detail,
    )


def measurements_of(
    change_id: int, *, before: int | None = None, limit: int = MOST_MEASUREMENTS
) -> list[Measured]:
    """What gates said, newest first; of a change that the caller may see."""
    rows = Measurement.objects.filter(change=change_id)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [
        Measured(
            row.pk,
            row.step,
            row.gate,
            Outcome(row.outcome),
            row.reason,
            row.value,
            row.limit,
            row.requests,
            row.excused,
            row.dry_run,
            row.until,
            row.at,
            row.detail,
        )
        for row in rows.order_by("-pk")[:limit]
    ]
