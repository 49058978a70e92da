"""Where a gate stands after all its measurements of a step, and where all gates stand together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
    """Where the gate stands, by its measurements of this step, oldest first."""
    raise NotImplementedError


def overall(standings: Iterable[GateStanding]) -> Verdict:
    """The worst of those that can block, with its reason. Only a pass lets the next step begin."""
    raise NotImplementedError
