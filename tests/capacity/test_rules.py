"""A workspace's own rules: what is stored is what was meant, what makes no sense is refused in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from endpoints.capacity.ruleproblems import problems
from endpoints.capacity.ruleset import TESTS, USUAL, Rules, as_facts, as_json, from_json, left_out_by

shares = some.floats(0.5, 0.95)
names = some.text("abcdefgh-*?", min_size=1, max_size=12)
rules = some.builds(
    Rules,
    idle_days=some.integers(1, 180),
    known_share=shares,
    usage_target=shares,
    percentile=shares,
    headroom=some.floats(0, 2),
    zone=some.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns"]),
    day_begins=some.integers(0, 11),
    day_ends=some.integers(12, 24),
    weekend=some.frozensets(some.integers(0, 6), max_size=6),
    test_tags=some.just(TESTS),
    excluded_tags=some.lists(some.tuples(names, names)).map(tuple),
    excluded_names=some.lists(names).map(tuple),
    scream_hours=some.none() | some.integers(1, 336),
    report_weekday=some.none() | some.integers(0, 6),
)


@given(rules)
def test_rules__stored_and_read__are_the_same_and_have_no_problems(meant: Rules) -> None:
    assert problems(as_json(meant)) == {}
    assert from_json(as_json(meant)) == meant


def test_rules__of_a_document_that_says_nothing__are_the_usual_ones() -> None:
    assert from_json({}) == USUAL
    assert from_json({"idle_days": 14}) == Rules(idle_days=14)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"idle_days": 0}, "idle_days"),
        ({"idle_days": True}, "idle_days"),
        ({"known_share": float("nan")}, "known_share"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"day_begins": 9, "day_ends": 9}, "day_ends"),
        ({"day_ends": 5}, "day_ends"),
        ({"weekend": [0, 1, 2, 3, 4, 5, 6]}, "weekend"),
        ({"test_tags": {"purpose": []}}, "test_tags"),
        ({"test_tags": []}, "test_tags"),
        ({"excluded_tags": [["", "yes"]]}, "excluded_tags"),
        ({"excluded_tags": [["keep"]]}, "excluded_tags"),
        ({"excluded_names": ["a/b/c"]}, "excluded_names"),
        ({"excluded_names": "blue"}, "excluded_names"),
        ({"scream_hours": 337}, "scream_hours"),
        ({"report_weekday": 7}, "report_weekday"),
        ({"made_up": 1}, "made_up"),
    ],
)
def test_rules__that_make_no_sense__are_refused_in_words(document: dict[str, Any], field: str) -> None:
    (found,) = problems(document).items()
    assert found[0] == field
    assert found[1][0].endswith(".")


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        (Rules(excluded_tags=(("Keep", ""),)), "the tag Keep=yes"),
        (Rules(excluded_tags=(("keep", "yes"),)), "the tag keep=yes"),
        (Rules(excluded_tags=(("keep", "no"),)), ""),
        (Rules(excluded_names=("credit-*",)), "the pattern credit-*"),
        (Rules(excluded_names=("credit-risk/b?ue",)), "the pattern credit-risk/b?ue"),
        (Rules(excluded_names=("*/green",)), ""),
        (Rules(excluded_names=("blue",)), ""),
    ],
)
def test_rules__for_what_is_left_out__name_the_tag_or_pattern(left_out: Rules, words: str) -> None:
    assert left_out_by(left_out, "Credit-Risk", "blue", {"keep": "yes"}) == words


def test_rules__for_the_ledger__hold_no_fraction() -> None:
    assert not [value for value in as_facts(USUAL).values() if isinstance(value, float)]
