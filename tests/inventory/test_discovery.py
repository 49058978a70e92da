"""What Resource Graph tells is counted and kept; where it is silent, that is said and nothing else suffers."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import call_command

from emulator.launch import Emulator
from endpoints.access.models import Workspace
from endpoints.inventory.coverage import Coverage, Elsewhere, coverage, workspace_of
from endpoints.inventory.models import Discovery, Endpoint
from endpoints.inventory.selectors.discovery import discoveries
from endpoints.inventory.services.discovery import discover
from tests.inventory.support import make_workspace
from tests.inventory.test_sync_flow import connect, sync

ONE, TWO = (
    f"/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/{name}"
    for name in ("one", "Two")
)
NOW = timedelta(0)


def test_endpoints__of_workspaces_that_nobody_connected__are_counted_by_workspace() -> None:
    ids = [f"{ONE}/onlineEndpoints/a", f"{TWO}/onlineEndpoints/b", f"{TWO}/onlineEndpoints/c"]
    assert coverage(ids, [ONE.upper()]) == Coverage(3, 1, (Elsewhere(TWO.lower(), 2),))
    assert coverage([], [ONE]) == Coverage(0, 0, ())


@pytest.mark.parametrize(
    "arm_id", ["", ONE, f"{ONE}/onlineEndpoints/", f"{ONE}/onlineEndpoints/a/deployments/blue"]
)
def test_an_id__of_no_endpoint__is_not_counted(arm_id: str) -> None:
    assert workspace_of(arm_id) == ""
    assert coverage([arm_id], [ONE]).found == 0


def test_coverage__in_words__tells_what_is_outside_only_where_something_is() -> None:
    assert coverage([f"{ONE}/onlineEndpoints/a"], [ONE]).sentence(1) == (
        "Azure has 1 endpoints here; 1 are mirrored."
    )
    assert (
        coverage([f"{TWO}/onlineEndpoints/a"], [ONE])
        .sentence(0)
        .endswith("1 are in a workspace that nobody connected.")
    )


@pytest.fixture
def first(twins: Emulator) -> Workspace:
    """One of two workspaces of a subscription is connected and mirrored."""
    workspace = connect(twins, "mlw-fleet-00")
    sync(workspace)
    return workspace


@pytest.mark.processes
@pytest.mark.django_db
def test_a_subscription__with_a_workspace_that_nobody_connected__names_it(
    twins: Emulator, first: Workspace
) -> None:
    other = Workspace.objects.get(pk=first.pk).arm_key.replace("fleet-00", "fleet-01")
    assert discover(every=NOW)[first.subscription_id] == Coverage(4, 2, (Elsewhere(other, 2),))
    (row,) = discoveries([first.pk])
    assert (row.mirrored, row.reason, row.found_at is not None) == (2, "", True)
    assert "2 are in a workspace that nobody connected" in row.sentence


@pytest.mark.processes
@pytest.mark.django_db
def test_a_subscription__looked_into_lately__is_not_asked_again(twins: Emulator, first: Workspace) -> None:
    discover()
    assert discover() == {}
    asked = [one["path"] for one in twins.admin.requests(method="POST")]
    assert sum("ResourceGraph" in path for path in asked) == 1


@pytest.mark.processes
@pytest.mark.django_db
@pytest.mark.parametrize("status", [403, 429, 503])
def test_resource_graph__silent__says_why_and_keeps_what_was_found_before(
    twins: Emulator, first: Workspace, status: int
) -> None:
    discover(every=NOW)
    before = Discovery.objects.get()
    twins.admin.fault("status", status=status, path="Microsoft.ResourceGraph", method="POST")

    assert discover(every=NOW) == {first.subscription_id: None}

    row = Discovery.objects.get()
    assert str(status) in row.reason
    assert (row.found_at, row.endpoints, row.looked_at > before.looked_at) == (before.found_at, 4, True)
    assert sync(first).outcome == "complete"
    assert Endpoint.objects.count() == 2


@pytest.mark.processes
@pytest.mark.django_db
def test_resource_graph__never_answered__leaves_what_azure_has_unknown(
    twins: Emulator, first: Workspace
) -> None:
    (row,) = discoveries([first.pk])
    assert (row.coverage, row.mirrored) == (None, 2)
    twins.admin.settings(resource_graph=False)
    discover(every=NOW)
    (row,) = discoveries([first.pk])
    assert row.coverage is None
    assert row.sentence.startswith("2 endpoints are mirrored. What else Azure has here is not known.")
    assert row.reason in row.sentence


@pytest.mark.processes
@pytest.mark.django_db
def test_check_azure__without_arguments__names_workspaces_that_nobody_connected(
    twins: Emulator, first: Workspace
) -> None:
    told = io.StringIO()
    call_command("check_azure", stdout=told)
    assert "Azure has 4 endpoints here; 2 are mirrored." in told.getvalue()
    assert "mlw-fleet-01 (2)" in told.getvalue()


@pytest.mark.django_db
def test_discoveries__of_workspaces_that_are_gone__are_none() -> None:
    workspace = make_workspace()
    Workspace.objects.filter(pk=workspace.pk).update(disconnected_at="2026-01-01T00:00Z")
    assert discoveries([workspace.pk]) == ()
    assert discover(every=NOW) == {}
