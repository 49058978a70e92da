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

    A deployment that failed is billed as any other: what the mirror says of its instances counts.
    """
    alive = mirrored.alive_minutes
    if not 0 <= alive <= 60:
        raise ValueError(f"an hour has no {alive} minutes")
    if alive == 0:
        return NOTHING
    paid = _paid(mirrored, measured)
    if paid is None:
        return Hour(None)
    total = round(paid)
    if measured is None or measured.request_minutes <= 0:
        return Hour(total, unknown=total)
    told = min(measured.request_minutes, alive)
    idle = min(measured.idle_minutes, told)
    unserved = min(total, int(_unserved(mirrored, measured, paid / (alive * MINUTE), idle) * MINUTE))
    unknown = min(total - unserved, int(paid * (alive - told) / alive))
    if told == idle:  # whatever was told says that nobody came: the rest is not known
        return Hour(total, unserved=unserved, unknown=total - unserved)
    served = total - unserved - unknown
    over = 0 if needed is None else max(0, served - needed * (told - idle) * MINUTE)
    return Hour(total, useful=served - over, unserved=unserved, over=over, unknown=unknown)


def _paid(mirrored: Mirrored, measured: Measured | None) -> Fraction | None:
    """Measured minutes as they were measured, the others by the mirror."""
    seen, minutes = Fraction(0), 0
    if measured is not None and measured.instance_minutes is not None:
        minutes = min(measured.capacity_minutes, mirrored.alive_minutes)
        seen = Fraction(measured.instance_minutes)
        if measured.capacity_minutes > minutes:  # it was measured for longer than it was seen to be there
            seen = seen * minutes / measured.capacity_minutes
    rest = mirrored.alive_minutes - minutes
    if rest and mirrored.instances is None:
        return None
    return (seen + rest * (mirrored.instances or Fraction(0))) * MINUTE


def _unserved(mirrored: Mirrored, measured: Measured, mean: Fraction, idle: int) -> Fraction:
    """Instance-minutes that certainly had no request: at least so many."""
    both = Fraction(measured.idle_instance_minutes or 0)
    known = measured.capacity_minutes if measured.idle_instance_minutes is not None else 0
    # Of the idle minutes at most `known` are counted already; the others had the mirror's number of instances.
    beyond = max(0, idle - min(known, mirrored.alive_minutes))
    each = mirrored.instances if mirrored.instances is not None else mean
    return both + beyond * each


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
