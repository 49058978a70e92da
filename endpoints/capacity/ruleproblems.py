"""What is wrong with a document of rules that somebody wants to set, field by field, in sentences. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from endpoints.capacity.ruleset import NAMES

MOST = 100
"""Of tags, values and patterns: a list that nobody can read is no rule."""
_PATTERN = re.compile(r"[A-Za-z0-9*?-]{1,64}(/[A-Za-z0-9*?-]{1,64})?")


def problems(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """By field; empty when all of it can be used. A key that is missing is no problem."""
    found = {
        name: [words]
        for name, check in _CHECKS.items()
        if name in document and (words := check(document[name]))
    }
    for name in sorted(set(map(str, document)) - set(NAMES)):
        found[name] = ["There is no such rule."]
    if not {"day_begins", "day_ends"} & found.keys():
        begins, ends = document.get("day_begins", 7), document.get("day_ends", 20)
        if begins >= ends:
            found["day_ends"] = ["The working day must end after it begins."]
    return found


def _whole(least: int, most: int, words: str) -> Callable[[Any], str]:
    def check(raw: Any) -> str:
        return "" if type(raw) is int and least <= raw <= most else words

    return check


def _share(least: float, most: float, words: str) -> Callable[[Any], str]:
    def check(raw: Any) -> str:
        return "" if type(raw) in (int, float) and least <= raw <= most else words

    return check


def _zone(raw: Any) -> str:
    try:
        if isinstance(raw, str) and raw and ZoneInfo(raw):
            return ""
    except (OSError, ValueError, KeyError):
        pass
    return "This is no time zone. They have names such as Europe/Berlin or UTC."


def _weekend(raw: Any) -> str:
    fits = (
        isinstance(raw, list) and all(type(day) is int and 0 <= day <= 6 for day in raw) and len(set(raw)) < 7
    )
    return (
        "" if fits else "Name the days that nobody works on, Monday as 0 to Sunday as 6, at most six of them."
    )


def _report(raw: Any) -> str:
    fits = raw is None or (type(raw) is int and 0 <= raw <= 6)
    return "" if fits else "A weekday, Monday as 0 to Sunday as 6, or none."


def _scream(raw: Any) -> str:
    fits = raw is None or (type(raw) is int and 1 <= raw <= 336)
    return (
        ""
        if fits
        else "So many whole hours, 1 to 336: two weeks at most; or none, as the installation sets it."
    )


def _test_tags(raw: Any) -> str:
    fits = isinstance(raw, dict) and len(raw) <= MOST
    fits = fits and all(
        isinstance(name, str)
        and 0 < len(name.strip()) <= 512
        and isinstance(values, list)
        and 0 < len(values) <= MOST
        and all(isinstance(value, str) and 0 < len(value.strip()) <= 256 for value in values)
        for name, values in raw.items()
    )
    return (
        "" if fits else f"Each tag has a name and 1 to {MOST} values that mark a test; at most {MOST} tags."
    )


def _excluded_tags(raw: Any) -> str:
    fits = isinstance(raw, list) and len(raw) <= MOST
    fits = fits and all(
        isinstance(pair, list | tuple)
        and len(pair) == 2
        and all(isinstance(text, str) and len(text) <= 512 for text in pair)
        and pair[0].strip()
        for pair in raw
    )
    return "" if fits else f"Each is a tag's name and its value, or an empty value for any; at most {MOST}."


def _excluded_names(raw: Any) -> str:
    fits = isinstance(raw, list) and len(raw) <= MOST
    fits = fits and all(isinstance(one, str) and _PATTERN.fullmatch(one.strip()) for one in raw)
    return (
        ""
        if fits
        else "An endpoint's name, or endpoint/deployment, of letters, digits and hyphens; * and ? stand for any of"
        f" them. At most {MOST}."
    )


_CHECKS: Mapping[str, Callable[[Any], str]] = {
    "idle_days": _whole(1, 180, "So many whole days, 1 to 180."),
    "known_share": _share(0.5, 1, "A share from 0.5 to 1: on less than half nothing can stand."),
    "usage_target": _share(0.1, 0.95, "A share from 0.1 to 0.95."),
    "off_hours_idle": _share(0.1, 1, "A share from 0.1 to 1."),
    "batch_share": _share(0, 0.5, "A share from 0 to 0.5."),
    "percentile": _share(0.5, 1, "A share from 0.5 to 1."),
    "headroom": _share(0, 2, "A share from 0 to 2: 0.2 is 20 percent more."),
    "zone": _zone,
    "day_begins": _whole(0, 23, "A full hour, 0 to 23."),
    "day_ends": _whole(1, 24, "A full hour, 1 to 24."),
    "weekend": _weekend,
    "test_tags": _test_tags,
    "excluded_tags": _excluded_tags,
    "excluded_names": _excluded_names,
    "scream_hours": _scream,
    "report_weekday": _report,
}
