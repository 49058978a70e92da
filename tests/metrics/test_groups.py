"""Who is read with whom, and from when on: nobody is forgotten, and nobody's trouble becomes the others'."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from endpoints.metrics import lag
from endpoints.metrics.services.groups import groups
from endpoints.metrics.services.reading import Target
from endpoints.metrics.telemetry import State

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
REREAD = 10 * MINUTE
USUAL = lag.Stretch(NOON - 11 * MINUTE, NOON)
FRESH = Target(1, "one", {}, NOON - MINUTE + timedelta(seconds=4))
FORBIDDEN = (State.FORBIDDEN, "It may not.")


def test_endpoints__read_a_minute_ago__are_read_from_where_the_collector_stands() -> None:
    (only,) = groups([FRESH, replace(FRESH, endpoint_id=2)], USUAL, reread=REREAD)
    assert (only.since, len(only.targets), only.sample) == (USUAL.since, 2, None)


def test_endpoints__more_than_a_call_takes__are_split_and_the_longest_unread_comes_first() -> None:
    many = [
        replace(FRESH, endpoint_id=number, read_at=NOON - timedelta(seconds=number)) for number in range(60)
    ]
    found = groups(many, USUAL, reread=REREAD)
    assert [len(group.targets) for group in found] == [50, 10]
    assert found[0].targets[0].endpoint_id == 59


def test_endpoint__left_out_for_a_while__is_read_from_where_it_stands_and_no_other_with_it() -> None:
    behind = replace(FRESH, endpoint_id=2, read_at=NOON - 20 * MINUTE)
    late, usual = groups([FRESH, behind], USUAL, reread=REREAD)
    assert (late.targets, late.since) == ((behind,), NOON - 30 * MINUTE)
    assert (usual.targets, usual.since) == ((FRESH,), USUAL.since)


def test_endpoint__left_out_for_days__is_read_for_an_hour_back_at_most() -> None:
    (late,) = groups([replace(FRESH, read_at=NOON - timedelta(days=3))], USUAL, reread=REREAD)
    assert late.since == NOON - lag.LONGEST


def test_endpoint__never_read__begins_with_half_an_hour() -> None:
    (new,) = groups([replace(FRESH, read_at=None)], USUAL, reread=REREAD)
    assert new.since == NOON - lag.FIRST


def test_endpoints__that_could_not_be_read__stand_apart_and_are_tried_in_turn() -> None:
    barred = [replace(FRESH, endpoint_id=number, trouble=FORBIDDEN) for number in (7, 8, 9)]
    usual, apart = groups([FRESH, *barred], USUAL, reread=REREAD)
    assert (usual.targets, usual.sample) == ((FRESH,), None)
    assert apart.targets == tuple(barred)
    tried = []
    for passed in range(3):
        later = lag.Stretch(USUAL.since, NOON + passed * MINUTE)
        sample = groups([FRESH, *barred], later, reread=REREAD)[-1].sample
        assert sample is not None
        tried.append(sample.endpoint_id)
    assert sorted(tried) == [7, 8, 9]
