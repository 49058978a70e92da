"""What other rooms have on record of one moment: the order behind a split, figures, the log, that day's confidences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db import connection

from endpoints.challenges import health
from endpoints.challenges.bypass import Bypass, estimate
from endpoints.challenges.confidence import ModelSpan, Place, place, same_model_around
from endpoints.challenges.health import Figures, Health
from endpoints.challenges.logspans import READ
from endpoints.challenges.models import LogReading
from endpoints.challenges.moment import GateThen, InForce, LogThen, Ordered, Served, SplitThen
from endpoints.challenges.seen import SeenRow
from endpoints.challenges.selectors.logs import logged_spans
from endpoints.changes.lifecycle import Kind
from endpoints.changes.selectors import approval_of
from endpoints.core.ids import ref, split_ref
from endpoints.inventory.selectors import deployments_between, models_between
from endpoints.metrics.selectors import budget_at, series
from endpoints.metrics.windows import Grain

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# On each side of the moment: long enough to count requests, short enough to be about it.
_AROUND = timedelta(minutes=30)
# The nearest records of the day on each side: a place among so many is known to within a percent or two.
_MOST_OTHERS = 1000
_OF_MINUTE = ("requests", "status_5xx", "model_errors", "status_429", "p95")
_OF_HOUR = (*_OF_MINUTE, "p95_max")
# By time alone, though rows have a day: with it the planner takes the nearest thousand for few, and sorts them all.
_SIDE = """
(SELECT confidence FROM challenges_prediction
WHERE endpoint_id = %(endpoint)s AND at {side} AND deployment = %(deployment)s
AND confidence IS NOT NULL AND key <> %(key)s
AND (%(known)s::timestamptz IS NULL OR least(caller_known_at, model_known_at, log_known_at) <= %(known)s)
ORDER BY at {order} LIMIT %(limit)s)
"""
_OTHERS = (
    _SIDE.format(side="<= %(at)s AND at >= %(since)s", order="DESC")
    + " UNION ALL "
    + _SIDE.format(side="> %(at)s AND at < %(until)s", order="ASC")
)


def ordered(cause: str, workspace_id: int, at: datetime, known: datetime | None) -> Ordered | None:
    """The change behind a split; None where no change of this workspace ordered it."""
    if not cause.startswith("change:"):
        return None
    found = approval_of(int(split_ref(cause)[1]), at=at, known=known)
    if found is None or found.workspace_id != workspace_id:
        return None
    return Ordered(
        number=found.change_id,
        kind=found.kind.value,
        author=_user(found.author_id),
        approvals=tuple((ref("user", one.reviewer_id), one.at) for one in found.approvals),
        needs_approval=found.kind is not Kind.ROLLBACK,
        is_emergency=found.emergency,
        started_by=_user(found.started_by_id),
        started_at=found.started_at,
        gates=tuple(GateThen(one.name, one.outcome, one.reason, one.at, one.dry_run) for one in found.gates),
        overridden=found.overridden,
        reviewed_after_by=_user(found.reviewed_after_by),
    )


def log_then(endpoint_id: int, at: datetime, known: datetime | None) -> LogThen:
    """How the log of that moment was read. Mostly it was, and that is all there is to be known."""
    read = LogReading.objects.filter(endpoint_id=endpoint_id, since__lte=at, until__gt=at, outcome=READ)
    if known is not None:
        read = read.filter(known_at__lte=known)
    if read.exists():
        return LogThen(READ)
    (span,) = logged_spans(endpoint_id, at, at + timedelta.resolution, known=known)
    return LogThen(span.outcome, span.reason)


def health_then(endpoint_id: int, names: Mapping[int, str], at: datetime) -> Health:
    """Figures of deployments by id, as known now: since when a minute is known is not kept."""
    minute = at.replace(second=0, microsecond=0)
    figures: dict[str, Figures] = {}
    minutes = _figures(names, minute, Grain.MINUTE, _OF_MINUTE, at)
    lacking = [each for each in names if health.of_minute(minutes[each]).is_empty]
    hours = _figures(lacking, minute.replace(minute=0), Grain.HOUR, _OF_HOUR, at)
    for each, name in names.items():
        hour = health.of_hour(hours[each]) if each in hours else None
        found = health.finest(health.of_minute(minutes[each]), hour)
        if name not in figures or not found.is_empty:
            figures[name] = found
    budget = budget_at(endpoint_id, at)
    limits = budget.limits if budget else None
    return Health(
        figures,
        budget_p95=limits.p95_ms if limits else None,
        budget_failures=limits.failure_share if limits else None,
        minute=minute,
    )


def _figures(
    ids: Mapping[int, str] | Sequence[int],
    begin: datetime,
    grain: Grain,
    columns: Sequence[str],
    now: datetime,
) -> dict[int, dict[str, float | None]]:
    if not ids:
        return {}
    found = series(ids, since=begin, until=begin + grain.step, grain=grain, columns=columns, now=now)
    return {each: {name: values[0] for name, values in found.by_deployment[each].items()} for each in ids}


def bypass_then(endpoint_id: int, split: SplitThen, in_force: InForce | None, at: datetime) -> Bypass | None:
    """Over the minutes around, while this split was certainly in force; hours would say too little."""
    if in_force is None:
        return None
    begin = max(at - _AROUND, in_force.latest)
    end = min(at + _AROUND, in_force.until or at + _AROUND)
    since = begin.replace(second=0, microsecond=0) + (
        _MINUTE if begin.second or begin.microsecond else timedelta()
    )
    until = end.replace(second=0, microsecond=0)
    if since >= until:
        return None
    lives = deployments_between(endpoint_id, since=since, until=until)
    found = series(
        [life.id for life in lives],
        since=since,
        until=until,
        grain=Grain.MINUTE,
        columns=("requests",),
        now=at,
    )
    requests: dict[str, float] = {}
    for life in lives:
        counts = [one for one in found.by_deployment[life.id]["requests"] if one is not None]
        if counts:
            requests[life.name_key] = requests.get(life.name_key, 0.0) + sum(counts)
    weights = split.splits[0]
    return estimate(requests, weights.live, weights.mirror) if requests else None


def place_then(row: SeenRow, answering: Sequence[Served], known: datetime | None) -> Place | None:
    """Among records of that day that one and the same deployment answered with the same model."""
    if len(answering) != 1 or row.confidence is None:
        return None
    begin = datetime.combine(row.at.astimezone(UTC).date(), time(), UTC)
    spans = [
        ModelSpan(one.model, one.earliest, one.latest)
        for one in models_between(answering[0].id, begin, begin + _DAY, known=known)
    ]
    since, until = same_model_around(spans, row.at, begin, begin + _DAY)
    if since >= until:
        return None
    values: dict[str, Any] = {
        "endpoint": row.endpoint_id,
        "deployment": answering[0].name.lower(),
        "key": row.key,
        "at": row.at,
        "since": since,
        "until": until,
        "known": known,
        "limit": _MOST_OTHERS + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS, values)
        others = [confidence for (confidence,) in cursor.fetchall()]
    return place(row.confidence, others, is_all=len(others) <= _MOST_OTHERS)


def _user(number: int | None) -> str:
    return ref("user", number) if number is not None else ""
