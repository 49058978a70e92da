"""Which endpoints a reading takes together, from which minute on, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from endpoints.metrics import lag
from endpoints.metrics.services.asking import MOST_AT_ONCE
from endpoints.metrics.services.reading import Target

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Group:
    """Up to 50 endpoints. With a `sample` none of them could be read lately: it is tried before the rest."""

    targets: tuple[Target, ...]
    since: datetime
    sample: Target | None = None


def groups(targets: Iterable[Target], stretch: lag.Stretch, *, reread: timedelta) -> list[Group]:
    """What waited longest comes first: when Azure allows no more, everybody's turn comes all the same.

    Endpoints that were left out lately are read from where they stand, for as far back as one reading goes. Those
    that can't be read stand apart, lest a refusal of theirs makes a search among all others.
    """
    usual: list[Target] = []
    behind: list[Target] = []
    suspects: list[Target] = []
    read_until = stretch.since + reread
    for one in sorted(targets, key=lambda target: target.read_at or _LONG_AGO):
        if one.trouble is not None:
            suspects.append(one)
        elif one.read_at is None or lag.floored(one.read_at) < read_until:
            behind.append(one)
        else:
            usual.append(one)

    turn = int(stretch.until.timestamp()) // 60
    return [
        *(Group(some, _since(some, stretch, reread)) for some in _chunks(behind)),
        *(Group(some, stretch.since) for some in _chunks(usual)),
        *(
            Group(some, _since(some, stretch, reread), sample=some[turn % len(some)])
            for some in _chunks(suspects)
        ),
    ]


def _since(some: Iterable[Target], stretch: lag.Stretch, reread: timedelta) -> datetime:
    """From where those stand that stand furthest back."""
    earliest = stretch.until - lag.LONGEST
    stand = (
        stretch.until - lag.FIRST if one.read_at is None else max(lag.floored(one.read_at) - reread, earliest)
        for one in some
    )
    return min(stretch.since, *stand)


def _chunks(targets: Sequence[Target]) -> list[tuple[Target, ...]]:
    return [tuple(targets[first : first + MOST_AT_ONCE]) for first in range(0, len(targets), MOST_AT_ONCE)]
