"""Two documents of one autoscale setting: whether they say the same, in whoever's spelling."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.changes.samesetting import covers, same, whole
from tests.changes.capacities import document


def body(**more: Any) -> dict[str, Any]:
    return {"properties": {**document()["properties"], **more}}


def test_same__a_number_and_its_text__is_the_same() -> None:
    other = body()
    other["properties"]["profiles"][0]["capacity"] = {"minimum": 1, "default": "1.0", "maximum": 4}
    assert same(document(), other)


def test_same__texts_in_another_case__is_the_same() -> None:
    one, other = body(notice="Email"), body(notice=" email ")
    assert same(one, other)


@pytest.mark.parametrize("other", [document(5), document(4, 2), document(4, 1, 71.0)])
def test_same__another_number__is_another_setting(other: dict[str, Any]) -> None:
    assert not same(document(), other)


def test_same__none_and_none__is_the_same_and_one_of_them_is_not() -> None:
    assert same(None, None)
    assert not same(None, document())
    assert not same(document(), None)


@pytest.mark.parametrize("empty", [None, [], {}])
def test_same__what_azure_leaves_out_or_writes_empty__is_the_same(empty: Any) -> None:
    assert same(body(notifications=empty), body())


def test_same__what_only_names_the_resource__is_not_compared() -> None:
    named = body(name="blue-autoscale", targetResourceLocation="westeurope")
    assert same({**named, "id": "/subscriptions/s", "tags": {"a": "b"}}, document())


def test_same__does_not_say_whether_it_is_enabled__is_enabled() -> None:
    assert same(body(), body(enabled=True))
    assert not same(body(), body(enabled=False))


def test_same__rules_in_another_order__is_another_setting() -> None:
    """The order of rules and profiles means something to Azure."""
    one, other = body(), body()
    rules = [{"metricTrigger": {"threshold": 1}}, {"metricTrigger": {"threshold": 2}}]
    one["properties"]["profiles"][0]["rules"] = rules
    other["properties"]["profiles"][0]["rules"] = rules[::-1]
    assert not same(one, other)


def test_covers__azure_added_what_was_not_ordered__covers_and_is_not_the_same() -> None:
    found = body(predictiveAutoscalePolicy={"scaleMode": "Disabled"})
    assert covers(document(), found)
    assert not covers(found, document())
    assert not same(document(), found)


def test_covers__a_text_that_no_number_is__is_compared_as_text() -> None:
    assert same(body(notice="nan"), body(notice="NaN"))
    assert not same(body(notice="nan"), body(notice="inf"))


def test_covers__true_and_one__are_not_the_same() -> None:
    assert not same(body(notice=True), body(notice=1))
    assert same(body(notice=True), body(notice="True"))


def test_whole__properties_alone__get_the_place_and_a_whole_document_stays() -> None:
    alone = document()["properties"]
    assert whole(alone, location="westeurope") == {"location": "westeurope", "properties": alone}
    assert whole(document(), location="westeurope") == document()
    assert same(alone, whole(alone, location="westeurope"))


PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-99, 99), st.floats(allow_nan=True), st.text(max_size=5)
)
NAMES = st.sampled_from(["a", "b", "profiles", "enabled"])
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)
DOCUMENTS = st.one_of(
    st.none(), st.builds(lambda found: {"properties": found}, st.dictionaries(NAMES, VALUES, max_size=4))
)


@given(DOCUMENTS)
def test_same__any_document_and_itself__is_the_same(found: Any) -> None:
    assert same(found, deepcopy(found))


@given(DOCUMENTS, DOCUMENTS)
def test_same__either_way_round__says_the_same(one: Any, other: Any) -> None:
    assert same(one, other) == same(other, one)


@given(DOCUMENTS)
def test_same__properties_alone_and_the_whole_of_it__is_the_same(found: Any) -> None:
    if found is not None and "properties" not in found["properties"]:
        assert same(found["properties"], found)
