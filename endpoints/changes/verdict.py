"""What a check or gate can say. Unknown is never a pass: the worst verdict wins and carries its reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """`INCONCLUSIVE`: too little is known. `ERROR`: it could not be measured at all. Neither passes or fails."""

    PASS = "pass"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    FAIL = "fail"


_SEVERITY = {Outcome.PASS: 0, Outcome.INCONCLUSIVE: 1, Outcome.ERROR: 2, Outcome.FAIL: 3}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One named check's outcome with its reason, a sentence for people."""

    name: str
    outcome: Outcome
    reason: str

    @property
    def passed(self) -> bool:
        return self.outcome is Outcome.PASS


def worst_first(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Failures, then errors, then inconclusive ones, then passes; equal ones keep their order."""
    return sorted(verdicts, key=lambda verdict: -_SEVERITY[verdict.outcome])


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst verdict; nothing measured at all is inconclusive."""
    ordered = worst_first(verdicts)
    return ordered[0] if ordered else Verdict("checks", Outcome.INCONCLUSIVE, "Nothing was checked.")
