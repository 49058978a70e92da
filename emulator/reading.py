"""Reads mappings and lists of a YAML file and says where a mistake is."""

from __future__ import annotations

from typing import Any

from emulator.values import Json


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
