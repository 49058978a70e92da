"""By when a case is to be answered, at exact moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from endpoints.challenges.clocks import (
    KNOWN_DEADLINES,
    MOST_CLOCKS,
    USUAL,
    Clock,
    Tick,
    clock_of,
    dues_from_json,
    dues_to_json,
    from_json,
    passed,
    presses_at,
    problems,
    read,
    restarted,
    started,
    to_json,
)

START = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY8 = Clock("Same day", 8 * HOUR, "house rule", target=True)
LAW = Clock("Answer", timedelta(days=28), "GDPR Art. 12(3)", target=False)


@pytest.mark.parametrize(
    ("after", "tick", "share"),
    [
        (timedelta(), Tick.RUNNING, 0.0),
        (6 * HOUR, Tick.RUNNING, 0.75),
        (6.4 * HOUR - timedelta(microseconds=1), Tick.RUNNING, 0.8),
        (6.4 * HOUR, Tick.PRESSING, 0.8),
        (8 * HOUR - timedelta(microseconds=1), Tick.PRESSING, 1.0),
        (8 * HOUR, Tick.OVER, 1.0),
        (16 * HOUR, Tick.OVER, 2.0),
    ],
)
def test_clock__of_an_open_case__presses_from_four_fifths_on(
    after: timedelta, tick: Tick, share: float
) -> None:
    (due,) = started([DAY8], START)
    found = read(due, START + after)
    assert (found.tick, found.used, found.total) == (tick, after, 8 * HOUR)
    assert found.share == pytest.approx(share)


@pytest.mark.parametrize(
    ("after", "tick"), [(8 * HOUR, Tick.MET), (8 * HOUR + timedelta(seconds=1), Tick.MISSED)]
)
def test_clock__of_a_closed_case__stands_where_it_was_closed(after: timedelta, tick: Tick) -> None:
    (due,) = started([DAY8], START)
    found = read(due, START + timedelta(days=90), ended_at=START + after)
    assert (found.tick, found.used) == (tick, after)


def test_clocks__through_the_night_when_clocks_are_set_back__run_real_hours() -> None:
    """On 2026-10-25 a day has 25 hours in Zurich; who waits waits eight of them."""
    (due,) = started([DAY8], START)
    assert due.at == datetime(2026, 10, 25, 8, 30, tzinfo=UTC)


def test_clocks__of_a_case_opened_again__begin_anew_only_where_they_are_the_houses_own() -> None:
    first = started([DAY8, LAW], START)
    later = START + timedelta(days=10)
    found = {due.name: (due.since, due.at) for due in restarted(first, [DAY8, LAW], later)}
    assert found == {"Same day": (later, later + 8 * HOUR), "Answer": (START, START + timedelta(days=28))}


def test_case__with_several_clocks__presses_with_the_first() -> None:
    dues = started([LAW, DAY8], START)
    assert [due.name for due in dues] == ["Same day", "Answer"]
    assert presses_at(dues) == START + 6.4 * HOUR
    assert presses_at([]) is None


def test_passed__tells_each_clock_that_presses_and_each_that_is_over() -> None:
    dues = started([LAW, DAY8], START)
    assert passed(dues, START + 6 * HOUR) == []
    assert [tick for _, tick in passed(dues, START + 7 * HOUR)] == [Tick.PRESSING]
    told = passed(dues, START + timedelta(days=23))
    assert [(due.name, tick) for due, tick in told] == [
        ("Same day", Tick.PRESSING),
        ("Same day", Tick.OVER),
        ("Answer", Tick.PRESSING),
    ]


@pytest.mark.parametrize(
    ("clocks", "words"),
    [
        ([Clock("", HOUR, "law", False)], "name it"),
        ([Clock("x" * 61, HOUR, "law", False)], "name it"),
        ([Clock("a", HOUR, " ", False)], "where it comes from"),
        ([Clock("a", timedelta(), "law", False)], "from one minute"),
        ([Clock("a", timedelta(days=400), "law", False)], "from one minute"),
        ([Clock("a", HOUR, "law", False), Clock("A ", HOUR, "law", False)], "same name"),
        ([Clock(f"{n}", HOUR, "law", False) for n in range(MOST_CLOCKS + 1)], "At most"),
    ],
)
def test_clocks__that_can_not_be__are_refused_in_words(clocks: list[Clock], words: str) -> None:
    assert any(words in problem for problem in problems(clocks))


def test_clocks__that_are_offered__can_be_set_and_survive_storage() -> None:
    offered = [*USUAL, *KNOWN_DEADLINES, Clock("half", timedelta(minutes=90), "x", True)]
    assert problems(offered) == []
    assert from_json(to_json(offered)) == tuple(offered)
    assert dues_from_json(dues_to_json(started(offered, START))) == started(offered, START)


@pytest.mark.parametrize(
    "given", [{}, {"hours": 1, "days": 1}, {"hours": float("nan")}, {"days": float("inf")}]
)
def test_clock__of_no_length_or_two__is_none(given: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="give"):
        clock_of(name="a", source="b", target=True, **given)
