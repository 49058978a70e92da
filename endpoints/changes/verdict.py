"""What a check or gate can say. Unknown is never a pass: the worst verdict wins and carries its reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """`WARN`: known, and a person must accept it by name. `INCONCLUSIVE`: too little is known.

    `ERROR`: it could not be measured at all. Neither of the last two passes or fails.
    """

    PASS = "pass"
    WARN = "warn"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    FAIL = "fail"


_SEVERITY = {outcome: place for place, outcome in enumerate(Outcome)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One named check's outcome with its reason, a sentence for people.

    `acceptable`: what is not known here may be accepted by a person, by name; it is not a pass for that.
    """

    name: str
    outcome: Outcome
    reason: str
    acceptable: bool = False

    @property
    def passed(self) -> bool:
        return self.outcome is Outcome.PASS

    @property
    def needs_acceptance(self) -> bool:
        """Whether a person must say that they know of it."""
        return self.outcome is Outcome.WARN or (self.acceptable and not self.passed)

    @property
    def blocks(self) -> bool:
        """Whether nobody can go on with this."""
        return not self.passed and not self.needs_acceptance


def worst_first(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Failures, then errors, inconclusive ones, warnings, passes; what blocks comes before what can be accepted."""
    return sorted(verdicts, key=lambda verdict: (not verdict.blocks, -_SEVERITY[verdict.outcome]))


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst verdict; nothing measured at all is inconclusive."""
    ordered = worst_first(verdicts)
    return ordered[0] if ordered else Verdict("checks", Outcome.INCONCLUSIVE, "Nothing was checked.")


def unaccepted(verdicts: Iterable[Verdict], accepted: Iterable[str]) -> list[Verdict]:
    """What a person would have to accept and did not name."""
    named = frozenset(accepted)
    return [verdict for verdict in verdicts if verdict.needs_acceptance and verdict.name not in named]
