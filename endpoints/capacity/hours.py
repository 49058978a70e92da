"""One hour of one deployment: what was paid, and of it what served nobody, what was too much, what is not known. Pure.

Everything is counted in whole instance-seconds, so that sums are exact. No second counts twice, and none is negative:
paid = useful + unserved + over + unknown, always. Two numbers are never mixed: unserved (no request came) and over
(requests came, but fewer instances would have done).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

MINUTE = 60


@dataclass(frozen=True, slots=True)
class Measured:
    """What the hour's rollup knows. Each count is of minutes; an instance-minute is one instance for one minute.

    `idle_minutes` had no request, `capacity_minutes` a known number of instances. `idle_instance_minutes` are those of
    minutes in which both are known; None: there was no such minute.
    """

    request_minutes: int
    idle_minutes: int
    capacity_minutes: int
    instance_minutes: float | None
    idle_instance_minutes: float | None


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What the mirror knows: minutes for which the deployment was there, and its instances; None: Azure did not say."""

    alive_minutes: int
    instances: Fraction | None  # the mean over these minutes


@dataclass(frozen=True, slots=True)
class Hour:
    """Instance-seconds. `paid` None: how many instances there were is not known, and so is nothing else."""

    paid: int | None
    useful: int = 0
    unserved: int = 0
    over: int = 0
    unknown: int = 0


NOTHING = Hour(0)


def account(mirrored: Mirrored, measured: Measured | None, needed: int | None = None) -> Hour:
    """Split an hour. `needed`: instances that would have carried what was served; None: that is not known.

    A deployment that failed is billed as any other: what the mirror says of its instances counts. Unserved and over
    are what is certain; what could be either they or useful is unknown.
    """
    alive = mirrored.alive_minutes
    if not 0 <= alive <= 60:
        raise ValueError(f"an hour has no {alive} minutes")
    if alive == 0:
        return NOTHING
    seen, counted = _seen(measured, alive)
    if counted < alive and mirrored.instances is None:
        return Hour(None)
    each = seen / counted if mirrored.instances is None else mirrored.instances
    paid = seen + (alive - counted) * each
    total = round(paid * MINUTE)
    if measured is None or measured.request_minutes <= 0:
        return Hour(total, unknown=total)
    told = min(measured.request_minutes, alive)
    # Of requests that were told for longer than it was there, whatever was busy may have been within.
    idle = max(0, min(measured.idle_minutes, measured.request_minutes) - (measured.request_minutes - told))
    certain, perhaps = _unserved(measured, each, told, idle, counted)
    unserved = min(total, int(certain * MINUTE))
    if told == idle:  # whatever was told says that nobody came: the rest is not known
        return Hour(total, unserved=unserved, unknown=total - unserved)
    gap = _gap(alive - told, alive - counted, each, seen / counted if counted else each)
    unknown = min(total - unserved, int((gap + perhaps) * MINUTE))
    served = total - unserved - unknown
    over = 0 if needed is None else max(0, served - needed * (told - idle) * MINUTE)
    return Hour(total, useful=served - over, unserved=unserved, over=over, unknown=unknown)


def _seen(measured: Measured | None, alive: int) -> tuple[Fraction, int]:
    """Measured instance-minutes, and of how many minutes. The mirror speaks for the others."""
    if measured is None or measured.instance_minutes is None or measured.capacity_minutes <= 0:
        return Fraction(0), 0
    seen, counted = Fraction(measured.instance_minutes), min(measured.capacity_minutes, alive)
    # It may have been measured for longer than it was seen to be there.
    return seen * counted / measured.capacity_minutes, counted


def _gap(untold: int, uncounted: int, each: Fraction, mean: Fraction) -> Fraction:
    """Instance-minutes of which no requests were told.

    A minute that is missing misses mostly both, requests and instances: what the mirror says of those counts.
    """
    both = min(untold, uncounted)
    return both * each + (untold - both) * mean


def _unserved(
    measured: Measured, each: Fraction, told: int, idle: int, counted: int
) -> tuple[Fraction, Fraction]:
    """Instance-minutes that certainly had no request, and more that perhaps had none."""
    known = measured.idle_instance_minutes is not None
    # Of the idle minutes at most so many are in what was measured; the others had the mirror's number of instances.
    beyond = max(0, idle - counted) if known else idle
    uncounted = max(0, told - counted)  # minutes with known requests whose instances were not measured
    perhaps = max(0, min(idle, uncounted) - beyond) if known else 0
    within = Fraction(idle, max(idle, measured.idle_minutes, 1))
    return Fraction(measured.idle_instance_minutes or 0) * within + beyond * each, perhaps * each


def add(*hours: Hour) -> Hour:
    """The sum of hours whose paid time is known; the others are left out, and counted by whoever asks."""
    known = [hour for hour in hours if hour.paid is not None]
    return Hour(
        sum(hour.paid or 0 for hour in known),
        sum(hour.useful for hour in known),
        sum(hour.unserved for hour in known),
        sum(hour.over for hour in known),
        sum(hour.unknown for hour in known),
    )
