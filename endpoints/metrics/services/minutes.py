"""Store minutes: many at once, as often as they come, and nothing known is ever lost to an unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from endpoints.metrics.points import MinuteRow


@dataclass(frozen=True, slots=True)
class Written:
    """What came of some rows. `rows` were taken, `changed` of them brought something new.

    `refused` were not stored: older than minutes are kept and in no kept window, in the future, or without any value.
    """

    rows: int = 0
    changed: int = 0
    refused: int = 0


def write_minutes(rows: Iterable[MinuteRow]) -> Written:
    """Store minutes within their retention or a kept window; their hours become due for a rollup."""
    raise NotImplementedError
