"""The people and endpoints that other tests take for granted."""

from __future__ import annotations

from endpoints.access.policies import Action, decide, visible_workspaces
from endpoints.inventory.models import Drift
from tests.support.people import make_endpoint, principal


def test_outsider__other_workspace_only__sees_nothing_here(workspace, other_workspace, outsider):
    assert visible_workspaces(principal(outsider)) == {other_workspace.pk}
    assert not decide(principal(outsider), Action.VIEW, workspace_id=workspace.pk)


def test_endpoint__read_again_with_another_split__is_drift(workspace):
    first = make_endpoint(workspace, traffic={"blue": 90, "green": 10})

    again = make_endpoint(workspace, traffic={"blue": 50, "green": 50})

    assert first.pk == again.pk
    assert again.traffic == {"blue": 50, "green": 50}
    assert Drift.objects.get().after["traffic"] == {"blue": 50, "green": 50}
