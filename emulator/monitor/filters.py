"""`deployment eq '*' and statusCode eq '200' or statusCode eq '424'`: what splits, and which values count."""

from __future__ import annotations

import re
from collections.abc import Mapping

Wanted = dict[str, frozenset[str] | None]
"""Dimension as sent, in order, to lower-case values; None is every value."""
_CONDITION = re.compile(r"\s*(?P<name>[^\s']+)\s+eq\s+'(?P<value>(?:[^']|'')*)'\s*", re.IGNORECASE)
_JOINT = re.compile(r"(and|or)\b", re.IGNORECASE)


class FilterError(ValueError):
    """A filter that can't be understood; the text says why."""


def parse(text: str | None) -> Wanted:
    wanted: dict[str, set[str]] = {}
    spelt: dict[str, str] = {}
    joint, last, at = "and", "", 0
    text = text or ""
    while text.strip():
        condition = _CONDITION.match(text, at)
        if condition is None:
            raise FilterError(
                f"Only conditions such as name eq 'value' are understood, not: {text[at:].strip()!r}"
            )
        name, at = condition["name"], condition.end()
        if joint == "or" and name.lower() != last:
            raise FilterError(f"'or' can't separate two different names, {last!r} and {name!r}.")
        last = name.lower()
        spelt.setdefault(last, name)
        wanted.setdefault(last, set()).add(condition["value"].replace("''", "'").lower())
        if at >= len(text):
            break
        found = _JOINT.match(text, at)
        if found is None:
            raise FilterError(f"'and' or 'or' is expected before: {text[at:].strip()!r}")
        joint, at = found[1].lower(), found.end()
    return {spelt[key]: None if "*" in values else frozenset(values) for key, values in wanted.items()}


def holds(wanted: Mapping[str, frozenset[str] | None], labels: Mapping[str, str]) -> bool:
    return all(values is None or labels.get(name, "").lower() in values for name, values in wanted.items())
