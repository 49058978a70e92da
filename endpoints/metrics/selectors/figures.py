"""Business figures of an endpoint: which there are, and what they were by deployment and minute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from endpoints.metrics.figures import Kind


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A figure that somebody defined for an endpoint. `newest`: its newest minute of any deployment."""

    id: int
    endpoint_id: int
    name: str
    label: str
    kind: Kind
    unit: str
    made_by: str
    made_at: datetime
    ended_at: datetime | None
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class FigureMinute:
    """One minute of one deployment: `total` over `count` observations; their ratio is the rate, or the mean."""

    minute: datetime
    count: int
    total: float


@dataclass(frozen=True, slots=True)
class FigureMinutes:
    """By lower-case name, the minutes that were sent, oldest first. What was not sent is unknown.

    `sent_until`: the end of the newest minute that anybody sent, None when none was. `unreadable`: why there is
    nothing to read at all, such as a figure that nobody defined, or one that was ended.
    """

    figure: FigureRow | None
    by_deployment: Mapping[str, tuple[FigureMinute, ...]]
    sent_until: datetime | None
    unreadable: str


def figures_between(
    endpoint_id: int, figure: str, deployments: Iterable[str], since: datetime, until: datetime
) -> FigureMinutes:
    """The whole minutes inside a stretch, of each deployment that is named, kept ones included. Two queries."""
    raise NotImplementedError
