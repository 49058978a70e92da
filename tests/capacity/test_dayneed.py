"""What would have carried a day, and what of it was too much."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from endpoints.capacity.dayneed import needed
from endpoints.capacity.needs import Settings
from endpoints.metrics.selectors.paid_hours import UsedHour

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def hour(requests: float | None, *, cpu: float | None = 40.0, p95: float | None = 100.0) -> UsedHour:
    """On four instances."""
    return UsedHour(NOON, 60, 0, 60, 240.0, 0.0, requests, p95, cpu, None, 0.0)


@pytest.mark.parametrize(
    ("hours", "concurrent", "instances"),
    [
        ([hour(36_000)] * 9, None, 3),  # 150 each at 40 %, so 300 at 80 %; 600 and a fifth more take 3
        ([hour(36_000)] * 9 + [hour(0)] * 15, None, 3),
        ([hour(36_000, p95=10_000)] * 9, 10, 12),  # 100 at once, and a fifth more
        ([hour(36_000, cpu=1.0)] * 9, None, 1),
        ([hour(36_000, cpu=None)] * 9, None, None),
        ([hour(36_000)] * 2, None, None),
        ([hour(0), hour(None)], None, None),
        ([], None, None),
    ],
)
def test_day__by_its_own_hours__would_have_taken(
    hours: list[UsedHour], concurrent: int | None, instances: int | None
) -> None:
    assert needed(hours, concurrent=concurrent, settings=Settings()) == instances
