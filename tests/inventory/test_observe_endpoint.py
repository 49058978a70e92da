"""What an answer about an endpoint does to the mirror."""

from __future__ import annotations

import pytest

from endpoints.audit.models import Entry
from endpoints.inventory.models import Drift, Endpoint, EndpointRevision, ExpectedWrite, RawDocument
from endpoints.inventory.services import (
    Answer,
    Observation,
    cancel_expected,
    expect_write,
    observe_endpoint,
    observe_endpoint_deleted,
)
from tests.inventory.support import at, endpoint_document, endpoint_reading, make_workspace

pytestmark = pytest.mark.django_db


def see(workspace, began, ended=None, **changes) -> Observation:
    reading = endpoint_reading(endpoint_document(workspace, **changes), began, ended)
    return observe_endpoint(workspace_id=workspace.pk, reading=reading)


def history(workspace) -> list[tuple[dict, bool]]:
    rows = EndpointRevision.objects.filter(endpoint__workspace=workspace).order_by("pk")
    return [(row.state.get("traffic", {}), row.deleted) for row in rows]


def order(endpoint_id: int, traffic, *, mirror=None, cause="change:42", seconds=3600 * 24 * 3650) -> int:
    expected_id = expect_write(
        endpoint_id=endpoint_id,
        cause=cause,
        attempt="attempt:1",
        traffic=traffic,
        mirror=mirror,
        verb="put_split",
        seconds=seconds,
    )
    ExpectedWrite.objects.filter(pk=expected_id).update(created_at=at(50))
    return expected_id


def test_endpoint__first_seen__is_recorded_without_drift():
    workspace = make_workspace()

    seen = see(workspace, 10)

    row = Endpoint.objects.get()
    assert (seen.changed, seen.drifted, seen.stale) == (True, False, False)
    assert (row.traffic, row.auth_mode, row.owner) == ({"blue": 100}, "Key", "fraud")
    assert (row.last_read_began, row.last_read_ended) == (at(10), at(10.5))
    revision = EndpointRevision.objects.get()
    assert (revision.earliest, revision.latest) == (None, at(10.5))
    assert not Drift.objects.exists()


def test_endpoint__read_again_unchanged__moves_the_reading_and_nothing_else():
    workspace = make_workspace()
    see(workspace, 10)

    again = see(workspace, 40)

    assert not again.changed
    assert history(workspace) == [({"blue": 100}, False)]
    assert Endpoint.objects.get().last_read_began == at(40)


def test_endpoint__volatile_fields_move__is_no_new_state():
    workspace = make_workspace()
    see(workspace, 10)
    document = endpoint_document(workspace)
    document["systemData"] |= {"lastModifiedAt": "2026-02-01T00:00:00Z", "lastModifiedBy": "somebody else"}
    document["properties"]["properties"]["AzureAsyncOperationUri"] = "https://x/op?sig=secret"

    again = observe_endpoint(workspace_id=workspace.pk, reading=endpoint_reading(document, 40))

    assert not again.changed


def test_endpoint__changed_by_others__is_drift_with_both_maps_in_mirror_and_ledger():
    workspace = make_workspace()
    see(workspace, 10)
    see(workspace, 40)

    seen = see(workspace, 70, traffic={"Blue": 90, "green": 10, "red": 0})

    assert seen.drifted
    drift = Drift.objects.get()
    assert drift.kind == "traffic"
    assert drift.before == {"traffic": {"blue": 100}}
    assert drift.after == {"traffic": {"blue": 90, "green": 10}}
    assert (drift.earliest, drift.latest) == (at(40), at(70.5))
    entry = Entry.objects.get(action="endpoint.drift")
    assert (entry.actor, entry.subject) == ("system:sync", f"endpoint:{seen.endpoint_id}")
    assert entry.after == {"traffic": {"blue": 90, "green": 10}}
    assert Endpoint.objects.get().open_drift == drift


def test_endpoint__changed_as_ordered__is_the_changes_and_narrowed_by_the_order():
    workspace = make_workspace()
    seen = see(workspace, 10)
    expected_id = order(seen.endpoint_id, {"blue": 90, "green": 10})

    ours = see(workspace, 70, traffic={"blue": 90, "green": 10}, provisioningState="Updating")

    assert (ours.changed, ours.drifted, ours.cause) == (True, False, "change:42")
    revision = EndpointRevision.objects.get(pk=ours.revision_id)
    assert (revision.cause, revision.earliest, revision.latest) == ("change:42", at(50), at(70.5))
    assert ExpectedWrite.objects.get(pk=expected_id).revision == revision
    assert not Drift.objects.exists()


def test_endpoint__ordered_split_appears_a_second_time__is_drift():
    workspace = make_workspace()
    seen = see(workspace, 10)
    order(seen.endpoint_id, {"green": 100})
    see(workspace, 70, traffic={"green": 100})
    see(workspace, 80, traffic={"blue": 100})

    assert see(workspace, 90, traffic={"green": 100}).drifted


def test_endpoint__order_was_cancelled_or_ran_out__is_drift():
    workspace = make_workspace()
    seen = see(workspace, 10)
    assert cancel_expected(order(seen.endpoint_id, {"green": 100}))
    expired = order(seen.endpoint_id, {"green": 100})
    ExpectedWrite.objects.filter(pk=expired).update(created_at=at(1), expires_at=at(5))

    assert see(workspace, 70, traffic={"green": 100}).drifted


def test_endpoint__ours_and_foreign_change_in_one_step__blames_only_the_foreign_part():
    workspace = make_workspace()
    seen = see(workspace, 10)
    order(seen.endpoint_id, {"green": 100})

    both = see(workspace, 70, traffic={"green": 100}, publicNetworkAccess="Disabled")

    assert (both.cause, both.drifted) == ("change:42", True)
    drift = Drift.objects.get()
    assert (drift.kind, drift.after) == ("configuration", {"public_network_access": "Disabled"})


def test_endpoint__mirror_changed_beside_the_order__is_drift():
    workspace = make_workspace()
    seen = see(workspace, 10)
    order(seen.endpoint_id, {"green": 100})

    foreign = see(workspace, 70, traffic={"green": 100}, mirrorTraffic={"blue": 10})

    assert foreign.drifted
    assert Drift.objects.get().after == {"traffic": {"green": 100}, "mirror_traffic": {"blue": 10}}


def test_endpoint__provisioning_state_flips__is_a_revision_without_blame():
    workspace = make_workspace()
    see(workspace, 10)

    flip = see(workspace, 40, provisioningState="Updating")

    assert (flip.changed, flip.drifted) == (True, False)
    assert len(history(workspace)) == 2


def test_endpoint__returns_to_an_old_state__is_a_new_revision_and_ends_the_alarm():
    workspace = make_workspace()
    see(workspace, 10)
    see(workspace, 40, traffic={"green": 100})

    see(workspace, 70)

    assert history(workspace) == [({"blue": 100}, False), ({"green": 100}, False), ({"blue": 100}, False)]
    assert Drift.objects.count() == 2
    assert Endpoint.objects.get().open_drift is None
    assert RawDocument.objects.count() == 2


def test_answer__began_before_the_last_accepted_one_ended__is_discarded():
    workspace = make_workspace()
    see(workspace, 10)
    see(workspace, 40, 41, traffic={"green": 100})

    late = see(workspace, 40.5, 45)

    assert late.stale
    assert history(workspace) == [({"blue": 100}, False), ({"green": 100}, False)]


def test_endpoint__created_again_under_its_name__is_another_endpoint():
    workspace = make_workspace()
    first = see(workspace, 10)

    second = see(workspace, 40, created_at="2026-01-05T08:00:20Z", traffic={})

    assert second.endpoint_id != first.endpoint_id
    gone = Endpoint.objects.get(pk=first.endpoint_id)
    assert gone.deleted_at is not None
    assert gone.latest_revision.deleted
    assert (gone.latest_revision.earliest, gone.latest_revision.latest) == (at(10), at(40.5))
    assert Drift.objects.get().kind == "endpoint"
    assert EndpointRevision.objects.get(pk=second.revision_id).earliest == at(10)


def test_endpoint__absent_from_a_complete_answer__is_deleted_once():
    workspace = make_workspace()
    seen = see(workspace, 10)

    gone = observe_endpoint_deleted(endpoint_id=seen.endpoint_id, answer=Answer(at(40), at(41)))
    again = observe_endpoint_deleted(endpoint_id=seen.endpoint_id, answer=Answer(at(50), at(51)))

    assert (gone.changed, gone.drifted, again.changed) == (True, True, False)
    assert history(workspace) == [({"blue": 100}, False), ({}, True)]


def test_deletion__answer_is_older_than_the_record__is_discarded():
    workspace = make_workspace()
    seen = see(workspace, 10)

    assert observe_endpoint_deleted(endpoint_id=seen.endpoint_id, answer=Answer(at(10.2), at(41))).stale
    assert Endpoint.objects.get().deleted_at is None


def test_endpoint__thought_deleted_and_seen_again__is_the_same_one():
    workspace = make_workspace()
    seen = see(workspace, 10)
    observe_endpoint_deleted(endpoint_id=seen.endpoint_id, answer=Answer(at(40), at(41)))

    back = see(workspace, 70)

    assert back.endpoint_id == seen.endpoint_id
    assert Endpoint.objects.get().deleted_at is None
    assert [deleted for _, deleted in history(workspace)] == [False, True, False]


def test_endpoint__slow_answer_from_before_its_deletion__does_not_bring_it_back():
    workspace = make_workspace()
    seen = see(workspace, 10)
    observe_endpoint_deleted(endpoint_id=seen.endpoint_id, answer=Answer(at(40), at(41)))

    assert see(workspace, 39, 45).stale
    assert Endpoint.objects.get().deleted_at is not None


def test_endpoints__of_one_name_in_two_workspaces__are_two():
    one, other = make_workspace(), make_workspace()

    assert see(one, 10).endpoint_id != see(other, 10).endpoint_id
    see(one, 40, traffic={})
    assert history(other) == [({"blue": 100}, False)]


def test_ledger__tags_drift__holds_their_names_only():
    workspace = make_workspace()
    see(workspace, 10)

    see(workspace, 40, tags={"owner": "A. Person", "team": "fraud"})

    assert Entry.objects.get(action="endpoint.drift").after == {"tags": ["owner", "team"]}
    assert Drift.objects.get().after == {"tags": {"owner": "A. Person", "team": "fraud"}}


def test_document__holds_secrets__is_stored_without_them():
    workspace = make_workspace()
    document = endpoint_document(workspace, keys={"primaryKey": "very-secret"})
    document["properties"]["properties"]["AzureAsyncOperationUri"] = "https://x/op?sig=very-secret"

    observe_endpoint(workspace_id=workspace.pk, reading=endpoint_reading(document, 10))

    assert "very-secret" not in str(RawDocument.objects.get().body)
    assert "very-secret" not in str(EndpointRevision.objects.get().state)
