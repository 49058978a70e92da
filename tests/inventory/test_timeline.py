"""When a state began and what was true at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.inventory import timeline
from endpoints.inventory.timeline import Certainty
from tests.inventory.support import at


@dataclass(frozen=True)
class Revision:
    name: str
    earliest: datetime | None
    latest: datetime
    known_at: datetime


def revision(name: str, earliest: float | None, latest: float, known: float | None = None) -> Revision:
    return Revision(
        name, None if earliest is None else at(earliest), at(latest), at(latest if known is None else known)
    )


HISTORY = [revision("a", None, 10), revision("b", 40, 50), revision("c", 80, 90)]


@pytest.mark.parametrize(
    ("moment", "certainty", "names"),
    [
        (5, Certainty.UNKNOWN, []),
        (10, Certainty.CERTAIN, ["a"]),
        (40, Certainty.CERTAIN, ["a"]),
        (45, Certainty.ONE_OF_TWO, ["a", "b"]),
        (50, Certainty.CERTAIN, ["b"]),
        (85, Certainty.ONE_OF_TWO, ["b", "c"]),
        (90, Certainty.CERTAIN, ["c"]),
        (120, Certainty.CERTAIN, ["c"]),
        (121, Certainty.UNKNOWN, []),
    ],
)
def test_as_of__each_part_of_a_history__is_as_sure_as_the_reads_allow(moment, certainty, names):
    answer = timeline.as_of(HISTORY, at(moment), covered_until=at(120))

    assert (answer.certainty, [one.name for one in answer.candidates]) == (certainty, names)


def test_as_of__two_switches_overlap__is_unknown():
    overlapping = [revision("a", None, 10), revision("b", 20, 50), revision("c", 40, 60)]

    assert timeline.as_of(overlapping, at(45)).certainty is Certainty.UNKNOWN


def test_as_of__nothing_on_record__is_unknown():
    assert timeline.as_of([], at(1)).certainty is Certainty.UNKNOWN


def test_as_of__newest_state_was_read_only_once__is_not_certain_at_any_moment():
    assert timeline.as_of(HISTORY, at(90)).certainty is Certainty.UNKNOWN


def test_known_by__a_moment__uses_no_later_knowledge():
    assert [one.name for one in timeline.known_by(HISTORY, at(60))] == ["a", "b"]


seconds = st.floats(0, 1000, allow_nan=False)
maybe = st.none() | seconds


@given(read=seconds, gap=seconds, ordered=maybe, ended=maybe)
def test_interval__narrowed_by_any_times__lies_within_the_reads_and_in_order(read, gap, ordered, ended):
    first_new = read + gap

    earliest, latest = timeline.interval(
        at(read),
        at(first_new),
        ordered_at=None if ordered is None else at(ordered),
        ended_at=None if ended is None else at(ended),
    )

    assert earliest is not None
    assert at(read) <= earliest <= latest <= at(first_new)


@given(read=seconds, gap=seconds)
def test_interval__of_no_known_former_read__has_no_beginning(read, gap):
    assert timeline.interval(None, at(read + gap)) == (None, at(read + gap))


@st.composite
def histories(draw: st.DrawFn) -> list[Revision]:
    """Revisions whose intervals may touch and overlap, in any order; names repeat."""
    drawn = draw(
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20), st.integers(0, 8)), max_size=7)
    )
    return [revision(name, latest - length, latest) for name, latest, length in drawn]


@given(histories(), st.integers(0, 30), st.floats(0, 30))
def test_certain_spans__of_any_history__hold_exactly_the_moments_at_which_a_state_is_certain(
    history: list[Revision], covered: int, moment: float
) -> None:
    """By each moment's own answer; where two with one name meet, no matter which of them it was."""
    spans = timeline.certain_spans(
        history, lambda one, other: one.name == other.name, covered_until=at(covered)
    )
    found = [span for span in spans if span.since <= at(moment) < span.until]
    answer = timeline.as_of(history, at(moment), covered_until=at(covered))
    named = {one.name for one in answer.candidates}
    assert len(found) <= 1
    if found:
        assert named in ({found[0].revision.name}, set())
    elif moment != covered:
        assert answer.certainty is not Certainty.CERTAIN


def test_certain_spans__of_a_change__leave_out_the_time_in_which_it_began() -> None:
    history = [revision("a", None, 10), revision("b", 20, 25)]
    spans = timeline.certain_spans(history, lambda one, other: one.name == other.name, covered_until=at(40))
    assert [(span.revision.name, span.since, span.until) for span in spans] == [
        ("a", at(10), at(20)),
        ("b", at(25), at(40)),
    ]


def test_certain_spans__of_states_that_are_the_same_to_who_asks__are_one() -> None:
    history = [revision("a", None, 10), revision("a", 20, 25), revision("b", 30, 35)]
    spans = timeline.certain_spans(history, lambda one, other: one.name == other.name, covered_until=None)
    assert [(span.since, span.until) for span in spans] == [(at(10), at(30))]
