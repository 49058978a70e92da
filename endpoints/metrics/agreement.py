"""From which minute on requests went where a split sends them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Agreement:
    """The first whole minute from which on requests follow the order; None: not known, `reason` says why.

    A minute is the finest that metrics tell: the order took effect some time before the minute's end.
    """

    minute: datetime | None
    reason: str
