"""How often Azure lets us read, and what is said about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.inventory import pacing
from tests.inventory.support import at


@pytest.mark.parametrize(("calls", "seconds"), [(0, 30), (210, 30), (600, 30), (601, 31), (2020, 101)])
def test_pace__by_number_of_calls__stretches_when_the_budget_ends(calls, seconds):
    pace = pacing.achievable(calls, wished=30, refill=25)

    assert pace.seconds == seconds
    assert bool(pace.reason) == (seconds > 30)


def test_pace__stretched__says_why_in_numbers():
    reason = pacing.achievable(2020, wished=30, refill=25).reason

    assert "2,020 requests" in reason
    assert "every 101 s instead of every 30 s" in reason


@given(st.integers(0, 100_000), st.floats(1, 3600))
def test_pace__of_any_fleet__never_spends_more_than_its_share(calls, wished):
    pace = pacing.achievable(calls, wished=wished, refill=25)

    assert calls / pace.seconds <= 25 * pacing.SHARE + 1e-6


@pytest.mark.parametrize(("failures", "wait"), [(1, 30), (2, 60), (3, 120), (5, 300), (50, 300)])
def test_failures__in_a_row__double_the_wait_to_five_minutes(failures, wait):
    assert pacing.after_failures(30, failures) == wait


def test_due__azure_said_when__is_not_before_that():
    due = pacing.next_due(at(0), at(2), pace=30, failures=1, retry_at=at(600))

    assert due == at(600)


def test_due__reading_took_longer_than_the_pace__is_its_end():
    assert pacing.next_due(at(0), at(45), pace=30, failures=0, retry_at=None) == at(45)
    assert pacing.next_due(at(0), at(5), pace=30, failures=0, retry_at=None) == at(0) + timedelta(seconds=30)
