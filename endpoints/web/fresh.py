"""How old Azure's data is, in the colours of the whole portal: they scale with how often it is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.conf import settings

from endpoints.inventory.selectors import CurrentSplit, Freshness, freshness
from endpoints.web.wording import age, ahead, clock, seconds_since

OLD_AFTER = 2.0
"""Times the cadence: grey until then, amber until LOST_AFTER, purple beyond."""
LOST_AFTER = 10.0

Level = Literal["fresh", "old", "lost"]


@dataclass(frozen=True, slots=True)
class Chip:
    """What the chip at the top says."""

    level: Level
    text: str
    seconds: int | None = None
    """How old at the moment of the answer; the browser adds what went by since. None: never read."""
    cadence: float = 0.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """The banner of a page whose data is not current: one per page, with the cause."""

    title: str
    text: str


def chip(read_at: datetime | None, cadence_seconds: float | None) -> Chip:
    """The chip for data read at `read_at`, when it is read every `cadence_seconds`."""
    if read_at is None:
        return Chip("lost", "Azure not read yet")
    cadence = cadence_seconds or settings.OPSPORTAL.sync_cadence_seconds
    seconds = seconds_since(read_at)
    if seconds > LOST_AFTER * cadence:
        return Chip("lost", f"Not current: {age(read_at)} old", int(seconds), cadence)
    level: Level = "old" if seconds > OLD_AFTER * cadence else "fresh"
    return Chip(level, f"Azure data {age(read_at)} old", int(seconds), cadence)


def chip_of_split(workspace_id: int, live: CurrentSplit | None) -> Chip | None:
    """The chip of a page about one endpoint; None when it is gone."""
    return chip(live.read_ended, freshness(workspace_id).cadence_seconds) if live else None


def chip_of_all(ages: Iterable[Freshness]) -> Chip | None:
    """The chip of a page about several workspaces: that of the oldest data."""
    found = sorted(ages, key=lambda one: one.read_at.timestamp() if one.read_at else 0.0)
    return chip(found[0].read_at, found[0].cadence_seconds) if found else None


def trouble_of(named: Iterable[tuple[str, Freshness]]) -> Trouble | None:
    """What to say when workspaces could not be read, or are behind; None while all is well."""
    bad = [(slug, one) for slug, one in named if one.is_failing or one.is_stale]
    if not bad:
        return None
    slug, one = bad[0]
    if len(bad) > 1:
        title = f"{len(bad)} workspaces are not current: {', '.join(slug for slug, _ in bad)}."
        return Trouble(title, f"{_cause(slug, one)} Scoring is not affected by this.")
    return Trouble(_headline(slug, one), f"{_cause(slug, one)} Scoring is not affected by this.")


def _headline(slug: str, one: Freshness) -> str:
    if one.read_at is None:
        return f"{slug} has not been read yet."
    return f"{slug} could not be read since {clock(one.read_at)}; older values are shown."


def _cause(slug: str, one: Freshness) -> str:
    cause = f"{slug}: {one.cause}" if one.cause else "No error was reported; the reading is late."
    retry = f" Azure asked us to slow down; next read {ahead(one.retry_at)}." if one.retry_at else ""
    return cause + retry
