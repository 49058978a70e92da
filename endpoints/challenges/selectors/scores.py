"""Confidence, high-risk share and scores of each model version that an endpoint's deployments had in a stretch.

Figures are counted by deployment and minute; which version a deployment had is the mirror's to say. Minutes in which
that was just changing, or that no reading covers, are of a version that is not certain, and stand apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from endpoints.challenges.measures import CONFIDENCE, HIGH_RISK, PREFIX
from endpoints.inventory import assets, timeline
from endpoints.inventory.models import Deployment, DeploymentRevision
from endpoints.inventory.selectors import covering
from endpoints.metrics.figures import ratio
from endpoints.metrics.selectors import FigureRow, figures

ENOUGH = 50
"""Observations below which a mean or a share says too little to be compared."""
_MINUTE = timedelta(minutes=1)
_MOST_FIGURES = 20
_SUMS = """
SELECT w.i, m.figure_id, sum(m.count), sum(m.total)
FROM unnest(%(places)s::int[], %(names)s::text[], %(since)s::timestamptz[], %(until)s::timestamptz[]) AS w (i, d, s, u)
JOIN LATERAL (
    SELECT figure_id, minute, count, total FROM metrics_figure_minute
    WHERE figure_id = ANY (%(figures)s::bigint[]) AND deployment = w.d AND minute >= w.s AND minute < w.u
    UNION
    SELECT k.figure_id, k.minute, k.count, k.total FROM metrics_kept_figure_minute k
    WHERE k.figure_id = ANY (%(figures)s::bigint[]) AND k.deployment = w.d AND k.minute >= w.s AND k.minute < w.u
    AND NOT EXISTS (SELECT FROM metrics_figure_minute f
        WHERE f.figure_id = k.figure_id AND f.deployment = k.deployment AND f.minute = k.minute)) m ON true
GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Sum:
    """`total` over `count` observations."""

    count: int = 0
    total: float = 0.0

    @property
    def value(self) -> float | None:
        return ratio(self.count, self.total)

    @property
    def is_enough(self) -> bool:
        return self.count >= ENOUGH


@dataclass(frozen=True, slots=True)
class VersionScores:
    """One model version in one deployment; `model` "" is a version that is not certain. `sums` by figure's name."""

    deployment: str
    model: str
    since: datetime
    until: datetime
    sums: Mapping[str, Sum]


@dataclass(frozen=True, slots=True)
class Scores:
    """`figures` in the order of columns; `rows` only where there was an observation."""

    figures: tuple[FigureRow, ...]
    rows: tuple[VersionScores, ...]


@dataclass(frozen=True, slots=True)
class _Model:
    name: str
    deleted: bool
    earliest: datetime | None
    latest: datetime
    known_at: datetime


@dataclass(frozen=True, slots=True)
class _Stretch:
    deployment: str
    model: str
    since: datetime
    until: datetime


def scores(endpoint_id: int, since: datetime, until: datetime) -> Scores:
    """The whole minutes of a stretch. Figures that the portal counts, also those that were ended meanwhile."""
    found = tuple(row for row in figures(endpoint_id, limit=_MOST_FIGURES).rows if _is_ours(row))
    rows = tuple(sorted(found, key=_column))
    lives = list(Deployment.objects.filter(endpoint_id=endpoint_id).select_related("endpoint").order_by("pk"))
    certain = [stretch for life in lives for stretch in _certain(life, since, until)]
    whole = [_Stretch(name, "", since, until) for name in dict.fromkeys(life.name_key for life in lives)]
    sums = _sums([row.id for row in rows], [*certain, *whole])
    names = {row.id: row.name for row in rows}
    shown = _joined(certain, sums[: len(certain)], names)
    rest = [
        _without(one, total, shown, names) for one, total in zip(whole, sums[len(certain) :], strict=True)
    ]
    kept = [row for row in (*shown, *rest) if any(each.count for each in row.sums.values())]
    return Scores(rows, tuple(sorted(kept, key=lambda row: (row.deployment, not row.model, row.since))))


def _is_ours(row: FigureRow) -> bool:
    named = row.name in (CONFIDENCE.name, HIGH_RISK.name) or row.name.startswith(PREFIX)
    return named and row.made_by.startswith("system:") and row.ended_at is None


def _column(row: FigureRow) -> tuple[int, str]:
    fixed = (CONFIDENCE.name, HIGH_RISK.name)
    return (fixed.index(row.name) if row.name in fixed else len(fixed), row.name)


def _certain(life: Deployment, since: datetime, until: datetime) -> list[_Stretch]:
    found = DeploymentRevision.objects.filter(deployment=life).order_by("latest", "pk")
    rows = found.values_list("state__model", "deleted", "earliest", "latest", "known_at")
    models = [_Model(assets.short(row[0] or ""), *row[1:]) for row in rows]
    spans = timeline.certain_spans(models, _same, covered_until=covering.of_newest_run(life).began)
    return [
        _Stretch(life.name_key, span.revision.name, max(since, span.since), min(until, span.until))
        for span in spans
        if span.since < until and span.until > since and not span.revision.deleted and span.revision.name
    ]


def _same(one: _Model, other: _Model) -> bool:
    return (one.name, one.deleted) == (other.name, other.deleted)


def _sums(figure_ids: Sequence[int], stretches: Sequence[_Stretch]) -> list[dict[int, Sum]]:
    """By stretch, the sums of each figure. A minute counts where it begins and ends."""
    found: list[dict[int, Sum]] = [{} for _ in stretches]
    if not figure_ids or not stretches:
        return found
    values: dict[str, Any] = {
        "figures": list(figure_ids),
        "places": list(range(len(stretches))),
        "names": [one.deployment for one in stretches],
        "since": [one.since for one in stretches],
        "until": [one.until - _MINUTE if one.model else one.until for one in stretches],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, values)
        for place, figure_id, count, total in cursor.fetchall():
            found[place][figure_id] = Sum(int(count), float(total))
    return found


def _joined(
    stretches: Sequence[_Stretch], sums: Sequence[Mapping[int, Sum]], names: Mapping[int, str]
) -> list[VersionScores]:
    """A version that a deployment had twice is one row."""
    rows: dict[tuple[str, str], VersionScores] = {}
    for one, found in zip(stretches, sums, strict=True):
        key = one.deployment, one.model
        before = rows.get(key)
        added = {
            names[figure_id]: Sum(
                each.count + (before.sums[names[figure_id]].count if before else 0),
                each.total + (before.sums[names[figure_id]].total if before else 0.0),
            )
            for figure_id, each in {number: found.get(number, Sum()) for number in names}.items()
        }
        since = min(one.since, before.since) if before else one.since
        until = max(one.until, before.until) if before else one.until
        rows[key] = VersionScores(one.deployment, one.model, since, until, added)
    return list(rows.values())


def _without(
    one: _Stretch, total: Mapping[int, Sum], shown: Sequence[VersionScores], names: Mapping[int, str]
) -> VersionScores:
    """What of a deployment's observations is of no version that is certain."""
    own = [row for row in shown if row.deployment == one.deployment]
    rest = {}
    for number, name in names.items():
        whole = total.get(number, Sum())
        known = [row.sums[name] for row in own]
        rest[name] = Sum(
            whole.count - sum(each.count for each in known), whole.total - sum(each.total for each in known)
        )
    return VersionScores(one.deployment, "", one.since, one.until, rest)
