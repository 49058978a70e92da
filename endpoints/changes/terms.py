"""Under which terms a plan is walked: its gates, the watch at the end, how long it may take, what stops it.

Part of what an approval is sealed to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from endpoints.changes.gatespec import GateSpec

LONGEST_WATCH = 7 * 24 * 3600
LONGEST_PLAN = 31 * 24 * 3600
LONGEST_WARM = 90 * 24
MOST_GATES = 20


class OnFailure(StrEnum):
    """What the portal does by itself when a gate fails. Never more than this."""

    ROLL_BACK = "roll_back"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Terms:
    """`watch`: seconds for which gates go on after the last step. `longest`: seconds from the start, held time left

    out, after which the change is held; 0: no such limit. `warm`: hours for which the deployments that lost their
    traffic should be kept as a rollback target.
    """

    gates: tuple[GateSpec, ...] = ()
    watch: int = 0
    longest: int = 0
    warm: int = 0
    on_failure: OnFailure = OnFailure.ROLL_BACK

    def as_json(self) -> dict[str, Any]:
        return {
            "gates": [gate.as_json() for gate in self.gates],
            "watch": self.watch,
            "longest": self.longest,
            "warm": self.warm,
            "on_failure": self.on_failure.value,
        }

    def for_ledger(self) -> dict[str, Any]:
        """The same with fractions as text."""
        told: dict[str, Any] = without_floats(self.as_json())
        return told


def without_floats(value: Any) -> Any:
    """Fractions as text: the ledger's bytes have no floating point."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return {key: without_floats(item) for key, item in value.items()}
    return [without_floats(item) for item in value] if isinstance(value, list) else value


def terms_from_json(data: Mapping[str, Any]) -> Terms:
    """Terms as stored; {} for a change that was written without any."""
    return Terms(
        gates=tuple(GateSpec.from_json(item) for item in data.get("gates", [])),
        watch=data.get("watch", 0),
        longest=data.get("longest", 0),
        warm=data.get("warm", 0),
        on_failure=OnFailure(data.get("on_failure", OnFailure.ROLL_BACK)),
    )


def problems(terms: Terms, *, least: int) -> list[str]:
    """What is wrong with them, in words. `least`: seconds that the plan takes by itself."""
    found = [problem for gate in terms.gates for problem in gate.problems()]
    if len(terms.gates) > MOST_GATES:
        found.append(f"At most {MOST_GATES} gates; these are {len(terms.gates)}.")
    if len({gate.name for gate in terms.gates}) < len(terms.gates):
        found.append("Two gates measure the same; each can be given once.")
    for name, value, most in (
        ("watch after the last step", terms.watch, LONGEST_WATCH),
        ("longest duration", terms.longest, LONGEST_PLAN),
        ("time to keep the old deployments", terms.warm, LONGEST_WARM),
    ):
        if not 0 <= value <= most:
            found.append(f"The {name} is {value}; from 0 to {most} can be given.")
    if terms.longest and terms.longest < least:
        found.append(f"The plan takes {least} s by itself, which is more than its longest duration.")
    return found
