"""What the gates of a rollout read: an endpoint's minutes by deployment, how far they reach, and why not further."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class GateMinute:
    """One minute of one deployment; None is unknown, and zero only where Azure says zero.

    `errors` are what the deployment failed (5xx, and errors of its model, which are no 5xx). `throttled` are 429s.
    """

    minute: datetime
    requests: float | None = None
    errors: float | None = None
    throttled: float | None = None
    p95: float | None = None
    cpu_max: float | None = None
    memory_max: float | None = None
    gpu_max: float | None = None


@dataclass(frozen=True, slots=True)
class GateMinutes:
    """By lower-case name, every whole minute from `since` on that Azure has had its say of, oldest first.

    `read_until`: of later minutes Azure has not told yet; None when it never told anything. Those from
    `settled_until` on it may still revise: enough to stop by, not to pass by. `waiting` says in words what is still
    to come; `unreadable` why nothing more comes as things are. Both are "" where all up to `until` is there.
    """

    since: datetime
    until: datetime
    by_deployment: Mapping[str, tuple[GateMinute, ...]]
    read_until: datetime | None
    settled_until: datetime | None
    waiting: str
    unreadable: str


def gate_minutes(
    endpoint_id: int,
    deployments: Iterable[str],
    since: datetime,
    until: datetime,
    *,
    now: datetime | None = None,
) -> GateMinutes:
    """The whole minutes inside a stretch, of each deployment that is named, kept ones included. Two queries."""
    raise NotImplementedError
