"""What a request that is really sent meets: the load and the bad times that the metrics of its minute show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from emulator.models import Failure
from emulator.monitor.load import Spell
from emulator.monitor.minutes import Minutes

_SPELL_REASON = "Exception in run()"


@dataclass(frozen=True, slots=True)
class Moment:
    """The factor on latencies, the share of requests that is turned away, and the ways to fail."""

    strain: float = 1.0
    turned_away: float = 0.0
    failures: tuple[Failure, ...] = ()


def moment(minutes: Minutes, now: float) -> Moment:
    """Of a window of one minute, in which `now` lies."""
    sent, carried = minutes.requests[0], minutes.carried[0]
    return Moment(
        strain=minutes.strain[0],
        turned_away=max(1.0 - carried / sent, 0.0) if sent else 0.0,
        failures=(*minutes.model.failures, *_bad_times(minutes.spells, now)),
    )


def _bad_times(spells: Iterable[Spell], now: float) -> Iterable[Failure]:
    for spell in spells:
        if spell.failure_rate and spell.start <= now < spell.end:
            yield Failure(spell.failure_rate, spell.status, _SPELL_REASON)
