"""Each idle hour has one cause, taken from history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from endpoints.capacity.causes import WORDS, Cause, Moment, Part, Role, Rules, cause_of, off_hours

NOON = datetime(2026, 11, 18, 11, tzinfo=UTC)  # a Wednesday
DAY = timedelta(days=1)
RULES = Rules(
    {"environment": frozenset({"test", "dev"}), "purpose": frozenset({"hackathon"})},
    ZoneInfo("Europe/Berlin"),
)
IDLE = Moment(
    at=NOON, weight=0, mirrored=0, endpoint_weight=100, parts=(), tags={}, owner=True, served_that_week=False
)


def part(
    role: Role, *, whole: bool, started: int = 10, ended: int | None = 9, warm: int | None = None
) -> Part:
    """A change so many days before noon; `warm`: so many days after it."""
    return Part(
        "change:7",
        role,
        NOON - started * DAY,
        None if ended is None else NOON - ended * DAY,
        whole,
        None if warm is None else NOON + warm * DAY,
    )


@pytest.mark.parametrize(
    ("moment", "cause", "ref"),
    [
        (replace(IDLE, parts=(part(Role.FORMER, whole=True, warm=1),)), Cause.ROLLBACK_WINDOW, "change:7"),
        (replace(IDLE, parts=(part(Role.FORMER, whole=True, warm=-1),)), Cause.DUPLICATE, "change:7"),
        (replace(IDLE, parts=(part(Role.FORMER, whole=True),)), Cause.DUPLICATE, "change:7"),
        (replace(IDLE, parts=(part(Role.CANDIDATE, whole=False),)), Cause.FAILED_ROLLOUT, "change:7"),
        (replace(IDLE, parts=(part(Role.CANDIDATE, whole=False, ended=None),)), Cause.ROLLOUT, "change:7"),
        (
            replace(IDLE, weight=5, parts=(part(Role.CANDIDATE, whole=True),)),
            Cause.FORGOTTEN_CANARY,
            "change:7",
        ),
        (replace(IDLE, tags={"Environment": "Test"}), Cause.TEST, "tag:environment"),
        (replace(IDLE, tags={"purpose": "hackathon"}), Cause.TEST, "tag:purpose"),
        (replace(IDLE, endpoint_weight=0), Cause.ENDPOINT_OFF, ""),
        (IDLE, Cause.FORGOTTEN_CANARY, ""),
        (replace(IDLE, weight=100, wrong_autoscale="it scales out"), Cause.WRONG_AUTOSCALE, ""),
        (
            replace(IDLE, weight=100, served_that_week=True, at=NOON + timedelta(hours=12)),
            Cause.NIGHT_OR_WEEKEND,
            "",
        ),
        (replace(IDLE, weight=100, served_that_week=True), Cause.NO_REQUESTS, ""),
        (replace(IDLE, weight=100, owner=False), Cause.NO_OWNER, ""),
        (replace(IDLE, weight=None, mirrored=None, endpoint_weight=None), Cause.NO_REQUESTS, ""),
        # Whatever else is true, what is kept to roll back to is justified.
        (
            replace(IDLE, tags={"environment": "test"}, parts=(part(Role.FORMER, whole=True, warm=1),)),
            Cause.ROLLBACK_WINDOW,
            "change:7",
        ),
        # Mirrored traffic is no idleness that a canary's rule could explain.
        (replace(IDLE, mirrored=10), Cause.NO_REQUESTS, ""),
    ],
)
def test_cause__of_an_idle_hour__is_the_first_that_history_gives(
    moment: Moment, cause: Cause, ref: str
) -> None:
    found = cause_of(moment, RULES)
    assert (found.cause, found.ref) == (cause, ref)
    assert WORDS[found.cause]


def test_cause__a_change_of_the_time_after__explains_nothing_before_it() -> None:
    later = part(Role.CANDIDATE, whole=False, started=-1, ended=-2)
    assert cause_of(replace(IDLE, weight=100, parts=(later,)), RULES).cause is Cause.NO_REQUESTS


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-10-25T05:30:00+00:00", True),  # a Sunday: clocks went back that night
        ("2026-10-26T05:59:00+00:00", True),  # 06:59 in Berlin, now an hour from UTC
        ("2026-10-26T06:00:00+00:00", False),  # 07:00
        ("2026-10-23T05:00:00+00:00", False),  # 07:00, still two hours from UTC
        ("2026-10-23T18:00:00+00:00", True),  # 20:00
    ],
)
def test_off_hours__around_the_end_of_summer_time__go_by_the_workspaces_clock(
    moment: str, expected: bool
) -> None:
    assert off_hours(datetime.fromisoformat(moment), RULES) is expected
