"""Measure one gate on the evidence of a step. Pure: no clock, no rows; the same evidence gives the same words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from endpoints.changes.evidence import Evidence, FigureEvidence, FigureSample, MinuteSample, combined
from endpoints.changes.gatespec import GateSpec, Kind, gate
from endpoints.changes.verdict import Outcome

__all__ = [
    "Evidence",
    "FigureEvidence",
    "FigureSample",
    "GateSpec",
    "Kind",
    "Measurement",
    "MinuteSample",
    "combined",
    "gate",
    "measure",
]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one gate says of the step so far. `reason` is one sentence with value, limit, how many, and how long.

    `value` and `limit` are shares of requests, or of minutes; `stable` the same of the stable deployments at the same
    time. `requests` and `minutes` are those that were known, of `expected` minutes. `low` to `high` is what the true
    value may be, at every look at once. `evidence` is how many times likelier harm makes what was seen.
    `detectable`: the smallest value that this much would have shown in 4 of 5 cases; None when nothing would.
    `excused`: it was as bad before the change, and the candidate is not worse; it then does not block.
    """

    gate: str
    outcome: Outcome
    reason: str
    value: float | None = None
    limit: float | None = None
    stable: float | None = None
    requests: float | None = None
    minutes: int = 0
    expected: int = 0
    low: float | None = None
    high: float | None = None
    evidence: float | None = None
    detectable: float | None = None
    design_effect: float = 1.0
    excused: bool = False
    dry_run: bool = False

    @property
    def detail(self) -> dict[str, Any]:
        """What is kept beside the row's own columns."""
        return {
            "expected": self.expected,
            "stable": self.stable,
            "low": self.low,
            "high": self.high,
            "evidence": self.evidence,
            "detectable": self.detectable,
            "design_effect": self.design_effect,
        }


def measure(spec: GateSpec, evidence: Evidence) -> Measurement:
    """What the gate says. Harm fails, its proven or well-tested absence passes; unknown is neither."""
    raise NotImplementedError
