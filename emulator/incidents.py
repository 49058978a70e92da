"""Bad times that are ordered while the emulator runs. In memory: they go with a restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emulator import names
from emulator.control import Control
from emulator.monitor.load import LONGEST, Spell, Workload
from emulator.values import Json

_NUMBERS = {"p95_factor": 1.0, "failure_rate": 0.0, "seconds": None, "ago": 0.0}
_KNOWN = {"deployment", "status", *_NUMBERS}


class IncidentError(ValueError):
    """An incident that can't be understood; none was added."""


@dataclass(slots=True)
class Incidents:
    control: Control
    workload: Workload
    _before: dict[str, tuple[Spell, ...]] = field(default_factory=dict)

    def add(self, order: Json) -> None:
        """From now on, or from so many seconds ago, for so many seconds or for good."""
        unknown = set(order) - _KNOWN
        if unknown:
            raise IncidentError(f"Unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(_KNOWN))}.")
        found = self.control.world.find(str(order.get("deployment", "")))
        if found is None or found.kind != "deployment":
            raise IncidentError(f"There is no deployment {order.get('deployment')!r}.")
        told = {name: _number(order, name, default) for name, default in _NUMBERS.items()}
        status = order.get("status", 500)
        if isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 599:
            raise IncidentError(f"status is a status code, not {status!r}.")
        start = self.control.clock().timestamp() - (told["ago"] or 0.0)
        end = LONGEST if told["seconds"] is None else start + told["seconds"]
        spell = Spell(start, end, told["p95_factor"] or 0.0, min(told["failure_rate"] or 0.0, 1.0), status)
        key = names.key(found.id)
        told_before = self.workload.spells.get(key, ())
        self._before.setdefault(key, told_before)
        self.workload.spells[key] = (*told_before, spell)

    def clear(self) -> int:
        """Only the scenario's own are left; returns how many deployments had others."""
        count = len(self._before)
        self.workload.spells.update(self._before)
        self._before.clear()
        return count


def _number(order: Json, name: str, default: float | None) -> float | None:
    value: Any = order.get(name, default)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise IncidentError(f"{name} is a number of 0 or more, not {value!r}.")
    return float(value)
