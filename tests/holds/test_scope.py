"""Which endpoints a freeze takes in."""

from __future__ import annotations

import pytest

from endpoints.core.errors import Invalid
from endpoints.holds.scope import Scope, Target, applies, checked, describe

FRAUD = Target(7, "Fraud-Score", "team-risk", {"Tier": "1", "cost": "a=b"})


@pytest.mark.parametrize(
    ("scope", "takes_in"),
    [
        (Scope(), True),
        (Scope(7), True),
        (Scope(8), False),
        (Scope(7, "fraud-*"), True),
        (Scope(7, "FRAUD-SCOR?"), True),
        (Scope(None, "fraud"), False),
        (Scope(None, "*score*"), True),
        (Scope(owner="TEAM-risk"), True),
        (Scope(owner="team"), False),
        (Scope(tag="tier"), True),
        (Scope(tag="TIER=1"), True),
        (Scope(tag="tier=2"), False),
        (Scope(tag="tier="), False),
        (Scope(tag="cost=a=b"), True),
        (Scope(tag="other"), False),
        (Scope(7, "fraud-*", "team-risk", "tier=1"), True),
        (Scope(7, "fraud-*", "team-risk", "tier=2"), False),
        (Scope(7, "rank-*", "team-risk", "tier=1"), False),
    ],
)
def test_scope__of_an_endpoint__takes_it_in_when_all_that_is_given_is_true(
    scope: Scope, takes_in: bool
) -> None:
    assert applies(scope, FRAUD) is takes_in


def test_scope__by_owner_or_tag__leaves_out_what_has_none() -> None:
    bare = Target(7, "rank-home")
    assert not applies(Scope(owner="team-risk"), bare)
    assert not applies(Scope(tag="tier"), bare)


def test_scope__as_typed__loses_stray_blanks() -> None:
    assert checked(Scope(1, " Fraud-* ", " team risk ", " tier = 1 ")) == Scope(
        1, "fraud-*", "team risk", "tier=1"
    )


@pytest.mark.parametrize(
    ("scope", "field"),
    [
        (Scope(name_pattern="fraud score"), "name_pattern"),
        (Scope(name_pattern="[a-z]"), "name_pattern"),
        (Scope(name_pattern="a" * 65), "name_pattern"),
        (Scope(owner="x" * 257), "owner"),
        (Scope(tag="x" * 257), "tag"),
        (Scope(tag="=1"), "tag"),
    ],
)
def test_scope__that_can_not_be__names_the_field(scope: Scope, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked(scope)
    assert list(caught.value.fields) == [field]


def test_scope__in_words__says_all_that_narrows_it() -> None:
    assert describe(Scope(), "") == "all endpoints of all workspaces"
    assert describe(Scope(7, "fraud-*", "team-risk", "tier=1"), "mlw-prod") == (
        "endpoints fraud-* of mlw-prod, owned by team-risk, tagged tier=1"
    )
