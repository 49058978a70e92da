"""The history of an endpoint, its verified splits, and what was true at a moment."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, transaction

from endpoints.core.errors import Invalid
from endpoints.inventory.models import DeploymentRevision, Drift, EndpointRevision, RawDocument, SyncRun
from endpoints.inventory.selectors import (
    current_split,
    deployment_states,
    deployments_as_of,
    drifts,
    endpoint_as_of,
    history,
    raw_document,
    verified_splits,
)
from endpoints.inventory.services import (
    observe_deployment,
    observe_deployments,
    observe_endpoint,
)
from endpoints.inventory.services.observation import Answer
from endpoints.inventory.timeline import Certainty
from tests.inventory.support import (
    at,
    deployment_document,
    deployment_reading,
    endpoint_document,
    endpoint_reading,
    make_workspace,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace():
    return make_workspace()


def see(workspace, began, **changes):
    document = endpoint_document(workspace, **changes)
    return observe_endpoint(workspace_id=workspace.pk, reading=endpoint_reading(document, began))


def list_deployments(workspace, endpoint_id, began, *documents, is_complete=True):
    return observe_deployments(
        endpoint_id=endpoint_id,
        records=[deployment_reading(document, began).value for document in documents],
        answer=Answer(at(began), at(began + 0.5)),
        is_complete=is_complete,
    )


def test_history__of_changes__says_what_moved_in_words(workspace):
    see(workspace, 10)
    seen = see(workspace, 40, traffic={"blue": 90, "green": 10}, provisioningState="Updating")

    newest, first = history(seen.endpoint_id).items

    assert [(c.label, c.before, c.after) for c in newest.changes] == [
        ("traffic", "blue 100\u00a0%", "blue 90\u00a0%, green 10\u00a0%"),
        ("provisioning state", "Succeeded", "Updating"),
    ]
    assert (newest.cause, newest.is_first, first.is_first) == ("drift", False, True)
    assert [row.kind for row in drifts(seen.endpoint_id)] == ["traffic"]


def test_history__paged__holds_every_revision_once(workspace):
    seen = see(workspace, 10)
    documents = [deployment_document(endpoint_document(workspace), name) for name in ("a", "b", "c", "d")]
    list_deployments(workspace, seen.endpoint_id, 10, *documents)
    see(workspace, 40, traffic={})

    whole = history(seen.endpoint_id, limit=50)
    pages, cursor = [], ""
    while True:
        page = history(seen.endpoint_id, cursor=cursor, limit=2)
        pages += page.items
        cursor = page.next_cursor
        if not cursor:
            break

    assert tuple(pages) == whole.items
    assert len(whole.items) == 6


def test_history__cursor_of_no_page__is_invalid(workspace):
    with pytest.raises(Invalid):
        history(1, cursor="nonsense")


def test_verified_splits__of_several_changes__are_newest_first_without_repeats(workspace):
    seen = see(workspace, 10)
    see(workspace, 40, provisioningState="Updating")
    see(workspace, 50, traffic={"green": 50, "blue": 50}, provisioningState="Failed")
    see(workspace, 60, traffic={"red": 100}, provisioningState="Updating")
    last = see(workspace, 70, traffic={"red": 100})

    splits = verified_splits(seen.endpoint_id)

    assert [split.traffic for split in splits] == [{"red": 100}, {"blue": 100}]
    assert (splits[0].earliest, splits[0].latest) == (at(50), at(60.5))
    assert splits[0].revision_id != last.revision_id


def test_current_split__read_again__says_when(workspace):
    seen = see(workspace, 10)
    see(workspace, 40)

    split = current_split(seen.endpoint_id)

    assert (split.traffic, split.read_began, split.read_ended) == ({"blue": 100}, at(40), at(40.5))
    assert split.revision_id == seen.revision_id
    assert raw_document(seen.endpoint_id)["name"] == "checkout-risk"


def test_deployment__made_by_others_after_the_first_listing__is_drift_of_a_deployment(workspace):
    seen = see(workspace, 10)
    document = endpoint_document(workspace)
    list_deployments(workspace, seen.endpoint_id, 11, deployment_document(document))
    assert drifts(seen.endpoint_id) == ()

    list_deployments(
        workspace, seen.endpoint_id, 41, deployment_document(document), deployment_document(document, "green")
    )

    drift = drifts(seen.endpoint_id)[0]
    assert (drift.kind, drift.deployment) == ("deployment", "green")
    assert [one.name for one in deployment_states(seen.endpoint_id)] == ["blue", "green"]


def test_deployment__scaled__is_history_and_no_drift(workspace):
    seen = see(workspace, 10)
    document = endpoint_document(workspace)
    list_deployments(workspace, seen.endpoint_id, 11, deployment_document(document))
    scaled = deployment_document(document, sku={"name": "Default", "capacity": 5})

    observation = observe_deployment(workspace_id=workspace.pk, reading=deployment_reading(scaled, 41))

    assert (observation.changed, observation.drifted) == (True, False)
    assert deployment_states(seen.endpoint_id)[0].instance_count == 5


def test_deployment__absent_from_a_partial_list__is_not_deleted(workspace):
    seen = see(workspace, 10)
    document = endpoint_document(workspace)
    blue, green = deployment_document(document), deployment_document(document, "green")
    list_deployments(workspace, seen.endpoint_id, 11, blue, green)

    list_deployments(workspace, seen.endpoint_id, 41, blue, is_complete=False)
    assert len(deployment_states(seen.endpoint_id)) == 2

    list_deployments(workspace, seen.endpoint_id, 71, blue)
    assert [one.name for one in deployment_states(seen.endpoint_id)] == ["blue"]


def test_deployment__text_that_the_database_refuses__spoils_itself_only(workspace):
    seen = see(workspace, 10)
    document = endpoint_document(workspace)
    bad = deployment_document(document, "bad", description="zero \x00 byte")

    outcome = list_deployments(workspace, seen.endpoint_id, 11, bad, deployment_document(document))

    assert [item.rpartition("/")[2] for item, _ in outcome.unreadable] == ["bad"]
    assert [one.name for one in deployment_states(seen.endpoint_id)] == ["blue"]


def test_as_of__between_reads_of_two_states__is_one_of_two(workspace):
    seen = see(workspace, 10)
    see(workspace, 40)
    see(workspace, 70, traffic={"green": 100})

    then = endpoint_as_of(seen.endpoint_id, at(60))
    before = endpoint_as_of(seen.endpoint_id, at(30))
    after = endpoint_as_of(seen.endpoint_id, at(700))

    assert then.certainty is Certainty.ONE_OF_TWO
    assert [one.state["traffic"] for one in then.states] == [{"blue": 100}, {"green": 100}]
    assert (before.certainty, before.states[0].state["traffic"]) == (Certainty.CERTAIN, {"blue": 100})
    assert after.certainty is Certainty.UNKNOWN
    assert endpoint_as_of(seen.endpoint_id, at(5)).certainty is Certainty.UNKNOWN


def test_as_of__of_a_deployment_that_was_deleted__knows_that_it_was_gone(workspace):
    seen = see(workspace, 10)
    document = endpoint_document(workspace)
    list_deployments(workspace, seen.endpoint_id, 11, deployment_document(document))
    list_deployments(workspace, seen.endpoint_id, 41)
    SyncRun.objects.create(
        workspace=workspace,
        trigger="schedule",
        outcome="complete",
        started_at=at(70),
        ended_at=at(72),
        reads_began=at(70),
        reads_ended=at(71),
        cadence_seconds=30,
    )

    gone = deployments_as_of(seen.endpoint_id, at(60))[0]

    assert (gone.certainty, gone.states[0].deleted) == (Certainty.CERTAIN, True)


@pytest.mark.parametrize("model", [EndpointRevision, DeploymentRevision, Drift, RawDocument, SyncRun])
def test_history__as_the_runtime_role__can_be_neither_changed_nor_deleted(model):
    table, column = model._meta.db_table, model._meta.pk.column

    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
