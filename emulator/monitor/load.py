"""How much the world wants of an endpoint, and when its deployments have a bad time. Told by the scenario."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from emulator import names
from emulator.values import Json, chance

LONGEST = 4_102_444_800.0  # the year 2100: an incident without an end


@dataclass(frozen=True, slots=True)
class Load:
    """Requests a minute on an average weekday, busiest to quietest minute, the busiest hour in UTC, weekends."""

    rpm: float = 0.0
    peak: float = 3.0
    hour: float = 14.0
    weekend: float = 0.7
    logged: float = 0.0
    """So many of each minute's requests, at most, the logs tell of for each deployment, beside those really sent."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A bad time of one deployment, in epoch seconds. One that grows does so until its end, and then stays so."""

    start: float
    end: float
    p95_factor: float = 1.0
    failure_rate: float = 0.0
    status: int = 500
    grows: bool = False
    lasts: float = LONGEST
    """Until when one that grows stays as bad as it came to be."""


@dataclass(slots=True)
class Workload:
    """What the scenario tells beyond the world's state, by the key of an endpoint or a deployment."""

    began: datetime
    """When this world was first started: distances such as -26h are counted from here."""
    loads: dict[str, Load] = field(default_factory=dict)
    spells: dict[str, tuple[Spell, ...]] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    """Endpoints that have no metrics at all."""
    diagnostics: dict[str, list[Json]] = field(default_factory=dict)

    def load(self, endpoint: str) -> Load:
        """Nobody calls an endpoint that the scenario does not know."""
        return self.loads.get(names.key(endpoint), _NONE)


_NONE = Load()


def made_up(seed: int, endpoint: str, carried: float) -> Load:
    """A load for an endpoint that tells none: some of what its deployments carry, mostly little."""
    roll = chance(seed, "load", names.key(endpoint))
    return Load(
        rpm=round(carried * (0.01 + 0.3 * roll**3), 1),
        peak=(2.0, 3.0, 4.5)[int(3 * chance(seed, "peak", endpoint))],
        hour=float(9 + int(11 * chance(seed, "hour", endpoint))),
        weekend=(0.3, 0.7, 1.1)[int(3 * chance(seed, "weekend", endpoint))],
    )


def spell(start: float, end: float | None, told: Json) -> Spell:
    """A spell from the scenario's mapping, whose names were checked."""
    return Spell(start, LONGEST if end is None else end, **told)
