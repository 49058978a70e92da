"""Figures and splits around a request, as charts and as a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from endpoints.challenges.pack.parts import Chart, Line
from endpoints.challenges.words import moment
from endpoints.inventory.selectors import DeploymentLife, SplitSpan, deployments_between, split_spans
from endpoints.metrics.selectors import Series, series
from endpoints.metrics.windows import Grain

_DAY = timedelta(days=1)
_AROUND = {Grain.MINUTE: timedelta(minutes=30), Grain.HOUR: timedelta(hours=24)}
_SAMPLES = timedelta(minutes=10)
MOST_LINES = 4
_FIGURES = (
    ("latency", "Latency, 95th percentile", "ms", {Grain.MINUTE: "p95", Grain.HOUR: "p95_max"}),
    ("requests", "Requests", "requests", {Grain.MINUTE: "requests", Grain.HOUR: "requests"}),
    ("errors", "Answers with a server's error", "requests", {Grain.MINUTE: "status_5xx", Grain.HOUR: "status_5xx"}),
)  # fmt: skip
_NAMES = {Grain.MINUTE: "each minute", Grain.HOUR: "the worst minute or the sum of each hour"}


@dataclass(frozen=True, slots=True)
class Charts:
    """`grain` of the figures: "minute", "hour", or "" when none are on record."""

    charts: tuple[Chart, ...]
    grain: str


def no_charts() -> Charts:
    return Charts((), "")


def splits_around(endpoint_id: int, at: datetime) -> dict[str, Any]:
    """The splits that were certainly in force a day before and after, and the deployments that there were."""
    since, until = at - _DAY, at + _DAY
    return {
        "since": moment(since),
        "until": moment(until),
        "spans": [
            {
                "since": moment(one.since),
                "until": moment(one.until),
                "traffic": one.traffic,
                "mirror_traffic": one.mirror_traffic,
            }
            for one in split_spans(endpoint_id, since=since, until=until)
        ],
        "deployments": [
            {
                "id": one.id,
                "name": one.name,
                "azure_created_at": moment(one.azure_created_at) if one.azure_created_at else None,
                "first_seen_at": moment(one.first_seen_at),
                "deleted_at": moment(one.deleted_at) if one.deleted_at else None,
            }
            for one in deployments_between(endpoint_id, since=since, until=until)
        ],
    }


def charts_around(endpoint_id: int, at: datetime) -> Charts:
    """Figures by the minute where they are kept, else by the hour; and the split of the two days around."""
    splits = _split_chart(split_spans(endpoint_id, since=at - _DAY, until=at + _DAY), at)
    for grain in (Grain.MINUTE, Grain.HOUR):
        around = _AROUND[grain]
        lives = deployments_between(endpoint_id, since=at - around, until=at + around)[:MOST_LINES]
        columns = tuple(dict.fromkeys(names[grain] for *_, names in _FIGURES))
        found = series(
            [one.id for one in lives], since=at - around, until=at + around, grain=grain, columns=columns
        )
        if any(
            value is not None for one in found.by_deployment.values() for row in one.values() for value in row
        ):
            return Charts((*_figure_charts(found, lives, at), *splits), grain.value)
    return Charts(splits, "")


def _figure_charts(found: Series, lives: Sequence[DeploymentLife], at: datetime) -> list[Chart]:
    return [
        Chart(
            name,
            title,
            unit,
            found.times,
            tuple(
                Line(_called(one, lives), found.by_deployment[one.id][columns[found.grain]]) for one in lives
            ),
            mark=at,
            source=f"Azure's figures, {_NAMES[found.grain]}; gaps are not known.",
        )
        for name, title, unit, columns in _FIGURES
    ]


def _called(life: DeploymentLife, lives: Sequence[DeploymentLife]) -> str:
    """Its name; of two that had one name after each other, with when it was made."""
    if sum(one.name_key == life.name_key for one in lives) == 1:
        return life.name
    return f"{life.name} of {life.azure_created_at or life.first_seen_at:%m-%d %H:%M}"


def _split_chart(spans: Sequence[SplitSpan], at: datetime) -> tuple[Chart, ...]:
    names = sorted({name for span in spans for name in span.traffic})
    if not names:
        return ()
    times = tuple(at - _DAY + place * _SAMPLES for place in range(2 * _DAY // _SAMPLES + 1))
    lines = tuple(
        Line(name, tuple(_weight(spans, name, time) for time in times)) for name in names[:MOST_LINES]
    )
    source = "What Azure had in force, as it was read; gaps: it was being changed, or nobody read it."
    return (
        Chart(
            "split", "Share of live traffic", "percent", times, lines, mark=at, source=source, is_stepped=True
        ),
    )


def _weight(spans: Sequence[SplitSpan], name: str, time: datetime) -> float | None:
    traffic: Mapping[str, int] | None = next(
        (span.traffic for span in spans if span.since <= time < span.until), None
    )
    return None if traffic is None else float(traffic.get(name, 0))
