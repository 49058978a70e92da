"""A reading of a whole workspace: what is new is taken in, the rest costs nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.azure_gateway import codec
from endpoints.azure_gateway.fleet import EndpointReading, WorkspaceReading
from endpoints.azure_gateway.records import Listing
from endpoints.inventory.models import (
    Deployment,
    DeploymentRevision,
    Drift,
    Endpoint,
    EndpointRevision,
    RawDocument,
)
from endpoints.inventory.services import observe_deployments, observe_endpoint
from endpoints.inventory.services.absorb import Absorbed, absorb
from endpoints.inventory.services.observation import Answer
from tests.inventory.support import (
    at,
    deployment_document,
    endpoint_document,
    endpoint_reading,
    make_workspace,
)

pytestmark = pytest.mark.django_db

DEPLOYMENTS = ("blue", "green")


def documents(workspace, count: int = 3) -> list[dict[str, Any]]:
    return [endpoint_document(workspace, f"e{number}", traffic={"blue": 100}) for number in range(count)]


def reading(
    workspace, found: list[dict[str, Any]], began: float = 10, **of_deployments: Any
) -> WorkspaceReading:
    """All endpoints listed from `began` on for a second, all deployments in the second after."""
    items = []
    for document in found:
        below = [
            codec.deployment(deployment_document(document, name, **of_deployments)) for name in DEPLOYMENTS
        ]
        listing = Listing(tuple(below), (), at(began + 1), at(began + 2), "azure-2", 1)
        items.append(EndpointReading(codec.endpoint(document), listing, None))
    return WorkspaceReading(
        workspace.arm_id, tuple(items), (), at(began), at(began + 1), "azure-1", 1 + len(items)
    )


def take(workspace, what: WorkspaceReading) -> Absorbed:
    return absorb(workspace.pk, what, lambda: None)


def rows(workspace) -> dict[str, list[dict[str, Any]]]:
    """All that is on record of a workspace, without ids and without what names the workspace."""
    ours = {"workspace": workspace}
    found = {
        "endpoints": Endpoint.objects.filter(**ours),
        "deployments": Deployment.objects.filter(endpoint__workspace=workspace),
        "endpoint revisions": EndpointRevision.objects.filter(endpoint__workspace=workspace),
        "deployment revisions": DeploymentRevision.objects.filter(deployment__endpoint__workspace=workspace),
    }
    own = ("id", "_id", "arm_key", "known_at", "seen_at", "_hash")
    return {
        kind: [
            {name: value for name, value in row.items() if not name.endswith(own)}
            for row in query.order_by("pk").values()
        ]
        for kind, query in found.items()
    }


def test_first_reading__in_bulk__leaves_what_observing_each_item_leaves():
    bulk, single = make_workspace(), make_workspace()
    counted = take(bulk, reading(bulk, documents(bulk)))
    for document in documents(single):
        seen = observe_endpoint(workspace_id=single.pk, reading=endpoint_reading(document, 10, 11))
        observe_deployments(
            endpoint_id=seen.endpoint_id,
            records=[codec.deployment(deployment_document(document, name)) for name in DEPLOYMENTS],
            answer=Answer(at(11), at(12), "azure-2"),
            is_complete=True,
        )

    assert rows(bulk) == rows(single)
    assert (counted.endpoints, counted.deployments, counted.changes) == (3, 6, 9)
    assert not Endpoint.objects.filter(latest_revision=None).exists()
    assert not Deployment.objects.filter(latest_revision=None).exists()
    assert RawDocument.objects.count() == 18


def test_first_reading__holds_what_the_database_refuses__sets_that_item_aside():
    workspace = make_workspace()
    found = documents(workspace)
    found[1]["properties"]["description"] = "zero \x00 byte"

    counted = take(workspace, reading(workspace, found))

    assert [row.name for row in Endpoint.objects.order_by("name")] == ["e0", "e2"]
    assert list(counted.problems.reasons) == [found[1]["id"]]
    assert not Drift.objects.exists()


def test_reading__of_what_is_known__asks_twice_and_writes_nothing():
    workspace = make_workspace()
    take(workspace, reading(workspace, documents(workspace, 8)))

    with CaptureQueriesContext(connection) as queries:
        counted = take(workspace, reading(workspace, documents(workspace, 8), 40))

    assert counted.changes == 0
    assert [query["sql"].split()[0] for query in queries] == ["SELECT"] * 3


def test_reading__one_of_many_changed__takes_in_that_one():
    workspace = make_workspace()
    take(workspace, reading(workspace, documents(workspace)))
    found = documents(workspace)
    found[2]["properties"]["traffic"] = {"green": 100}

    counted = take(workspace, reading(workspace, found, 40))

    assert counted.changes == 1
    assert Drift.objects.get().endpoint.name == "e2"


def test_reading__every_deployment_changed__is_one_drift_each():
    workspace = make_workspace()
    take(workspace, reading(workspace, documents(workspace, 1)))

    counted = take(workspace, reading(workspace, documents(workspace, 1), 40, instanceType="Standard_F8s_v2"))

    assert counted.changes == 2
    assert set(Drift.objects.values_list("deployment__name", flat=True)) == set(DEPLOYMENTS)
    # Blue has all the traffic: somebody should explain that one.
    assert Endpoint.objects.get().open_drift.deployment.name == "blue"


def test_reading__older_than_the_record__names_what_to_read_again():
    workspace = make_workspace()
    take(workspace, reading(workspace, documents(workspace, 1), 40))
    found = documents(workspace, 1)
    found[0]["properties"]["traffic"] = {}

    counted = take(workspace, reading(workspace, found, 39))

    assert counted.stale == [found[0]["id"]]
    assert Endpoint.objects.get().traffic == {"blue": 100}


def test_reading__list_of_deployments_is_missing__deletes_none():
    workspace = make_workspace()
    whole = reading(workspace, documents(workspace, 1))
    take(workspace, whole)
    without = replace(whole.endpoints[0], deployments=None)

    take(workspace, replace(whole, endpoints=(without,), request_began=at(40), response_ended=at(41)))

    assert Deployment.objects.filter(deleted_at=None).count() == 2
