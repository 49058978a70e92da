"""Reads mappings, lists and times of a YAML file and says where a mistake is."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from emulator.values import Json

_RELATIVE = re.compile(r"-(\d+(?:\.\d+)?)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class ScenarioError(ValueError):
    """A scenario that can't be used, and where the mistake is."""


def parts(value: Json, where: str, /, **wanted: Any) -> Json:
    """The wanted keys with their defaults; `...` marks those that must be there, unknown ones are errors."""
    unknown = set(value) - set(wanted)
    if unknown:
        raise ScenarioError(f"{where}: unknown {', '.join(sorted(map(str, unknown)))}.")
    missing = [name for name, default in wanted.items() if default is ... and name not in value]
    if missing:
        raise ScenarioError(f"{where}: {', '.join(missing)} is missing.")
    return {**wanted, **value}


def mapping(value: Any, where: str) -> Json:
    if not isinstance(value, dict):
        raise ScenarioError(f"{where} is a mapping, not {type(value).__name__}.")
    return value


def listed(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise ScenarioError(f"{where} is a list, not {type(value).__name__}.")
    return value


def when(text: str, now: datetime) -> datetime:
    """`-30d`, `-90m`, or an ISO time with offset."""
    relative = _RELATIVE.fullmatch(text)
    if relative is not None:
        return now - timedelta(**{_UNITS[relative[2]]: float(relative[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ScenarioError(f"{text!r} is neither a time nor a distance such as -30d.") from None
    if found.tzinfo is None:
        raise ScenarioError(f"{text!r} has no offset.")
    return found
