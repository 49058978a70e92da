"""The strip of one day of an endpoint: what of it a passport can answer for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from endpoints.challenges.coverage import Coverage, Logged, Possible, Switch, coverage
from endpoints.challenges.selectors.logs import logged_spans
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import endpoint_facts, model_switches, runs_between, split_stretches

_DAY = timedelta(days=1)


def coverage_of(endpoint_id: int, day: date) -> Coverage | None:
    """Of a UTC day, of today as far as it is over; None for a day that has not begun. NotFound without the endpoint."""
    since = datetime.combine(day, time(), UTC)
    until = min(since + _DAY, db_now().astimezone(UTC))
    facts = endpoint_facts(endpoint_id)
    if until <= since:
        return None
    return coverage(
        since,
        until,
        readings=runs_between(facts.workspace_id, facts.arm_id, since, until),
        logged=[
            Logged(one.since, one.until, one.outcome, one.reason)
            for one in logged_spans(endpoint_id, since, until)
        ],
        splits=[
            Possible(one.since, one.until, _distinct(live for live, _ in one.splits))
            for one in split_stretches(endpoint_id, since, until)
        ],
        switches=[
            Switch(one.name, one.since, one.until) for one in model_switches(endpoint_id, since, until)
        ],
    )


def _distinct(splits: Iterable[dict[str, int]]) -> tuple[dict[str, int], ...]:
    """Two states may differ in mirrored traffic alone."""
    found: list[dict[str, int]] = []
    for one in splits:
        if one not in found:
            found.append(one)
    return tuple(found)
