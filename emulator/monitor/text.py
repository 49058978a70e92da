"""JSON text of many points: one prepared template a call takes a whole series in one go.

A tree of dictionaries through `json.dumps` costs several times as much, and a day of fifty endpoints is
millions of points.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from time import gmtime, strftime

from emulator.monitor.parts import Values

_DAY = 86_400
_CLOCK = tuple(f"T{i // 60:02}:{i % 60:02}:00Z" for i in range(1440))


def stamps(start: int, count: int, step: int) -> list[str]:
    """`2026-11-25T10:00:00Z` for every `step`-th minute of the epoch."""
    dates: dict[int, str] = {}
    found = []
    for minute in range(start, start + count, step):
        day, clock = divmod(minute, 1440)
        date = dates.get(day)
        if date is None:
            date = dates[day] = strftime("%Y-%m-%d", gmtime(day * _DAY))
        found.append(date + _CLOCK[clock])
    return found


@dataclass(slots=True)
class Writer:
    """Writes the points of one call; all series share their time stamps."""

    stamps: list[str]
    _templates: dict[tuple[str, ...], str] = field(default_factory=dict)

    def points(self, columns: Mapping[str, Values], form: str) -> str:
        """`[{"timeStamp":…,"average":…},…]`; a point that is None keeps its time stamp and loses the key.

        `form` is `%d` for counts, `%.2f` and the like for others.
        """
        if not self.stamps:
            return "[]"
        values = list(columns.values())
        if not values:
            return "[" + ",".join(f'{{"timeStamp":"{stamp}"}}' for stamp in self.stamps) + "]"
        if not any(None in column for column in values):
            return self._template(tuple(columns), form) % tuple(
                chain.from_iterable(zip(*values, strict=True))
            )
        return "[" + ",".join(self.each(columns, form)) + "]"

    def each(self, columns: Mapping[str, Values], form: str) -> list[str]:
        """One text a point, for series with gaps or blemishes."""
        if len(columns) == 1:
            [(name, column)] = columns.items()
            rest = f'","{name}":{form}}}'
            return [
                f'{{"timeStamp":"{stamp}"}}' if value is None else f'{{"timeStamp":"{stamp}' + rest % value
                for stamp, value in zip(self.stamps, column, strict=True)
            ]
        keys = [f',"{name}":{form}' for name in columns]
        return [
            f'{{"timeStamp":"{stamp}"'
            + "".join(key % value for key, value in zip(keys, row, strict=True) if value is not None)
            + "}"
            for stamp, row in zip(self.stamps, zip(*columns.values(), strict=True), strict=True)
        ]

    def _template(self, names: tuple[str, ...], form: str) -> str:
        key = (form, *names)
        found = self._templates.get(key)
        if found is None:
            rest = '",' + ",".join(f'"{name}":{form}' for name in names) + "}"
            found = "[" + ",".join(f'{{"timeStamp":"{stamp}{rest}' for stamp in self.stamps) + "]"
            self._templates[key] = found
        return found


def labels(names: Sequence[str], values: Mapping[str, str]) -> str:
    """`metadatavalues`: Azure writes the names of dimensions in lower case."""
    found = [
        {"name": {"value": name.lower(), "localizedValue": name.lower()}, "value": values[name]}
        for name in names
    ]
    return json.dumps(found, separators=(",", ":"))
