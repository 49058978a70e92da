"""Run gates over past minutes as if they were live, minute by minute. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from endpoints.changes.evidence import Evidence
from endpoints.changes.gates import Measurement, measure_each
from endpoints.changes.gatespec import GateSpec
from endpoints.changes.standing import GateStanding, overall, standing
from endpoints.changes.verdict import Outcome, Verdict


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
    told: list[list[Measurement]] = [[] for _ in specs]
    streams = [measure_each(spec, evidence) for spec in specs]
    for passed in range(1, evidence.expected_minutes + 1):
        for kept, stream in zip(told, streams, strict=True):
            kept.append(next(stream))
        if any(kept[-1].outcome is Outcome.FAIL for kept in told):
            standings = _standings(specs, told)
            harmful = next((one for one in standings if one.harm), None)
            if harmful:
                return _ended(evidence, standings, told, passed, harmful.name)
    return _ended(evidence, _standings(specs, told), told, None, "")


def _standings(specs: Sequence[GateSpec], told: Sequence[Sequence[Measurement]]) -> list[GateStanding]:
    return [standing(spec, kept) for spec, kept in zip(specs, told, strict=True)]


def _ended(
    evidence: Evidence,
    standings: Sequence[GateStanding],
    told: Sequence[Sequence[Measurement]],
    stopped_after: int | None,
    by: str,
) -> Backtest:
    return Backtest(
        minutes=evidence.expected_minutes,
        stopped_after=stopped_after,
        by=by,
        end=overall(standings),
        standings=tuple(standings),
        measurements=tuple(kept[-1] for kept in told if kept),
    )
