"""Run gates over past minutes as if they were live, minute by minute. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from endpoints.changes.evidence import Evidence
from endpoints.changes.gates import Measurement
from endpoints.changes.gatespec import GateSpec
from endpoints.changes.standing import GateStanding
from endpoints.changes.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Backtest:
    """`stopped_after`: minutes after which harm would have stopped the step, None if none did; `by`: which gate.

    `end` is what all gates say together then, `standings` and `measurements` what each says.
    """

    minutes: int
    stopped_after: int | None
    by: str
    end: Verdict
    standings: tuple[GateStanding, ...]
    measurements: tuple[Measurement, ...]


def backtest(specs: Sequence[GateSpec], evidence: Evidence) -> Backtest:
    """What the gates would have done with this step, `expected_minutes` long, if all was read as it happened."""
    raise NotImplementedError
