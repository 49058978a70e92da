"""Where a gate stands after all its measurements of a step, and where all gates stand together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from endpoints.changes import verdict
from endpoints.changes.gates import Measurement
from endpoints.changes.gatespec import GateSpec
from endpoints.changes.verdict import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class GateStanding:
    """`failures` counts failing measurements, `streak` the passes in a row up to now. `excused`: see `Measurement`."""

    name: str
    outcome: Outcome
    reason: str
    failures: int = 0
    streak: int = 0
    excused: bool = False
    dry_run: bool = False

    @property
    def verdict(self) -> Verdict:
        return Verdict(self.name, self.outcome, self.reason)

    @property
    def harm(self) -> bool:
        """Whether it stops the step: it failed more often than is tolerated, and is no dry run."""
        return self.outcome is Outcome.FAIL and not self.dry_run

    @property
    def blocks(self) -> bool:
        """Whether the next step has to wait for it."""
        return self.outcome is not Outcome.PASS and not self.dry_run


def standing(spec: GateSpec, measurements: Sequence[Measurement]) -> GateStanding:
    """Where the gate stands, by its measurements of this step, oldest first.

    An error or what is inconclusive is neither a failure nor a pass, and ends a streak of passes.
    """
    failures, streak = _failures(measurements), _streak(measurements)
    outcome, reason = _outcome(spec, measurements, failures, streak)
    excused = bool(measurements) and measurements[-1].excused and outcome is Outcome.PASS
    return GateStanding(spec.name, outcome, reason, failures, streak, excused, spec.dry_run)


def _outcome(
    spec: GateSpec, measurements: Sequence[Measurement], failures: int, streak: int
) -> tuple[Outcome, str]:
    if not measurements:
        return Outcome.INCONCLUSIVE, "It was not measured yet."
    last, needed = measurements[-1], max(1, spec.consecutive_successes)
    if failures > spec.failure_limit >= 0:
        worst = next(one for one in reversed(measurements) if _fails(one))
        return Outcome.FAIL, worst.reason + _more_than(failures, spec.failure_limit)
    if _fails(last):
        tolerated = "any number" if spec.failure_limit < 0 else f"{spec.failure_limit:,}"
        return (
            Outcome.INCONCLUSIVE,
            f"{last.reason} Failed {failures:,} times, and {tolerated} are tolerated.",
        )
    if not _passes(last):
        return last.outcome, last.reason
    if streak < needed:
        return Outcome.INCONCLUSIVE, f"{last.reason} {streak:,} of {needed:,} passes in a row."
    return Outcome.PASS, last.reason


def _more_than(failures: int, limit: int) -> str:
    return f" Failed {failures:,} times; {limit:,} are tolerated." if limit else ""


def _fails(measurement: Measurement) -> bool:
    return measurement.outcome is Outcome.FAIL and not measurement.excused


def _passes(measurement: Measurement) -> bool:
    return measurement.outcome is Outcome.PASS or measurement.excused


def _failures(measurements: Sequence[Measurement]) -> int:
    return sum(_fails(measurement) for measurement in measurements)


def _streak(measurements: Sequence[Measurement]) -> int:
    return sum(1 for _ in takewhile(_passes, reversed(measurements)))


def overall(standings: Iterable[GateStanding]) -> Verdict:
    """The worst of those that can block, with its reason. Only a pass lets the next step begin."""
    known = list(standings)
    binding = [one.verdict for one in known if not one.dry_run]
    if known and not binding:
        return Verdict("gates", Outcome.PASS, "All gates are dry runs, and none of these blocks.")
    if not binding:
        return Verdict("gates", Outcome.INCONCLUSIVE, "Nothing was measured.")
    return verdict.overall(binding)
