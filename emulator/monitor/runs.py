"""From stretches of seconds to runs of minutes: a minute in which something changed is mixed pro rata. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Stretch = tuple[float, float, float]
"""From, to (epoch seconds), and the value that held."""
Run = tuple[int, int, float]
"""Index of the first minute, index after the last, and the value of each of them."""


def runs(stretches: Iterable[Stretch], start: int, count: int) -> list[Run]:
    """Runs of minutes from minute `start` of the epoch on. Where no stretch is, there is no run.

    A minute's value is the mean over its 60 seconds; seconds without a stretch count as 0.
    """
    whole: list[Run] = []
    mixed: dict[int, float] = {}
    for since, until, value in stretches:
        begins, ends = max(since / 60 - start, 0.0), min(until / 60 - start, float(count))
        if ends <= begins:
            continue
        first, last = -int(-begins // 1), int(ends)
        if first > last:  # within one minute
            mixed[last] = mixed.get(last, 0.0) + value * (ends - begins)
            continue
        if first > begins:
            mixed[first - 1] = mixed.get(first - 1, 0.0) + value * (first - begins)
        if ends > last:
            mixed[last] = mixed.get(last, 0.0) + value * (ends - last)
        if last > first:
            whole.append((first, last, value))
    return sorted([*whole, *((i, i + 1, value) for i, value in mixed.items())])


def between(changes: Iterable[tuple[float, float]], until: float) -> Iterator[Stretch]:
    """Stretches from changes `(at, value)` in order of time; the last one holds until `until`."""
    since: float | None = None
    held = 0.0
    for at, value in changes:
        if since is not None and at > since:
            yield since, at, held
        since, held = at, value
    if since is not None:
        yield since, until, held


def joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """The same with neighbours of one value as one stretch."""
    held: Stretch | None = None
    for since, until, value in stretches:
        if held is not None and held[1] == since and held[2] == value:
            held = (held[0], until, value)
            continue
        if held is not None:
            yield held
        held = (since, until, value)
    if held is not None:
        yield held


def spread(found: Iterable[Run], count: int, default: float = 0.0) -> list[float]:
    """One value a minute."""
    values = [default] * count
    for first, last, value in found:
        values[first:last] = [value] * (last - first)
    return values
