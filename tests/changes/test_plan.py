"""Plans, their hash, and what must be in force before each step."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.changes.plan import (
    Base,
    Step,
    base_from_json,
    before_step,
    content_hash,
    put_split,
    rising,
    steps_from_json,
)

BASE = Base({"blue": 100}, {}, "state-1")
STEPS = (put_split({"blue": 95, "green": 5}, {}), put_split({"green": 100}, {}))

SPLITS = st.dictionaries(st.sampled_from(["blue", "green", "Red"]), st.integers(0, 100))
STEP = st.builds(put_split, SPLITS, SPLITS)


def sealed(*, change_id: int = 1, number: int = 1, steps: tuple[Step, ...] = STEPS, base: Base = BASE) -> str:
    return content_hash(change_id=change_id, number=number, steps=steps, base=base)


@pytest.mark.parametrize(
    "other",
    [
        {"change_id": 2},
        {"number": 2},
        {"steps": STEPS[:1]},
        {"steps": STEPS[::-1]},
        {"steps": (put_split({"blue": 96, "green": 4}, {}), STEPS[1])},
        {"steps": (put_split({"blue": 95, "green": 5}, {"red": 1}), STEPS[1])},
        {"base": replace(BASE, split={"blue": 99, "green": 1})},
        {"base": replace(BASE, mirror={"green": 1})},
        {"base": replace(BASE, state_hash="state-2")},
    ],
)
def test_hash__anything_differs__is_another(other):
    assert sealed(**other) != sealed()


@given(st.lists(STEP, min_size=1, max_size=3), SPLITS)
def test_hash__written_and_read_back__is_the_same(steps, split):
    base = Base(put_split(split, {}).split, {}, "s")
    again = steps_from_json([step.as_json() for step in steps])
    assert sealed(steps=again, base=base_from_json(base.as_json())) == sealed(steps=tuple(steps), base=base)


def test_hash__same_split_spelt_differently__is_the_same():
    assert sealed(steps=(put_split({"Blue": 100, "green": 0}, {}),)) == sealed(
        steps=(put_split({"blue": 100}, {}),)
    )


def test_steps__verb_of_a_later_version__is_refused_instead_of_skipped():
    with pytest.raises(ValueError, match="delete_everything"):
        steps_from_json([{"verb": "delete_everything"}])


def test_before__first_step__is_the_base():
    assert before_step(Base({"blue": 100}, {"red": 5}, ""), STEPS, 0) == ({"blue": 100}, {"red": 5})


def test_before__later_step__is_the_step_before():
    assert before_step(BASE, STEPS, 1) == ({"blue": 95, "green": 5}, {})


def test_rising__some_go_up__names_those_only():
    assert rising({"Blue": 50, "green": 50}, {"blue": 40, "green": 50, "red": 10}) == ["red"]
