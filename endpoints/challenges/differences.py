"""What is different between two evidences of one case. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from endpoints.challenges.facts import Fact, Passport


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact as it was collected before and later; None: there was no such fact."""

    label: str
    before: Fact | None
    after: Fact | None


def differences(before: Passport, after: Passport) -> tuple[Difference, ...]:
    """Facts whose value, certainty, reason or alternatives differ, in the order of the later evidence."""
    old, new = _facts(before), _facts(after)
    names = [*new, *(name for name in old if name not in new)]
    found = (_difference(old.get(name), new.get(name)) for name in names)
    return tuple(one for one in found if one is not None)


def _difference(before: Fact | None, after: Fact | None) -> Difference | None:
    shown = after or before
    if shown is None or _said(before) == _said(after):
        return None
    return Difference(shown.label, before, after)


def _said(fact: Fact | None) -> object:
    return fact and (fact.value, fact.sure, fact.alternatives, fact.reason)


def _facts(passport: Passport) -> dict[str, Fact]:
    return dict(_named(passport))


def _named(passport: Passport) -> Iterator[tuple[str, Fact]]:
    for section in passport.sections:
        for fact in section.facts:
            yield f"{section.name}.{fact.name}", fact
