"""Shapes of answers: what breaks whoever reads them, and what is only new."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.changes.schema import DEEPEST, MOST_KEYS, added, broken, problems, shape_of

ANSWER = {"score": 0.4, "label": "low", "parts": [{"name": "a", "weight": 1}, {"name": "b", "weight": None}]}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def changed(**changes):
    return shape_of(ANSWER | changes)


def test_shape__of_an_answer__holds_keys_and_types_and_no_value():
    assert shape_of(ANSWER) == {
        "type": "object",
        "properties": {
            "score": {"type": "number"},
            "label": {"type": "string"},
            "parts": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "weight": {"type": ["null", "number"]}},
                    "required": ["name", "weight"],
                },
            },
        },
        "required": ["label", "parts", "score"],
    }


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (changed(score="0.4"), "the answer.score is string, not number"),
        (changed(score=None), "the answer.score is null, not number"),
        (shape_of({"score": 1}), "the answer has no label"),
        (changed(parts=[{"weight": 1}]), "the answer.parts[] has no name"),
        (shape_of([ANSWER]), "the answer is array, not object"),
    ],
)
def test_broken__a_lost_key_or_another_type__is_told_with_its_place(found, words):
    assert words in broken(shape_of(ANSWER), found)


def test_broken__another_value_or_a_new_key__is_nothing():
    assert broken(shape_of(ANSWER), changed(score=7, more=True)) == []
    assert added(shape_of(ANSWER), changed(more=True)) == ["the answer.more"]
    assert added(shape_of(ANSWER), changed(parts=[{"name": "c", "weight": 1, "x": 2}])) == [
        "the answer.parts[].x"
    ]


def test_broken__by_a_shape_that_somebody_told__takes_what_it_leaves_open():
    told = {"type": "object", "required": ["score"], "properties": {"score": {"type": ["integer", "null"]}}}
    assert problems(told) == []
    assert broken(told, shape_of({"score": 3.2, "label": 1})) == []
    assert broken(told, shape_of({"label": 1})) == ["the answer has no score"]


def test_shape__deeper_or_longer_than_fits__is_left_open():
    deep = value = []
    for _ in range(DEEPEST + 5):
        value.append([])
        value = value[0]
    assert broken(shape_of(deep), shape_of(deep)) == []
    wide = shape_of({str(number): number for number in range(MOST_KEYS + 50)})
    assert len(wide["properties"]) == MOST_KEYS


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"type": "date"},
        {"pattern": "x"},
        {"required": "score"},
        {"properties": []},
        {"items": 3},
        {"properties": {"a": {"type": 7}}},
    ],
)
def test_problems__of_what_is_no_shape__are_told(wrong):
    assert problems(wrong)


@given(json_values)
def test_shape__of_anything__is_sound_and_same_as_itself(value):
    shape = shape_of(json.loads(json.dumps(value)))
    assert problems(shape) == []
    assert broken(shape, shape) == []
    assert added(shape, shape) == []


@given(st.lists(json_values, max_size=5))
def test_shape__of_a_list__takes_each_of_its_items(values):
    items = shape_of(values).get("items", {})
    for value in values:
        types = items.get("type", [])
        found = shape_of(value, depth=DEEPEST - 1)
        assert not types or not found or found["type"] in ([types] if isinstance(types, str) else types)
