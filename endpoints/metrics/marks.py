"""What metrics say about an endpoint that a person should notice. Pure.

Marks go down to the mirror as data, whose list of endpoints is sorted by the worst of all marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from endpoints.inventory.marks import Mark, Severity
from endpoints.metrics.telemetry import State

# Minutes of the last hour over the budget from which on it is no passing peak.
OVER_MINUTES = 5
TIGHT_SHARE = 0.8
# Below so many requests in the hour a share of failures says little.
ENOUGH_REQUESTS = 50

_UNSEEN = {
    State.LATE: "metrics late",
    State.FORBIDDEN: "metrics forbidden",
    State.UNREADABLE: "metrics unreadable",
    State.UNREACHABLE: "metrics unreachable",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """The last hour of an endpoint. NULLs of the database are None: unknown, and no reason for a mark."""

    state: str
    reason: str
    failure_share: float | None
    over_budget: int | None
    budget_p95: float | None
    budget_failure_share: float | None
    p95: float | None
    throttled: float | None
    requests: float | None
    is_live: bool


def find(facts: Facts) -> list[Mark]:
    """All marks, worst first."""
    found = [*_latency(facts), *_failures(facts), *_throttled(facts), *_unseen(facts)]
    return sorted(found, key=lambda mark: -mark.severity)


def _latency(facts: Facts) -> Iterator[Mark]:
    if facts.budget_p95 is None:
        return
    limit = f"{facts.budget_p95:.0f}\u00a0ms"
    if facts.over_budget:
        lasting = facts.over_budget >= OVER_MINUTES
        sentence = f"p95 was over the budget of {limit} in {facts.over_budget} minutes of the last hour."
        yield Mark("over-budget", Severity.BAD if lasting else Severity.WARN, "over budget", sentence)
    elif facts.p95 is not None and facts.p95 >= TIGHT_SHARE * facts.budget_p95:
        sentence = f"p95 is {facts.p95:.0f}\u00a0ms, close to the budget of {limit}."
        yield Mark("tight", Severity.WARN, "tight", sentence)


def _failures(facts: Facts) -> Iterator[Mark]:
    limit, share = facts.budget_failure_share, facts.failure_share
    enough = facts.requests is not None and facts.requests >= ENOUGH_REQUESTS
    if limit is not None and share is not None and share > limit and enough:
        sentence = (
            f"{share:.2%} of the requests of the last hour failed; the budget allows {limit:.2%}."
        ).replace("%", "\u00a0%")
        yield Mark("failing", Severity.BAD, "failing", sentence)


def _throttled(facts: Facts) -> Iterator[Mark]:
    if facts.throttled:
        sentence = (
            f"{facts.throttled:,.0f} requests of the last hour were refused, because no replica was free."
        )
        yield Mark("throttled", Severity.WARN, "throttled", sentence)


def _unseen(facts: Facts) -> Iterator[Mark]:
    label = _UNSEEN.get(State(facts.state))
    if label and facts.is_live:
        sentence = f"How it serves is not known now. {facts.reason}".strip()
        yield Mark("metrics-unknown", Severity.UNKNOWN, label, sentence)
