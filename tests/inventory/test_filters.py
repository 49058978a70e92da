"""The filter's grammar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.inventory.filters import Term, parse


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("API", [Term("name", "api")]),
        ("api !test", [Term("name", "api"), Term("name", "test", negated=True)]),
        ('"exact-name"', [Term("name", "exact-name", exact=True)]),
        ("a,b", [Term("name", "a"), Term("name", "b")]),
        ("ws:Prod !state:failed", [Term("ws", "prod"), Term("state", "failed", negated=True)]),
        ('owner:"A. Novak"', [Term("owner", "a. novak", exact=True)]),
        ("tag:Team=Fraud", [Term("tag", "Team=Fraud")]),
        ("model:risk:7", [Term("model", "risk:7")]),
    ],
)
def test_filter__of_the_grammar__means_this(text, terms):
    assert list(parse(text).terms) == terms


@given(st.text(max_size=700))
def test_filter__of_any_text__never_fails(text):
    assert isinstance(parse(text).terms, tuple)
