"""From which minute on requests went where a split sends them. Pure.

A minute agrees when deployments without weight got no request in it and the shares of the others follow the weights,
by the test of `observed`. That test needs requests: from the minute that is looked at, minutes are added until it
says "same", and as soon as it says "differs" the next minute is tried.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from endpoints.metrics.observed import Stretch, Verdict, compare


@dataclass(frozen=True, slots=True)
class Requests:
    """One minute: the requests of each deployment, by lower-case name, where they are known."""

    minute: datetime
    by_name: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Agreement:
    """The first whole minute from which on requests follow the order; None: not known, `reason` says why.

    A minute is the finest that metrics tell: the order took effect some time before the minute's end.
    """

    minute: datetime | None
    reason: str


def first_agreeing(
    minutes: Sequence[Requests], split: Mapping[str, int], unweighted: Collection[str]
) -> Agreement:
    """Look through minutes, oldest first. `unweighted`: deployments that must not get a request by this split."""
    weights = {name.lower(): weight for name, weight in split.items() if weight > 0}
    idle = [name for name in unweighted if name not in weights]
    known = [one for one in minutes if all(name in one.by_name for name in (*weights, *idle))]
    if not known:
        return Agreement(None, "No minute since then is known of all these deployments.")
    said = ""
    for place, first in enumerate(known):
        if stray := _stray(first, idle):
            said = stray
            continue
        found, reason = _follows(known[place:], weights, idle)
        if found:
            return Agreement(
                first.minute, reason + _unknown_before(minutes, first.minute, len(known[:place]))
            )
        said = reason
    return Agreement(None, said)


def _follows(
    minutes: Sequence[Requests], weights: Mapping[str, int], idle: Sequence[str]
) -> tuple[bool, str]:
    """Whether the first of these minutes agrees, told by as many of the others as it takes."""
    sums = dict.fromkeys(weights, 0.0)
    reason = ""
    for one in minutes:
        if _stray(one, idle):
            break
        for name in weights:
            sums[name] += one.by_name[name]
        if one is minutes[0] and not sum(sums.values()):
            return False, "No request was routed."
        said = compare([Stretch(weights, requests=sums)])
        reason = said.reason
        if said.verdict in (Verdict.SAME, Verdict.DIFFERS):
            return said.verdict is Verdict.SAME, reason
    return False, reason


def _stray(one: Requests, idle: Sequence[str]) -> str:
    got = {name: one.by_name[name] for name in idle if one.by_name[name] > 0}
    if not got:
        return ""
    name = max(got, key=lambda each: got[each])
    return f"{name} still got {got[name]:,.0f} requests a minute, although the split gives it none."


def _unknown_before(minutes: Sequence[Requests], first: datetime, known: int) -> str:
    count = sum(1 for one in minutes if one.minute < first) - known
    return f" {count} minutes before that are not known." if count else ""
