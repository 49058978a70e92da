"""Canonical bytes: fixed for ever, and refused where there is no single form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.audit.canonical import LARGEST_INTEGER, NotCanonical, canonical

# May be added to, never changed: stored entries depend on them.
VECTORS: list[tuple[Any, str]] = [
    ({}, "7b7d"),
    ({"b": 1, "a": [True, False, None]}, "7b2261223a5b747275652c66616c73652c6e756c6c5d2c2262223a317d"),
    ({"é": "ü", "z": "€"}, "7b227a223a22e282ac222c22c3a9223a22c3bc227d"),
    ({"\U0001f600": 1, "\uffff": 2}, "7b22efbfbf223a322c22f09f9880223a317d"),  # by code point, not UTF-16
    ('"\\/\b\f\n\r\t\x1f\x7f', "225c225c5c2f5c625c665c6e5c725c745c75303031667f22"),
    (-(2**53) + 1, "2d39303037313939323534373430393931"),
    ("e\u0301", "2265cc8122"),  # not composed
    (
        {"Z": 1, "a": 2, "_": 3, "10": 4, "9": 5},
        "7b223130223a342c2239223a352c225a223a312c225f223a332c2261223a327d",
    ),
]

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8", min_codepoint=1)), inner)
    ),
    max_leaves=15,
)


@pytest.mark.parametrize(("value", "expected"), VECTORS)
def test_canonical__fixed_vector__gives_its_bytes(value: Any, expected: str) -> None:
    assert canonical(value).hex() == expected


@given(values)
def test_canonical__any_value__reads_back_equal(value: Any) -> None:
    assert json.loads(canonical(value)) == value


@given(st.dictionaries(st.text(st.characters(codec="utf-8", min_codepoint=1)), values), st.randoms())
def test_canonical__other_order_of_keys__same_bytes(value: dict[str, Any], random: Any) -> None:
    keys = list(value)
    random.shuffle(keys)
    assert canonical({key: value[key] for key in keys}) == canonical(value)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ({"share": 0.5}, ".share is a float"),
        ({"a": [1, {"b": float("nan")}]}, ".a[1].b is a float"),
        ({"n": 2**53}, ".n is an integer beyond"),
        ({1: "x"}, "key that is no text"),
        ({"a": "x\x00y"}, ".a holds a NUL"),
        ({"a": "\ud800"}, ".a holds half a character"),
        ({"a": (1, 2)}, ".a is a tuple"),
        (b"bytes", "the value is a bytes"),
    ],
)
def test_canonical__value_without_one_form__is_refused_with_its_place(value: Any, names: str) -> None:
    with pytest.raises(NotCanonical, match=names.replace("[", r"\[").replace("]", r"\]")):
        canonical(value)
