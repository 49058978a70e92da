"""Measured values of an endpoint: series, rows, the newest minute, minutes over budget, the observed split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.api.fields import NAME, StrictQuery
from endpoints.api.metric_shapes import (
    UNITS,
    LatestOut,
    ObservedOut,
    OverBudgetOut,
    RowListOut,
    SeriesOut,
    brief,
    limits,
    share,
)
from endpoints.api.operation import Call, operation
from endpoints.api.paging import LARGEST_PAGE, page
from endpoints.api.rules import on_workspace
from endpoints.api.shapes import named
from endpoints.api.view import ApiView
from endpoints.core.errors import Invalid, NotFound
from endpoints.dispatch import db_now
from endpoints.inventory import selectors as inventory
from endpoints.inventory.selectors import DeploymentLife, EndpointPage
from endpoints.metrics import selectors as metrics
from endpoints.metrics.observed import Observed
from endpoints.metrics.selectors import Series as Found
from endpoints.metrics.windows import MOST_STEPS, RANGES, Grain, Window, window

# In an answer; a deployment's day of minutes with all columns is 27,360.
_MOST_VALUES = 1_000_000


class WindowQuery(StrictQuery):
    """Query of everything that is about a stretch of time."""

    range = serializers.ChoiceField(
        choices=list(RANGES),
        required=False,
        help_text="Up to now; without any of the three, the last 24 hours.",
    )
    since = serializers.DateTimeField(required=False, help_text="The first moment; not together with range.")
    until = serializers.DateTimeField(required=False, help_text="The end, without it now.")


class SeriesQuery(WindowQuery):
    """Query of series."""

    grain = serializers.ChoiceField(
        choices=list(Grain), required=False, help_text="Without it, the finest that serves the stretch."
    )
    columns = serializers.CharField(
        required=False,
        max_length=500,
        help_text="Names with commas between them; without it all of the grain.",
    )
    deployment = serializers.RegexField(
        NAME.pattern,
        required=False,
        help_text="Only this one; without it all that were there in the stretch.",
    )


class RowsQuery(SeriesQuery):
    """Query of rows."""

    limit = serializers.IntegerField(
        min_value=1, max_value=LARGEST_PAGE, default=50, help_text="How many at most."
    )
    cursor = serializers.RegexField(
        r"^(minute|hour|day)\.[0-9]{1,10}\.[0-9]{1,10}\.[0-9]{1,18}$",
        required=False,
        help_text="Where the page begins, and in which stretch; `next` has it.",
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call is about: the endpoint, the stretch, and the deployments that were there in it."""

    endpoint: EndpointPage
    window: Window
    lives: tuple[DeploymentLife, ...]

    @property
    def ids(self) -> list[int]:
        return [life.id for life in self.lives]


class Series(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/metrics`."""

    @operation(
        on_workspace(Action.VIEW),
        name="metrics_series",
        summary="Series of an endpoint",
        query=SeriesQuery,
        answers={200: SeriesOut},
    )
    def get(self, call: Call, name: str) -> Response:
        """Every step of a stretch for each deployment, as arrays. Percentiles are a minute's; those of an hour or a day
        are its median minute's, with the worst in `p95_max`: none is averaged."""
        asked = _asked(call, name)
        found = _series(call, asked, call.query.get("grain"))
        return Response(
            {
                "workspace": asked.endpoint.workspace,
                "endpoint": asked.endpoint.name,
                "grain": found.grain,
                "start": found.times[0],
                "step_seconds": int(found.grain.step.total_seconds()),
                "count": len(found.times),
                "known_until": found.known_until,
                "units": {column: UNITS[column] for column in _columns(call, found.grain)},
                "deployments": [_deployment(life, found) for life in asked.lives],
            }
        )


class Rows(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/metrics/rows`."""

    @operation(
        on_workspace(Action.VIEW),
        name="metrics_rows",
        summary="Values of an endpoint as rows",
        query=RowsQuery,
        answers={200: RowListOut},
    )
    def get(self, call: Call, name: str) -> Response:
        """The same as rows, for programs that read line by line. `next` keeps the stretch that the first page had."""
        place = _Place.parse(call.query["cursor"]) if "cursor" in call.query else None
        asked = _asked(call, name, place.window if place else None)
        found = _series(call, asked, place.grain if place else call.query.get("grain"))
        rows = _rows(found, asked.lives, place)
        limit = call.query["limit"]
        items = [
            {"time": time, "deployment": life.name, "values": values} for time, life, values in rows[:limit]
        ]
        cursor = None
        if len(rows) > limit:
            last, life, _ = rows[limit - 1]
            cursor = str(_Place(found.grain, Window(last, asked.window.until), life.id))
        return Response(page(call.request, items, cursor=cursor) | {"grain": found.grain})


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page of rows begins: in which stretch, by which grain, and after which deployment of its first step."""

    grain: Grain
    window: Window
    after: int

    def __str__(self) -> str:
        since, until = (int(moment.timestamp()) for moment in (self.window.since, self.window.until))
        return f"{self.grain}.{since}.{until}.{self.after}"

    @classmethod
    def parse(cls, cursor: str) -> _Place:
        grain, *numbers = cursor.split(".")
        since, until, after = map(int, numbers)
        if since >= until:
            raise Invalid({"cursor": ["This page of the list does not exist; start at the first one."]})
        begin, end = (datetime.fromtimestamp(second, UTC) for second in (since, until))
        return cls(Grain(grain), Window(begin, end), after)


class Latest(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/metrics/latest`."""

    @operation(
        on_workspace(Action.VIEW),
        name="metrics_latest",
        summary="The newest minute of an endpoint",
        answers={200: LatestOut},
    )
    def get(self, call: Call, name: str) -> Response:
        """The newest values, and in `state` and `reason` why there may be none. Not paged: Azure allows 20."""
        endpoint = inventory.endpoint_page(call.workspace.id, name)
        rows = metrics.latest([row.id for row in endpoint.deployments])
        items = [
            {"deployment": row.name, "weight": row.weight, **_newest(rows.get(row.id))}
            for row in endpoint.deployments
        ]
        return Response({"endpoint": brief(metrics.briefs([endpoint.id])[endpoint.id]), "items": items})


class OverBudget(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/metrics/over-budget`."""

    @operation(
        on_workspace(Action.VIEW),
        name="metrics_over_budget",
        summary="Minutes over budget",
        query=WindowQuery,
        answers={200: OverBudgetOut},
    )
    def get(self, call: Call, name: str) -> Response:
        """Each minute against the budget that was in force in it. Not paged: it has as many items as deployments."""
        asked = _asked(call, name)
        since, until = asked.window.since, asked.window.until
        shares = metrics.over_budget(asked.endpoint.id, asked.ids, since=since, until=until)
        budgets = metrics.budgets_between(asked.endpoint.id, since, until)
        names = named(ref for row in budgets for ref in (row.set_by, row.confirmed_by) if ref)
        return Response(
            {
                "since": since,
                "until": until,
                "budgets": [limits(row, names) for row in budgets],
                "items": [share(life.name, shares[life.id]) for life in asked.lives],
            }
        )


class ObservedSplit(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/metrics/observed`."""

    @operation(
        on_workspace(Action.VIEW),
        name="metrics_observed",
        summary="The observed split",
        query=WindowQuery,
        answers={200: ObservedOut},
    )
    def get(self, call: Call, name: str) -> Response:
        """Shares of real requests beside the split in force at each time, with a verdict at a stated error rate."""
        asked = _asked(call, name)
        found = metrics.observed_split(asked.endpoint.id, since=asked.window.since, until=asked.window.until)
        compared = found.comparison
        return Response(
            {
                "since": found.since,
                "until": found.until,
                "verdict": compared.verdict,
                "reason": compared.reason,
                "requests": compared.requests,
                "ordered": found.ordered.traffic if found.ordered else None,
                "used_minutes": found.used_minutes,
                "changing_minutes": found.changing_minutes,
                "unknown_minutes": found.unknown_minutes,
                "false_alarms": found.false_alarms,
                "deployments": [_observed(row) for row in compared.deployments],
                "mirrored": [_observed(row) for row in compared.mirrored],
            }
        )


def _asked(call: Call, name: str, chosen: Window | None = None) -> Asked:
    query = call.query
    chosen = chosen or window(
        db_now(), name=query.get("range", ""), since=query.get("since"), until=query.get("until")
    )
    endpoint = inventory.endpoint_page(call.workspace.id, name)
    lives = inventory.deployments_between(endpoint.id, since=chosen.since, until=chosen.until)
    only = query.get("deployment", "").lower()
    if only and not any(life.name_key == only for life in lives):
        raise NotFound(f"{name} had no deployment {query['deployment']} in that time.")
    return Asked(endpoint, chosen, tuple(life for life in lives if only in ("", life.name_key)))


def _series(call: Call, asked: Asked, grain: str | None) -> Found:
    chosen = asked.window
    step = Grain(grain) if grain else metrics.finest_grain(chosen.since, chosen.until, db_now())
    columns = _columns(call, step)
    steps = min(MOST_STEPS, chosen.length // step.step + 1)
    if len(asked.lives) * len(columns) * steps > _MOST_VALUES:
        raise Invalid(
            f"More than {_MOST_VALUES:,} values; ask for one deployment, fewer columns or less time."
        )
    return metrics.series(asked.ids, since=chosen.since, until=chosen.until, grain=step, columns=columns)


def _columns(call: Call, grain: Grain) -> Sequence[str]:
    given = call.query.get("columns")
    return metrics.COLUMNS[grain] if given is None else [name.strip() for name in given.split(",")]


def _deployment(life: DeploymentLife, found: Found) -> dict[str, Any]:
    coverage = found.coverage[life.id]
    return {
        "name": life.name,
        "deleted_at": life.deleted_at,
        "known_minutes": coverage.known,
        "of_minutes": coverage.of,
        "values": found.by_deployment[life.id],
    }


def _rows(
    found: Found, lives: Sequence[DeploymentLife], place: _Place | None
) -> list[tuple[datetime, DeploymentLife, dict[str, float | None]]]:
    """Rows in which anything is known, by time and then by deployment's number, from a place on."""
    ordered = sorted(lives, key=lambda life: life.id)
    columns = {life.id: found.by_deployment[life.id] for life in ordered}
    rows = []
    for number, time in enumerate(found.times):
        for life in ordered:
            if place and number == 0 and life.id <= place.after:
                continue
            values = {name: column[number] for name, column in columns[life.id].items()}
            if any(value is not None for value in values.values()):
                rows.append((time, life, values))
    return rows


def _newest(row: metrics.LatestRow | None) -> dict[str, Any]:
    return {name: getattr(row, name, None) for name in _LATEST}


_LATEST = (
    "minute",
    "age_seconds",
    "requests",
    "p50",
    "p95",
    "p99",
    "cpu_max",
    "memory_max",
    "gpu_max",
    "instances",
    "hour_minutes",
    "hour_requests",
    "hour_failures",
    "hour_throttled",
    "hour_p95_max",
    "over_budget",
)


def _observed(row: Observed) -> dict[str, Any]:
    return {
        "deployment": row.name,
        "requests": row.requests,
        "ordered": row.ordered,
        "share": row.share,
        "low": row.low,
        "high": row.high,
        "verdict": row.verdict,
        "direct_requests": row.direct,
        "direct_estimate": row.direct_estimate,
    }
