"""The points of one series to columns of minutes. Pure, and at the speed of C where every point is clean.

A value that can't be true becomes None, a point that can't be placed is dropped, both are counted; a minute
that Azure did not name stays missing. Nothing becomes a zero.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from datetime import UTC, datetime
from operator import itemgetter, lt
from typing import Any

from endpoints.azure_gateway.metrics_troubles import (
    CONTRADICTED,
    IMPOSSIBLE,
    NO_MINUTE,
    NO_POINT,
    NOT_ASKED,
    UNREADABLE_TIME,
    Key,
    Troubles,
)
from endpoints.azure_gateway.records import MetricQuery, MetricSeries

Values = tuple[float | None, ...]
Columns = dict[str, Values]

_MINUTE = 60
_NUMBERS = frozenset({int, float})
_stamp_of = itemgetter("timeStamp")


class Minutes:
    """Points to columns, for one query. Series of one answer mostly share their timestamps: so do we."""

    def __init__(self, query: MetricQuery, troubles: Troubles) -> None:
        self._since, self._until = int(query.since.timestamp()), int(query.until.timestamp())
        self._asked = tuple(dict.fromkeys(name.lower() for name in query.aggregations))
        self._troubles = troubles
        self._seconds = _Seconds()
        self._stamps: list[Any] = []
        self._of_stamps: tuple[int, ...] = ()

    def series(self, key: Key, data: list[Any]) -> MetricSeries:
        resource, metric, dimensions = key
        minutes, columns = self._clean(data) or self._with_care(key, data)
        return MetricSeries(
            resource_id=resource,
            metric=metric,
            dimensions=dict(dimensions),
            minutes=minutes,
            average=columns.get("average", ()),
            maximum=columns.get("maximum", ()),
            minimum=columns.get("minimum", ()),
        )

    def _clean(self, data: list[Any]) -> tuple[tuple[int, ...], Columns] | None:
        """All points at once, if every one of them is what it should be."""
        try:
            minutes = self._in_order(list(map(_stamp_of, data)))
            columns = {name: _column(data, name) for name in self._asked}
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        return minutes, columns

    def _in_order(self, stamps: list[Any]) -> tuple[int, ...]:
        """The minutes of timestamps; ValueError unless they are ascending minutes of the time asked for."""
        if stamps != self._stamps:
            seconds = tuple(map(self._seconds.__getitem__, stamps))
            rising = all(map(lt, seconds, seconds[1:]))
            inside = not seconds or (self._since <= seconds[0] and seconds[-1] < self._until)
            if not (rising and inside) or any(second % _MINUTE for second in seconds):
                raise ValueError
            self._stamps, self._of_stamps = stamps, tuple(map(int, seconds))
        return self._of_stamps

    def _with_care(self, key: Key, data: list[Any]) -> tuple[tuple[int, ...], Columns]:
        """Point by point, for series in which something is wrong."""
        seen: dict[int, list[Values]] = defaultdict(list)
        for point in data:
            minute = self._minute(key, point)
            if minute is not None:
                seen[minute].append(tuple(self._value(key, point, name) for name in self._asked))
        minutes = tuple(sorted(seen))
        rows = [self._agreed(key, minute, seen[minute]) for minute in minutes]
        return minutes, {name: tuple(row[index] for row in rows) for index, name in enumerate(self._asked)}

    def _minute(self, key: Key, point: Any) -> int | None:
        if not isinstance(point, dict):
            self._troubles.count(key, NO_POINT, point)
            return None
        stamp: Any = point.get("timeStamp")
        try:
            second = self._seconds[stamp]
        except (TypeError, ValueError, OverflowError):
            self._troubles.count(key, UNREADABLE_TIME, stamp)
            return None
        if second % _MINUTE:
            self._troubles.count(key, NO_MINUTE, stamp)
            return None
        if not self._since <= second < self._until:
            self._troubles.count(key, NOT_ASKED, stamp)
            return None
        return int(second)

    def _value(self, key: Key, point: dict[str, Any], name: str) -> float | None:
        value = point.get(name)
        if value is None:
            return None
        if type(value) in _NUMBERS and 0 <= value <= sys.float_info.max:
            return float(value)
        self._troubles.count(key, IMPOSSIBLE, value)
        return None

    def _agreed(self, key: Key, minute: int, rows: list[Values]) -> Values:
        if len(rows) == 1:
            return rows[0]
        columns = [set(column) for column in zip(*rows, strict=True)]
        if any(len(column) > 1 for column in columns):
            self._troubles.count(key, CONTRADICTED, datetime.fromtimestamp(minute, UTC).isoformat())
        return tuple(column.pop() if len(column) == 1 else None for column in columns)


class _Seconds(dict[str, float]):
    """Timestamps to seconds since 1970, each read once. TypeError or ValueError for what is none."""

    def __missing__(self, stamp: str) -> float:
        moment = datetime.fromisoformat(stamp)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        self[stamp] = int(seconds) if seconds.is_integer() else seconds
        return self[stamp]


def _column(data: list[Any], name: str) -> Values:
    """One aggregation of all points; ValueError or TypeError if any value is impossible."""
    try:
        values = list(map(itemgetter(name), data))
    except KeyError:
        values = [point.get(name) for point in data]
    known = [value for value in values if value is not None] if None in values else values
    # A sum is finite if and only if all of it is; with that known, the least value speaks for the rest.
    if not known or (_NUMBERS.issuperset(map(type, known)) and math.isfinite(sum(known)) and min(known) >= 0):
        return tuple(values)
    raise ValueError
