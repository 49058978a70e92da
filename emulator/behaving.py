"""How a scenario tells what a deployment does: latencies, failures, bad times, the form of its answers."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from emulator import models
from emulator.models import Model
from emulator.reading import ScenarioError, listed, mapping, parts, when
from emulator.values import Json


def model(value: Any, where: str) -> Model:
    """A model from a mapping such as a deployment's `behaves`."""
    told = parts(mapping(value, where), where, **{item.name: None for item in fields(Model)})
    for failure in told["failures"] or ():
        parts(mapping(failure, where), f"failures of {where}", rate=..., status=500, reason="")
    told["incidents"] = [_incident(item, where) for item in listed(told["incidents"] or [], where)]
    if told["wears"] is not None:
        told["wears"] = _wear(told["wears"], where)
    if told["answers"] is not None:
        mapping(told["answers"], f"answers of {where}")
    return models.model({name: item for name, item in told.items() if item is not None})


def _wear(value: Any, where: str) -> Json:
    where = f"wears of {where}"
    part = parts(mapping(value, where), where, minutes=..., p95_factor=...)
    for name, number in part.items():
        if isinstance(number, bool) or not isinstance(number, (int, float)) or number <= 0:
            raise ScenarioError(f"{where}: {name} is a number above 0, not {number!r}.")
    return part


def _incident(value: Any, where: str) -> Json:
    where = f"incidents of {where}"
    part = parts(
        mapping(value, where),
        where,
        **{"from": ...},
        until=None,
        p95_factor=1.0,
        failure_rate=0.0,
        status=500,
        grows=False,
    )
    part["since"] = str(part.pop("from"))
    for name in ("since", "until"):
        if part[name] is not None:
            when(str(part[name]), datetime.now(UTC))
    if part["grows"] and part["until"] is None:
        raise ScenarioError(f"{where}: what grows has an until.")
    return part
