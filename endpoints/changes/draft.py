"""What somebody asks for, before the base is known: splits with bakes, and terms. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from endpoints.changes.plan import Step, put_split
from endpoints.changes.terms import Terms
from endpoints.core import traffic


@dataclass(frozen=True, slots=True)
class DraftStep:
    """One wanted split. `mirror` None keeps what is mirrored when the step is planned."""

    split: Mapping[str, int]
    mirror: Mapping[str, int] | None = None
    bake: int = 0
    click: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A wanted plan."""

    steps: tuple[DraftStep, ...]
    terms: Terms = field(default_factory=Terms)

    @classmethod
    def single(cls, split: Mapping[str, int], mirror: Mapping[str, int] | None = None) -> Draft:
        """One step, with neither bake nor gates."""
        return cls((DraftStep(split, mirror),))


def planned(draft: Draft, base_mirror: Mapping[str, int]) -> tuple[Step, ...]:
    """The draft's steps as a plan: what a step says nothing of is as the step before left it."""
    mirror, steps = base_mirror, []
    for step in draft.steps:
        mirror = mirror if step.mirror is None else step.mirror
        steps.append(put_split(step.split, mirror, bake=step.bake, click=step.click))
    return tuple(steps)


def shift(base: Mapping[str, int], candidate: str, weight: int) -> traffic.Split:
    """`candidate` at `weight` percent; the others share the rest in the base's proportions, to whole percents."""
    name = candidate.lower()
    others = {other: share for other, share in traffic.normalise(base).items() if other != name}
    rest, total = 100 - weight, sum(others.values())
    if not others:
        return traffic.normalise({name: weight})
    exact = {other: share * rest / total for other, share in others.items()}
    given = {other: int(share) for other, share in exact.items()}
    short = rest - sum(given.values())
    for other in sorted(exact, key=lambda one: (given[one] - exact[one], one))[:short]:
        given[other] += 1
    return traffic.normalise({**given, name: weight})


def walk(
    base: Mapping[str, int], candidate: str, steps: Iterable[tuple[int, int, bool]], terms: Terms
) -> Draft:
    """A plan that gives `candidate` one weight after another: (percent, bake in seconds, click)."""
    return Draft(
        tuple(DraftStep(shift(base, candidate, weight), None, bake, click) for weight, bake, click in steps),
        terms,
    )
