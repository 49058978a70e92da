"""What one case has to do with others: the model version that answered, and how often it was challenged. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from endpoints.challenges.facts import Fact, Passport, Sure
from endpoints.challenges.lifecycle import Outcome

LOOK_BACK = timedelta(days=30)
MODEL, DEPLOYMENT = "model", "deployment"


@dataclass(frozen=True, slots=True)
class Tally:
    """How the cases of one model version went, over LOOK_BACK. What is not decided yet is none of the outcomes."""

    challenged: int = 0
    overturned: int = 0
    stands: int = 0
    undetermined: int = 0

    @property
    def undecided(self) -> int:
        return self.challenged - self.overturned - self.stands - self.undetermined


def tally(outcomes: Iterable[str]) -> Tally:
    """Over the outcomes of the cases; "" is a case without one yet."""
    found = list(outcomes)
    return Tally(
        challenged=len(found),
        overturned=found.count(Outcome.OVERTURNED),
        stands=found.count(Outcome.STANDS),
        undetermined=found.count(Outcome.UNDETERMINED),
    )


def model_of(passport: Passport) -> str:
    """The "name:version" that answered, when that is certain; "" otherwise: a guess links nothing."""
    return _certain(passport.fact(MODEL))


def deployments_of(passport: Passport) -> tuple[str, ...]:
    """Which deployments may have answered, in lower case: one when it is certain, else each of the several.

    Empty when nobody can say; then there is nothing to protect by name.
    """
    fact = passport.fact(DEPLOYMENT)
    if fact is None or fact.sure is Sure.UNKNOWN:
        return ()
    named = [fact.value, *fact.alternatives]
    return tuple(sorted({name.lower() for name in named if isinstance(name, str) and name}))


def in_order(one: int, other: int) -> tuple[int, int]:
    """Two cases as a link keeps them: the older first."""
    return (one, other) if one < other else (other, one)


def _certain(fact: Fact | None) -> str:
    if fact is None or fact.sure is not Sure.CERTAIN or not isinstance(fact.value, str):
        return ""
    return fact.value
