"""Workspaces: which there are, how their reading goes, read one now, connect and disconnect."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access import selectors as access
from endpoints.access import services
from endpoints.access.policies import Action, Principal, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.api.fields import StrictBody, Text
from endpoints.api.operation import Call, operation
from endpoints.api.rules import narrowed_to, on_installation, on_workspace
from endpoints.api.shapes import Shape, shape_names
from endpoints.api.view import ApiView
from endpoints.inventory.selectors import Freshness, freshness, freshness_of
from endpoints.inventory.services import request_sync
from endpoints.metrics.services import request_reading


class UnreadableOut(Shape):
    """An item that Azure listed and that could not be understood."""

    item = serializers.CharField()
    reason = serializers.CharField()


class FreshnessOut(Shape):
    """How old the portal's knowledge is, and why. `read_at` null: never read."""

    read_at = serializers.DateTimeField(allow_null=True)
    age_seconds = serializers.FloatField(allow_null=True)
    is_stale = serializers.BooleanField(help_text="Too old to be taken for the truth.")
    is_being_read = serializers.BooleanField()
    cadence_seconds = serializers.FloatField(allow_null=True)
    cadence_reason = serializers.CharField()
    cause = serializers.CharField(help_text="Why the last reading failed; empty when it did not.")
    failures = serializers.IntegerField()
    retry_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    unreadable = UnreadableOut(many=True)


class WorkspaceOut(Shape):
    """A workspace that is, or was, connected. What was seen in a disconnected one stays readable."""

    slug = serializers.CharField()
    name = serializers.CharField()
    arm_id = serializers.CharField()
    subscription_id = serializers.CharField()
    resource_group = serializers.CharField()
    region = serializers.CharField()
    environment = serializers.CharField()
    connected_at = serializers.DateTimeField()
    disconnected_at = serializers.DateTimeField(allow_null=True)
    freshness = FreshnessOut()


class WorkspaceListOut(Shape):
    """All workspaces that the caller may see, by slug; for administrators all there are."""

    items = WorkspaceOut(many=True)


class ConnectIn(StrictBody):
    """What connects a workspace."""

    arm_id = Text(max_length=500)
    slug = Text(max_length=63, help_text="Short and unique: 2 to 63 of a-z, 0-9 and dash.")
    environment = serializers.ChoiceField(choices=["production", "test"])
    region = Text(max_length=64, required=False, default="", allow_blank=True)


class DisconnectIn(StrictBody):
    """Why a workspace is disconnected."""

    reason = Text(max_length=2000, required=False, default="", allow_blank=True)


class Workspaces(ApiView):
    """`/workspaces`."""

    @operation(
        narrowed_to(Action.VIEW),
        name="workspaces_list",
        summary="List workspaces",
        answers={200: WorkspaceListOut},
    )
    def get(self, call: Call) -> Response:
        """Workspaces on which the caller has a role, each with how its reading goes. Not paged: they are few."""
        rows = _rows(call.principal)
        ages = freshness_of([row.id for row in rows])
        return Response({"items": [_shown(row, ages[row.id]) for row in rows]})

    @operation(
        on_installation(Action.WORKSPACE_CONNECT),
        name="workspaces_connect",
        summary="Connect a workspace",
        body=ConnectIn,
        answers={201: WorkspaceOut},
        problems=(409,),
        example={
            "arm_id": "/subscriptions/9f0c…/resourceGroups/rg-ml/providers/"
            "Microsoft.MachineLearningServices/workspaces/mlw-prod-weu",
            "slug": "mlw-prod-weu",
            "environment": "production",
            "region": "westeurope",
        },
    )
    def post(self, call: Call) -> Response:
        """Start to mirror the workspace that the ARM id names. Nothing in Azure changes."""
        number = services.connect_workspace(principal=call.principal, **call.body)
        row = access.workspace(number)
        return Response(_shown(row, freshness(number)), status=201, headers=_at(row.slug))


class Workspace(ApiView):
    """`/workspaces/{ws}`."""

    @operation(
        on_workspace(Action.VIEW), name="workspaces_get", summary="One workspace", answers={200: WorkspaceOut}
    )
    def get(self, call: Call) -> Response:
        """One workspace, with how its reading goes."""
        return Response(_shown(call.workspace, freshness(call.workspace.id)))


class Sync(ApiView):
    """`/workspaces/{ws}/sync`."""

    @operation(
        on_workspace(Action.WORKSPACE_SYNC),
        name="workspaces_sync",
        summary="Read a workspace now",
        answers={202: FreshnessOut},
    )
    def post(self, call: Call) -> Response:
        """Ask for a reading of it and its metrics at once, or once Azure's Retry-After is over; `due_at` says when."""
        row = call.workspace
        request_sync(principal=call.principal, workspace_id=row.id, workspace=row.slug)
        request_reading(principal=call.principal, workspace_id=row.id, workspace=row.slug)
        return Response(FreshnessOut(freshness(row.id)).data, status=202)


class Disconnect(ApiView):
    """`/workspaces/{ws}/disconnect`."""

    @operation(
        on_workspace(Action.WORKSPACE_CONNECT),
        name="workspaces_disconnect",
        summary="Disconnect a workspace",
        body=DisconnectIn,
        answers={204: None},
        problems=(409,),
    )
    def post(self, call: Call) -> Response:
        """Stop to mirror a workspace. Nothing in Azure changes, and nothing that was recorded goes."""
        services.disconnect_workspace(
            principal=call.principal, workspace_id=call.workspace.id, reason=call.body["reason"]
        )
        return Response(status=204)


def _rows(principal: Principal) -> list[WorkspaceRow]:
    """Every workspace for who connects them, else those that one may see."""
    if decide(principal, Action.ACCESS_VIEW):
        return access.all_workspaces(principal)
    return access.workspaces(principal)


def _shown(row: WorkspaceRow, age: Freshness) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in shape_names(WorkspaceOut) - {"freshness"}}
    return dict(WorkspaceOut(fields | {"freshness": age}).data)


def _at(slug: str) -> dict[str, str]:
    return {"Location": f"/api/v1/workspaces/{slug}"}
