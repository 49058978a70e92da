"""Facts and sights for tests of the decider, with everything ordinary filled in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from endpoints.changes import decide as d
from endpoints.changes.lifecycle import Kind, State

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMITS = d.Limits()
BASE = d.Split.of({"blue": 100})
CANARY = d.Split.of({"blue": 90, "green": 10})
FOREIGN = d.Split.of({"blue": 50, "green": 50})
STANDING = {"blue": "Succeeded", "green": "Succeeded"}


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def forward(state: State = State.APPLYING, **more: Any) -> d.Facts:
    """A change from BASE to CANARY that was started at T0."""
    return d.Facts(
        **{"kind": Kind.TRAFFIC, "state": state, "target": CANARY, "before": BASE, "step_since": T0} | more
    )


def rollback(state: State = State.APPLYING, **more: Any) -> d.Facts:
    """A rollback to BASE that was ordered at T0."""
    return d.Facts(
        **{"kind": Kind.ROLLBACK, "state": state, "target": BASE, "before": None, "step_since": T0} | more
    )


def call(
    seconds: float = 0.0, outcome: d.AttemptOutcome | None = d.AttemptOutcome.ACCEPTED, **more: Any
) -> Any:
    """The newest call of the step, sent `seconds` after T0."""
    return d.LastAttempt(sent_at=at(seconds), outcome=outcome, **more)


def shows(
    split: d.Split, state: str = "Succeeded", deployments: Mapping[str, str] = STANDING, **more: Any
) -> d.Seen:
    """Azure as just read."""
    return d.Seen(endpoint=d.SeenEndpoint(True, split, state, deployments, **more))


def unreadable(trouble: d.Trouble, text: str = "no", retry_at: datetime | None = None) -> d.Seen:
    return d.Seen(endpoint=d.ReadFailure(trouble, text, retry_at))


def decide(facts: d.Facts, seen: d.Seen | None = None, seconds: float = 1.0) -> d.Action:
    """What is done `seconds` after T0."""
    return d.decide(facts, seen or d.Seen(), at(seconds), LIMITS)
