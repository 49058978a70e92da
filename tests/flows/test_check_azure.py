"""`manage.py check_azure`: a platform administrator learns what the identity can and cannot do."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from endpoints.inventory.services.access_check import check_access
from tests.flows.stage import WORKSPACE, Stage

pytestmark = pytest.mark.processes

ENDPOINTS = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"


def test_access_check__identity_may_do_everything__is_sufficient_and_names_what_is_too_much(
    world: Stage,
) -> None:
    report = check_access(WORKSPACE, settings=world.settings())
    assert report.sufficient
    assert report.region == "westeurope"
    assert report.role_command == ""
    assert any("listKeys" in sentence for sentence in report.sentences)


def test_access_check__identity_may_only_read__names_the_missing_action_and_the_command(world: Stage) -> None:
    world.azure.admin.identity("opsportal", actions=["*/read"])
    report = check_access(WORKSPACE, settings=world.settings())
    assert not report.sufficient
    assert report.missing == (f"{ENDPOINTS}/write",)
    assert WORKSPACE in report.role_command


def test_access_check__identity_has_a_role_on_the_workspace_only__names_what_the_subscription_lacks(
    world: Stage,
) -> None:
    world.azure.admin.identity("opsportal", scopes=[WORKSPACE])
    report = check_access(WORKSPACE, settings=world.settings())
    assert report.sufficient
    missing = [
        sentence for sentence in report.sentences if sentence.startswith("On the subscription: Missing")
    ]
    assert len(missing) == 5
    assert any("autoscaleSettings/read" in sentence for sentence in missing)
    assert any("Microsoft.Insights/eventtypes/values/read" in sentence for sentence in missing)


def test_access_check__identity_may_do_everything_but_capacity_steps__names_what_those_need(
    world: Stage,
) -> None:
    """Each where it has to be granted: deletes on the workspace, autoscale settings on its resource group."""
    steps = ["*/delete", "Microsoft.Insights/autoscalesettings/write"]
    world.azure.admin.identity("opsportal", not_actions=steps)
    report = check_access(WORKSPACE, settings=world.settings())
    assert report.sufficient
    assert [sentence.split(". ")[0] for sentence in report.sentences if "Missing" in sentence] == [
        f"Missing (optional today): {ENDPOINTS}/deployments/delete",
        f"Missing (optional today): {ENDPOINTS}/delete",
        "On the resource group: Missing (optional today): Microsoft.Insights/autoscaleSettings/write",
        "On the resource group: Missing (optional today): Microsoft.Insights/autoscaleSettings/delete",
    ]


def test_access_check__subscription_can_not_be_asked_about__says_so_and_judges_the_workspace(
    world: Stage,
) -> None:
    path = r"^/subscriptions/[^/]+/providers/Microsoft\.Authorization/permissions$"
    world.azure.admin.fault("status", status=503, method="GET", path=path)
    report = check_access(WORKSPACE, settings=world.settings())
    assert report.sufficient
    assert any("on the subscription is not known" in sentence for sentence in report.sentences)


def test_access_check__identity_may_not_even_read__says_which_action_azure_asked_for(world: Stage) -> None:
    world.azure.admin.identity("opsportal", actions=[])
    report = check_access(WORKSPACE, settings=world.settings())
    assert not report.sufficient
    assert "Microsoft.MachineLearningServices/workspaces/read" in report.failure + "".join(report.missing)


def test_access_check__azure_does_not_answer__says_so_and_claims_nothing(world: Stage) -> None:
    world.azure.admin.fault("status", status=503, method="GET", path="")
    report = check_access(WORKSPACE, settings=world.settings())
    assert not report.sufficient
    assert report.failure
    assert report.missing == ()


def test_check_azure__not_the_id_of_a_workspace__says_what_one_looks_like(committed_db: object) -> None:
    with pytest.raises(CommandError, match="ARM id of a workspace"):
        call_command("check_azure", "mlw-prod-weu", stdout=io.StringIO())


def test_check_azure__no_workspace_connected__asks_for_one(committed_db: object) -> None:
    with pytest.raises(CommandError, match="No workspace is connected"):
        call_command("check_azure", stdout=io.StringIO())
