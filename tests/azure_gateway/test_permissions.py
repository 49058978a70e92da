"""Granted patterns against needed actions, in words."""

from __future__ import annotations

import pytest

from endpoints.azure_gateway.permissions import (
    OF_GROUP,
    OF_SUBSCRIPTION,
    REQUIRED,
    UNWANTED,
    allows,
    judge,
)
from endpoints.azure_gateway.records import Permission

ML = "Microsoft.MachineLearningServices/workspaces"
WRITE = f"{ML}/onlineEndpoints/write"
LIST_KEYS = f"{ML}/onlineEndpoints/listKeys/action"
LEAST = Permission(tuple(action.name for action in REQUIRED))


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        (Permission(("*",)), True),
        (Permission(("*/write",)), True),
        (Permission((WRITE.upper(),)), True),
        (Permission((f"{ML}/*/write",)), True),
        (Permission((f"{ML}/*/read",)), False),
        (Permission((f"{ML}/onlineEndpoints",)), False),
        (Permission((f"{ML}.onlineEndpoints.write",)), False),
        (Permission(("*",), ("*/write",)), False),
        (Permission(("*",), (f"{ML}/write",)), True),
    ],
)
def test_allows__pattern__matches_as_azure_does(granted: Permission, expected: bool) -> None:
    assert allows([granted], WRITE) is expected


def test_allows__excluded_by_one_assignment_but_granted_by_another__is_granted() -> None:
    assert allows([Permission(("*",), ("*/write",)), Permission((WRITE,))], WRITE)


def test_judge__least_privilege__has_nothing_to_say() -> None:
    verdict = judge([LEAST])
    assert verdict.sufficient
    assert verdict.sentences() == []


def test_judge__reader__names_the_missing_write_and_what_it_is_for() -> None:
    verdict = judge([Permission(("*/read",))])
    assert not verdict.sufficient
    assert verdict.sentences()[0] == (
        f"Missing: {WRITE}. Without it the portal can't apply approved traffic changes and roll them back."
    )


def test_judge__only_optional_actions_missing__is_sufficient() -> None:
    verdict = judge([Permission(tuple(action.name for action in REQUIRED if action.essential))])
    assert verdict.sufficient
    assert all(sentence.startswith("Missing (optional today)") for sentence in verdict.sentences())


def test_judge__data_scientist_role__may_list_keys_and_is_told_so() -> None:
    role = Permission(
        (f"{ML}/*/read", f"{ML}/*/action", f"{ML}/*/delete", f"{ML}/*/write"),
        (f"{ML}/delete", f"{ML}/write", f"{ML}/listKeys/action"),
    )
    verdict = judge([role])
    assert LIST_KEYS in [action.name for action in verdict.superfluous]
    # The pattern `workspaces/*/read` does not cover `workspaces/read`.
    assert [action.name for action in verdict.missing if action.essential] == [f"{ML}/read"]


def test_judge__nothing_granted__misses_everything() -> None:
    verdict = judge([])
    assert verdict.missing == REQUIRED
    assert verdict.superfluous == ()


def test_judge__owner__is_granted_everything_unwanted() -> None:
    assert judge([Permission(("*",))]).superfluous == UNWANTED


def test_judge__who_may_not_delete__can_operate_all_the_same_and_is_told_what_is_left() -> None:
    kept = tuple(name for name in LEAST.actions if not name.endswith("/delete"))
    verdict = judge([Permission(kept)])
    assert verdict.sufficient
    assert verdict.sentences() == [
        f"Missing (optional today): {ML}/onlineEndpoints/deployments/delete. "
        "Without it the portal can't delete a deployment when that is approved.",
        f"Missing (optional today): {ML}/onlineEndpoints/delete. "
        "Without it the portal can't delete an endpoint, with all in it, when that is approved.",
    ]


def test_judge__of_a_resource_group__names_what_autoscale_needs() -> None:
    verdict = judge([Permission(("*/read", "*/write"))], required=OF_GROUP, unwanted=())
    assert verdict.sentences() == [
        "Missing (optional today): Microsoft.Insights/autoscaleSettings/delete. "
        "Without it the portal can't take an autoscale setting away when that is approved."
    ]


def test_judge__of_a_subscription__names_what_prices_quota_and_activity_need() -> None:
    verdict = judge([Permission(("Microsoft.Insights/*/read",))], required=OF_SUBSCRIPTION, unwanted=())
    assert verdict.sufficient
    assert verdict.sentences() == [
        "Missing (optional today): Microsoft.MachineLearningServices/locations/vmSizes/read. "
        "Without it the portal can't tell sizes of machines and what they cost.",
        "Missing (optional today): Microsoft.MachineLearningServices/locations/usages/read. "
        "Without it the portal can't tell whether there is quota to scale out.",
    ]


def test_judge__reader_of_a_subscription__has_all_that_is_asked_of_it() -> None:
    assert judge([Permission(("*/read",))], required=OF_SUBSCRIPTION, unwanted=()).missing == ()
