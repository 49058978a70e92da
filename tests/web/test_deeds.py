"""Ledger entries in words."""

from __future__ import annotations

import re
from pathlib import Path

from endpoints.web.deeds import deed, difference

ROOT = Path(__file__).resolve().parents[2]


def test_deed__every_action_that_the_code_records__has_words() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "endpoints").rglob("*.py"))
    recorded = set(re.findall(r'action="([a-z]+\.[a-z_.]+)"', source))
    recorded |= set(re.findall(r'"(change\.(?:call\.)?[a-z]+)"', source)) - {
        "change.approve", "change.start", "change.roll_back", "change.comment",
    }  # fmt: skip
    assert {action for action in recorded if deed(action) == action} == set()


def test_difference__a_request__compares_the_base_with_the_plan() -> None:
    after = {
        "state": "checking",
        "base": {"split": {"blue": 100}, "mirror": {}, "state_hash": "x"},
        "plan": [{"verb": "put_split", "split": {"blue": 95, "green": 5}, "mirror": {}}],
    }
    assert difference(None, after) == ("blue 100\u00a0%", "blue 95\u00a0%, green 5\u00a0%")


def test_difference__a_move__names_states_as_people_do() -> None:
    before, after = difference({"state": "in_review"}, {"state": "approved", "version": 3, "hash": "f" * 64})
    assert (before, after) == ("waiting for review", "approved")


def test_difference__drift__shows_both_splits() -> None:
    shown = difference({"traffic": {"blue": 100}}, {"traffic": {"green": 100}})
    assert shown == ("blue 100\u00a0%", "green 100\u00a0%")


def test_difference__nothing_known__is_empty_on_both_sides() -> None:
    assert difference(None, None) == ("", "")
