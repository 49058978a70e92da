"""Business figures: what one is, and what is wrong with a definition or with values that somebody sends. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Problems = dict[str, list[str]]

MOST_AT_ONCE = 2000
"""Values in one batch: an hour of eight figures for four deployments."""
MOST_FIGURES = 20
"""Of one endpoint at the same time."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LONGEST_LABEL, _LONGEST_UNIT = 80, 20
_LARGEST_COUNT, _LARGEST_TOTAL = 10**12, 1e15


class Kind(StrEnum):
    """How a figure's total is read against its count."""

    RATE = "rate"  # of `count` observations, `total` were so: a share from 0 to 1
    MEAN = "mean"  # the sum over `count` observations, of any sign


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure's values mean. `unit` is for people; a rate is shown in percent and has none."""

    name: str
    label: str
    kind: Kind
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """One figure of one deployment in one minute. The same minute sent again replaces it, and adds nothing."""

    figure: str
    deployment: str
    minute: datetime
    count: int
    total: float

    @property
    def key(self) -> tuple[str, str, datetime]:
        return self.figure, self.deployment.lower(), self.minute


@dataclass(frozen=True, slots=True)
class Bounds:
    """What values may be about: living figures by name, deployments by lower-case name, and which minutes."""

    figures: Mapping[str, Kind]
    deployments: Collection[str]
    oldest: datetime
    newest: datetime


def ratio(count: float | None, total: float | None) -> float | None:
    """The rate, from 0 to 1, or the mean; None without an observation."""
    return None if not count or total is None else total / count


def definition_problems(wanted: Definition) -> Problems:
    """What is wrong with a definition, by field."""
    found: Problems = {}
    if not _NAME.fullmatch(wanted.name):
        found["name"] = [
            "A figure's name begins with a small letter and has small letters, digits, - and _, 63 at most."
        ]
    if not 0 < len(wanted.label) <= _LONGEST_LABEL:
        found["label"] = [f"Say what it is in 1 to {_LONGEST_LABEL} characters."]
    if wanted.kind is Kind.RATE and wanted.unit:
        found["unit"] = ["A rate is shown in percent and has no unit of its own."]
    elif len(wanted.unit) > _LONGEST_UNIT:
        found["unit"] = [f"A unit has at most {_LONGEST_UNIT} characters."]
    return found


def batch_problems(values: Sequence[Value], bounds: Bounds) -> Problems:
    """What is wrong with each value, by `figures.<place>.<field>`; places count from 0."""
    if len(values) > MOST_AT_ONCE:
        return {"figures": [f"At most {MOST_AT_ONCE:,} values at once; these are {len(values):,}."]}
    found: Problems = {}
    seen: dict[tuple[str, str, datetime], int] = {}
    for place, value in enumerate(values):
        for field, text in _problems(value, bounds).items():
            found[f"figures.{place}.{field}"] = [text]
        first = seen.setdefault(value.key, place)
        if first != place:
            found.setdefault(f"figures.{place}.minute", []).append(
                f"The same figure, deployment and minute as number {first}. Send each once: values are not added up."
            )
    return found


def _problems(value: Value, bounds: Bounds) -> dict[str, str]:
    found: dict[str, str] = {}
    kind = bounds.figures.get(value.figure)
    if kind is None:
        found["figure"] = f"Nobody defined it, or it was ended. There are: {_names(bounds.figures)}."
    if value.deployment.lower() not in bounds.deployments:
        found["deployment"] = (
            f"There was no such deployment in these days. There were: {_names(bounds.deployments)}."
        )
    if text := _minute_problem(value.minute, bounds):
        found["minute"] = text
    if not 0 <= value.count <= _LARGEST_COUNT:
        found["count"] = f"A count is from 0 to {_LARGEST_COUNT:,}."
    elif text := _total_problem(value, kind):
        found["total"] = text
    return found


def _minute_problem(minute: datetime, bounds: Bounds) -> str:
    if minute.tzinfo is None or minute.second or minute.microsecond:
        return "Name the moment at which the minute begins, with its offset, such as 2026-11-25T12:34:00Z."
    if minute < bounds.oldest:
        return f"Minutes are kept since {bounds.oldest:%Y-%m-%d %H:%M}\u00a0UTC; this one is older."
    if minute > bounds.newest:
        return "This minute has not begun."
    return ""


def _total_problem(value: Value, kind: Kind | None) -> str:
    if not math.isfinite(value.total) or abs(value.total) > _LARGEST_TOTAL:
        return f"A total is a number from {-_LARGEST_TOTAL:g} to {_LARGEST_TOTAL:g}."
    if not value.count and value.total:
        return "Without an observation the total is 0."
    if kind is Kind.RATE and not (0 <= value.total <= value.count and value.total == int(value.total)):
        return "The total of a rate says how many of its count were so: a whole number from 0 to the count."
    return ""


def _names(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"
