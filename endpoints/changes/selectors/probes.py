"""An endpoint's sample request, and what direct requests to its deployments came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models.functions import Now

from endpoints.changes.models import Probe, Sample
from endpoints.changes.plan import Base, Step, candidates, stables
from endpoints.changes.probing import Direct, Probed
from endpoints.changes.verdict import Outcome


@dataclass(frozen=True, slots=True)
class SampleView:
    """The sample that counts. `body` "" : the probing was ended."""

    id: int
    body: str
    secret_uri: str
    answer_schema: Mapping[str, Any]
    set_by_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ProbeView:
    """One direct request and what came of it. `shape`: of its answer, {} when there was none. No answer is kept."""

    id: int
    deployment: str
    change_id: int | None
    outcome: Outcome
    status: int | None
    seconds: float | None
    shape: Mapping[str, Any] = field(repr=False)
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ProbePage:
    """Probes, newest first. `next_before` asks for the page after this one; None on the last one."""

    rows: tuple[ProbeView, ...]
    next_before: int | None


def sample_of(endpoint_id: int) -> SampleView | None:
    """The endpoint's sample; None when none is set, or not any more. Of an endpoint that the caller may see."""
    row = Sample.objects.filter(endpoint_id=endpoint_id).order_by("-pk").first()
    if row is None or not row.body:
        return None
    return SampleView(row.pk, row.body, row.secret_uri, row.answer_schema, row.set_by_id, row.at)


def newest_probes(endpoint_id: int) -> dict[str, ProbeView]:
    """The newest probe of each deployment, by lower-case name."""
    rows = Probe.objects.filter(endpoint_id=endpoint_id).order_by("deployment", "-pk").distinct("deployment")
    return {row.deployment: _view(row) for row in rows}


def direct_of(endpoint_id: int, base: Base, steps: tuple[Step, ...]) -> Direct:
    """What asking a plan's deployments told. Answers to an earlier sample do not count."""
    sample = sample_of(endpoint_id)
    return Direct(
        sampled=sample is not None,
        candidates=candidates(base, steps),
        stables=stables(base, steps),
        probes=_counting(endpoint_id, sample.id) if sample else {},
        wanted=sample.answer_schema if sample else {},
    )


def _counting(endpoint_id: int, sample_id: int) -> dict[str, Probed]:
    rows = Probe.objects.filter(endpoint_id=endpoint_id, sample=sample_id).annotate(now=Now())
    return {
        row.deployment: Probed(
            Outcome(row.outcome), row.reason, (row.now - row.at).total_seconds(), row.shape
        )
        for row in rows.order_by("deployment", "-pk").distinct("deployment")
    }


def probes(endpoint_id: int, *, before: int | None = None, limit: int = 50) -> ProbePage:
    """What was asked of an endpoint's deployments, newest first."""
    found = Probe.objects.filter(endpoint_id=endpoint_id)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = [_view(row) for row in found.order_by("-pk")[: limit + 1]]
    more = len(rows) > limit
    return ProbePage(tuple(rows[:limit]), rows[limit - 1].id if more else None)


def _view(row: Probe) -> ProbeView:
    return ProbeView(
        row.pk,
        row.deployment,
        row.change_id,
        Outcome(row.outcome),
        row.status,
        row.seconds,
        row.shape,
        row.reason,
        row.at,
    )
