"""Endpoints and deployments as the mirror has them: list, one, history."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action, visible_workspaces
from endpoints.api import then
from endpoints.api.endpoint_shapes import (
    DeploymentListOut,
    DeploymentOut,
    EndpointListOut,
    EndpointOut,
    HistoryItemOut,
    HistoryOut,
    counts_of,
    endpoint_item,
)
from endpoints.api.operation import Call, either, operation
from endpoints.api.paging import PageQuery, page
from endpoints.api.rules import narrowed_to, on_workspace
from endpoints.api.then_shapes import (
    DeploymentListThenOut,
    DeploymentThenOut,
    EndpointListThenOut,
    EndpointThenOut,
    MomentQuery,
)
from endpoints.api.view import ApiView
from endpoints.core.errors import Invalid, NotFound
from endpoints.inventory import selectors as inventory
from endpoints.metrics.selectors import briefs


class FleetQuery(PageQuery, MomentQuery):
    """Query of the endpoint list."""

    q = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=500,
        help_text='The filter of the fleet page: `risk !test "exact-name" ws:prod state:failed owner:none '
        "tag:team=fraud sku:NC4 model:risk`.",
    )
    cursor = serializers.CharField(
        required=False, default="", max_length=400, help_text="Where the page begins; `next` has it."
    )


class HistoryQuery(PageQuery):
    """Query of the history."""

    cursor = serializers.CharField(
        required=False, default="", max_length=100, help_text="Where the page begins; `next` has it."
    )


class Endpoints(ApiView):
    """`/endpoints`."""

    @operation(
        narrowed_to(Action.VIEW),
        name="endpoints_list",
        summary="List endpoints",
        query=FleetQuery,
        answers={200: either("EndpointListNowOrThen", EndpointListOut, EndpointListThenOut)},
    )
    def get(self, call: Call) -> Response:
        """Every endpoint that the caller may see, worst first, filtered as on the fleet page.

        With `at`: those that were there then, by name, with how sure each answer is; `q` takes names, ws and env.
        """
        if when := then.moment(call):
            return then.endpoints(call, when)
        seen, text = visible_workspaces(call.principal), call.query["q"]
        found = inventory.fleet_rows(seen, text=text, cursor=call.query["cursor"], limit=call.query["limit"])
        if found.problems:
            raise Invalid({"q": found.problems})
        figures = briefs(row.id for row in found.rows)
        items = [endpoint_item(row, figures[row.id]) for row in found.rows]
        body = page(call.request, items, cursor=found.next_cursor or None)
        counts = inventory.fleet_counts(seen, text=text, ages=found.freshness)
        return Response(body | {"counts": counts_of(counts)})


class Endpoint(ApiView):
    """`/workspaces/{ws}/endpoints/{name}`."""

    @operation(
        on_workspace(Action.VIEW),
        name="endpoints_get",
        summary="One endpoint",
        query=MomentQuery,
        answers={200: either("EndpointNowOrThen", EndpointOut, EndpointThenOut)},
    )
    def get(self, call: Call, name: str) -> Response:
        """The endpoint of that name, or the one that was deleted last (`deleted_at`).

        With `at`: the one that had the name then, every field of each state that may have held.
        """
        if when := then.moment(call):
            return then.endpoint(call, name, when)
        return Response(EndpointOut(inventory.endpoint_page(call.workspace.id, name)).data)


class History(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/history`."""

    @operation(
        on_workspace(Action.VIEW),
        name="endpoints_history",
        summary="What an endpoint was",
        query=HistoryQuery,
        answers={200: HistoryOut},
    )
    def get(self, call: Call, name: str) -> Response:
        """Every state of the endpoint and of its deployments, newest first, with what moved and who ordered it."""
        endpoint = inventory.endpoint_page(call.workspace.id, name)
        found = inventory.history(endpoint.id, cursor=call.query["cursor"], limit=call.query["limit"])
        items = list(HistoryItemOut(found.items, many=True).data)
        return Response(page(call.request, items, cursor=found.next_cursor or None))


class Deployments(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/deployments`."""

    @operation(
        on_workspace(Action.VIEW),
        name="deployments_list",
        summary="Deployments of an endpoint",
        query=MomentQuery,
        answers={200: either("DeploymentListNowOrThen", DeploymentListOut, DeploymentListThenOut)},
    )
    def get(self, call: Call, name: str) -> Response:
        """The living deployments, or with `at` those of then. Not paged: Azure allows 20."""
        if when := then.moment(call):
            return then.deployments(call, name, when)
        return Response({"items": DeploymentOut(_deployments(call, name), many=True).data})


class Deployment(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/deployments/{deployment}`."""

    @operation(
        on_workspace(Action.VIEW),
        name="deployments_get",
        summary="One deployment",
        query=MomentQuery,
        answers={200: either("DeploymentNowOrThen", DeploymentOut, DeploymentThenOut)},
    )
    def get(self, call: Call, name: str, deployment: str) -> Response:
        """One living deployment, or with `at` the one that had the name then."""
        if when := then.moment(call):
            return then.deployment(call, name, deployment, when)
        named = {row.name.lower(): row for row in _deployments(call, name)}
        if deployment.lower() not in named:
            raise NotFound(f"The endpoint {name} has no deployment {deployment}.")
        return Response(DeploymentOut(named[deployment.lower()]).data)


def _deployments(call: Call, name: str) -> Any:
    return inventory.endpoint_page(call.workspace.id, name).deployments
