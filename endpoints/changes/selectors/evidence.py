"""What metrics say of a step that is in force, in the shape that gates look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from endpoints.changes.evidence import (
    Evidence,
    FigureEvidence,
    FigureSample,
    MinuteSample,
    combined,
)
from endpoints.changes.gatespec import GateSpec, Kind
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import Step, base_from_json, candidates, stables, steps_from_json
from endpoints.changes.terms import Terms
from endpoints.metrics.selectors import budget_at, figures_between, gate_minutes
from endpoints.metrics.selectors.figures import FigureMinute
from endpoints.metrics.selectors.gates import GateMinute

BEFORE = timedelta(hours=2)
"""How long before the change the stable deployments are looked at, to know what was red already."""


@dataclass(frozen=True, slots=True)
class StepEvidence:
    """Evidence of one step, of the minutes from `since` to `until`. `compared`: a stable one serves beside it."""

    evidence: Evidence
    since: datetime
    until: datetime
    compared: bool


def step_evidence(change: Change, revision: ChangeRevision, terms: Terms, now: datetime) -> StepEvidence:
    """Everything that is known by now of the step in force."""
    return evidence_between(
        change, revision, terms, step=change.step, began=change.confirmed_at or now, now=now
    )


def evidence_between(
    change: Change,
    revision: ChangeRevision,
    terms: Terms,
    *,
    step: int,
    began: datetime,
    now: datetime,
    budget_then: datetime | None = None,
) -> StepEvidence:
    """The same of a step that was in force from `began` on, as it was known at `now`.

    The latency budget is today's, or that of `budget_then`.
    """
    base, steps = base_from_json(revision.base), steps_from_json(revision.plan)
    watched, beside = candidates(base, steps), stables(base, steps)
    started = change.started_at or began
    minutes = gate_minutes(change.endpoint_id, [*watched, *beside], began, now)
    earlier = gate_minutes(change.endpoint_id, beside or list(base.split), started - BEFORE, started)
    until = minutes.read_until or minutes.since
    budget = budget_at(change.endpoint_id, budget_then)
    return StepEvidence(
        evidence=Evidence(
            candidate=_together(minutes.by_deployment, watched),
            stable=_together(minutes.by_deployment, beside),
            before=_together(earlier.by_deployment, earlier.by_deployment),
            expected_minutes=max(0, int((until - minutes.since).total_seconds() // 60)),
            budget_ms=budget.limits.p95_ms if budget else None,
            unreadable=minutes.unreadable,
            figures=_figures(change, terms, watched, beside, (began, now, started)),
        ),
        since=minutes.since,
        until=max(until, minutes.since),
        compared=_serves(steps[step], beside),
    )


def applies(spec: GateSpec, step: StepEvidence) -> bool:
    """Whether a gate can be asked in this step at all: with nothing beside the candidate there is no comparison."""
    return step.compared or not spec.against_stable


def _serves(step: Step, names: Iterable[str]) -> bool:
    return any(step.split.get(name) for name in names)


def _together(found: Mapping[str, tuple[GateMinute, ...]], names: Iterable[str]) -> tuple[MinuteSample, ...]:
    return combined([[_sample(minute) for minute in found.get(name, ())] for name in names])


def _sample(minute: GateMinute) -> MinuteSample:
    return MinuteSample(
        minute=minute.minute,
        requests=minute.requests,
        errors=minute.errors,
        throttled=minute.throttled,
        p95=minute.p95,
        cpu_max=minute.cpu_max,
        memory_max=minute.memory_max,
        gpu_max=minute.gpu_max,
    )


def _figures(
    change: Change,
    terms: Terms,
    watched: list[str],
    beside: list[str],
    times: tuple[datetime, datetime, datetime],
) -> dict[str, FigureEvidence]:
    names = {spec.figure for spec in terms.gates if spec.kind is Kind.FIGURE}
    return {name: _figure(change.endpoint_id, name, watched, beside, times) for name in sorted(names)}


def _figure(
    endpoint_id: int,
    name: str,
    watched: list[str],
    beside: list[str],
    times: tuple[datetime, datetime, datetime],
) -> FigureEvidence:
    began, now, started = times
    during = figures_between(endpoint_id, name, [*watched, *beside], began, now)
    before = figures_between(endpoint_id, name, beside, started - BEFORE, started)

    def samples(found: Mapping[str, tuple[FigureMinute, ...]], chosen: list[str]) -> tuple[FigureSample, ...]:
        sums: dict[datetime, tuple[float, float]] = {}
        for row in (row for one in chosen for row in found.get(one, ())):
            minute = row.minute
            count, total = sums.get(minute, (0.0, 0.0))
            sums[minute] = (count + row.count, total + row.total)
        return tuple(FigureSample(minute, *sums[minute]) for minute in sorted(sums))

    return FigureEvidence(
        candidate=samples(during.by_deployment, watched),
        stable=samples(during.by_deployment, beside),
        before=samples(before.by_deployment, beside),
        unreadable=during.unreadable,
    )
