"""The strip of a day: what its lanes say, that they have no gaps, and that a passport keeps what the strip promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.access.models import Workspace
from endpoints.challenges.coverage import Coverage, Logged, Mark, Possible, Switch, coverage
from endpoints.challenges.facts import Sure
from endpoints.challenges.selectors.coverage import coverage_of
from endpoints.challenges.selectors.passport import passport_at
from endpoints.dispatch import db_now
from tests.challenges.past import Past

DAY = datetime(2026, 11, 23, tzinfo=UTC)
BLUE, HALF = {"blue": 100}, {"blue": 50, "green": 50}


def at(minutes: float) -> datetime:
    return DAY + timedelta(minutes=minutes)


def day(
    *,
    readings: tuple[float, ...] = (),
    logged: tuple[Logged, ...] = (),
    splits: tuple[Possible, ...] = (),
    switches: tuple[Switch, ...] = (),
) -> Coverage:
    return coverage(
        at(0),
        at(60),
        readings=[(at(minute), at(minute + 0.1)) for minute in readings],
        logged=logged or (Logged(at(0), at(60), "unread"),),
        splits=splits or (Possible(at(0), at(60), (BLUE,)),),
        switches=switches,
    )


def said(found: Coverage, lane: str) -> list[tuple[float, float, str]]:
    return [
        ((part.since - DAY).total_seconds() / 60, (part.until - DAY).total_seconds() / 60, part.mark.value)
        for part in found.lane(lane).parts
    ]


def test_mirror__read_often_enough__is_fresh_and_else_says_how_far_readings_are_apart() -> None:
    found = day(readings=(-1, 2, 6, 30, 34, 38))
    assert said(found, "mirror") == [(0, 6, "good"), (6, 30, "partly"), (30, 38, "good"), (38, 60, "missing")]
    assert found.lane("mirror").parts[1].words == "Two readings are 24 min apart."


def test_mirror__never_read__is_missing_all_along() -> None:
    assert said(day(), "mirror") == [(0, 60, "missing")]


def test_log__is_good_only_where_it_was_read_and_says_why_not_elsewhere() -> None:
    found = day(
        logged=(
            Logged(at(0), at(10), "failed", "The workspace refuses it."),
            Logged(at(10), at(30), "read"),
            Logged(at(30), at(40), "unread"),
            Logged(at(40), at(60), "off", "It is not exported."),
        )
    )
    assert said(found, "log") == [
        (0, 10, "missing"),
        (10, 30, "good"),
        (30, 40, "missing"),
        (40, 60, "missing"),
    ]
    words = [part.words for part in found.lane("log").parts]
    assert words == ["The workspace refuses it.", "Read.", "Not read.", "It is not exported."]


def test_answer__is_certain_by_log_or_by_a_split_to_one() -> None:
    found = day(
        logged=(
            Logged(at(0), at(20), "unread"),
            Logged(at(20), at(25), "read"),
            Logged(at(25), at(60), "off"),
        ),
        splits=(
            Possible(at(0), at(10), (BLUE,)),
            Possible(at(10), at(12), (BLUE, HALF)),
            Possible(at(12), at(40), (HALF,)),
            Possible(at(40), at(50), ({},)),
            Possible(at(50), at(60), ()),
        ),
    )
    assert said(found, "answer") == [
        (0, 10, "good"), (10, 12, "partly"), (12, 20, "partly"), (20, 25, "good"), (25, 40, "partly"),
        (40, 50, "missing"), (50, 60, "missing"),
    ]  # fmt: skip
    assert found.ambiguous_seconds == 120


def test_answer__while_a_models_version_is_changed_in_place__is_one_of_several_even_with_the_log() -> None:
    switches = (Switch("blue", at(10), at(11)), Switch("violet", at(30), at(31)))
    found = day(logged=(Logged(at(0), at(60), "read"),), switches=switches)
    assert said(found, "answer") == [(0, 10, "good"), (10, 11, "partly"), (11, 60, "good")]
    assert found.ambiguous_seconds == 120


_edges = st.lists(st.integers(0, 60), min_size=2, max_size=6, unique=True).map(sorted)


@given(
    readings=st.lists(st.integers(-10, 70), max_size=12, unique=True).map(sorted),
    outcomes=st.lists(st.sampled_from(["read", "off", "failed", "unread"]), min_size=8, max_size=8),
    edges=_edges,
)
def test_lanes__of_anything__cover_the_day_without_gaps(
    readings: list[int], outcomes: list[str], edges: list[int]
) -> None:
    bounds = sorted({0, 60, *edges})
    splits = tuple(
        Possible(at(begin), at(end), ((), (BLUE,), (BLUE, HALF))[place % 3])
        for place, (begin, end) in enumerate(pairwise(bounds))
    )
    found = day(
        readings=tuple(readings),
        logged=tuple(
            Logged(at(begin), at(end), outcome)
            for (begin, end), outcome in zip(pairwise(bounds), outcomes, strict=False)
        ),
        splits=splits,
    )
    for lane in found.lanes:
        assert lane.parts[0].since == at(0)
        assert lane.parts[-1].until == at(60)
        assert all(one.until == other.since for one, other in pairwise(lane.parts))
        assert all(part.since < part.until for part in lane.parts)
        assert sum(lane.seconds(mark) for mark in Mark) == 3600


@pytest.mark.django_db
def test_passport__of_every_minute__keeps_what_the_strip_promises(workspace: Workspace) -> None:
    past = Past(workspace)
    past.split(BLUE, earliest=None, latest=0)
    past.split(HALF, earliest=19.5, latest=20.5)
    past.split({"green": 100}, earliest=28.5, latest=30.5)
    past.split({"green": 100}, earliest=34, latest=36, tags={"owner": "fraud"})
    past.split({}, earliest=38.5, latest=40.5)
    past.deployment("blue", 6)
    green = past.deployment("green", 7)
    past.built(green, 8, earliest=32.5, latest=33.5)
    past.read(*range(0, 60, 3), 71)
    days = {past.at(minute).date() for minute in (-5, 80)}
    strips = {one: coverage_of(past.endpoint.pk, one) for one in days}
    promised = set()
    for minute in range(-5, 80):
        moment = past.at(minute)
        strip = strips[moment.date()]
        assert strip is not None
        sure = passport_at(past.endpoint.pk, moment).sure
        assert strip.sure_at(moment) is sure, minute
        promised.add(sure)
    assert promised == set(Sure) - {Sure.ESTIMATE}


@pytest.mark.django_db
def test_coverage__of_a_day_that_has_not_begun__is_none(workspace: Workspace) -> None:
    past = Past(workspace)
    assert coverage_of(past.endpoint.pk, (db_now() + timedelta(days=2)).date()) is None
