"""When workspaces are read, and by whom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from endpoints.audit.models import Entry
from endpoints.core.errors import Refused
from endpoints.dispatch import db_now
from endpoints.inventory.models import SyncRun, SyncTarget
from endpoints.inventory.pacing import Pace
from endpoints.inventory.services import request_sync
from endpoints.inventory.services.targets import (
    CLAIM,
    ClaimLost,
    add_missing,
    claim_shard,
    due_shards,
    finish,
    pace_of,
    release,
    renew,
)
from tests.inventory.support import make_workspace
from tests.support.people import principal

pytestmark = pytest.mark.django_db

OTHER = "00000000-0000-4000-8000-000000000002"


def run_of(workspace, outcome="complete", **fields) -> SyncRun:
    now = db_now()
    return SyncRun(
        workspace=workspace, trigger="schedule", outcome=outcome, started_at=now, ended_at=now, **fields
    )


def test_target__of_a_workspace_just_connected__is_due_at_once():
    workspace = make_workspace()

    add_missing()
    add_missing()

    assert due_shards() == [workspace.pk]
    assert SyncTarget.objects.count() == 1


def test_target__of_a_disconnected_workspace__is_never_due():
    workspace = make_workspace()
    add_missing()
    workspace.disconnected_at = db_now()
    workspace.save()

    assert due_shards() == []
    assert claim_shard(workspace.pk) is None


def test_shard__of_a_subscription__holds_its_due_workspaces_only():
    mine, sibling, later = (make_workspace() for _ in range(3))
    stranger = make_workspace(subscription=OTHER)
    add_missing()
    SyncTarget.objects.filter(workspace=later).update(due_at=db_now() + timedelta(hours=1), calls=40)

    shard = claim_shard(mine.pk)

    assert {target.workspace_id for target in shard.targets} == {mine.pk, sibling.pk}
    assert shard.other_calls == 40
    assert due_shards() == [stranger.pk]


def test_claim__reader_was_killed__is_taken_over_when_it_ends():
    workspace = make_workspace()
    add_missing()
    dead = claim_shard(workspace.pk)
    SyncTarget.objects.update(claimed_until=db_now() - timedelta(seconds=1))

    alive = claim_shard(workspace.pk)

    assert alive.claim != dead.claim
    with pytest.raises(ClaimLost):
        renew(dead)
    finish(dead, run_of(workspace), Pace(30))
    assert SyncTarget.objects.get().claim == alive.claim


def test_claim__renewed__lasts_longer():
    workspace = make_workspace()
    add_missing()
    shard = claim_shard(workspace.pk)
    SyncTarget.objects.update(claimed_until=db_now() - timedelta(seconds=1))

    renew(shard)

    assert SyncTarget.objects.get().claimed_until > db_now() + CLAIM / 2


def test_claim__released_unfinished__is_due_again():
    workspace = make_workspace()
    add_missing()
    release(claim_shard(workspace.pk).claim)

    assert due_shards() == [workspace.pk]


def test_finish__of_a_failure__keeps_the_covering_run_and_waits_longer_each_time():
    workspace = make_workspace()
    add_missing()
    shard = claim_shard(workspace.pk)
    finish(shard, run_of(workspace, reads_ended=db_now(), reads_began=db_now(), calls=21), Pace(30))
    covering = SyncTarget.objects.get().covered_by
    waits = []
    for _ in range(3):
        SyncTarget.objects.update(due_at=db_now())
        shard = claim_shard(workspace.pk)
        finish(shard, run_of(workspace, "failed", error="no"), Pace(30))
        waits.append(round((SyncTarget.objects.get().due_at - shard.claimed_at).total_seconds()))

    target = SyncTarget.objects.get()
    assert waits == [30, 60, 120]
    assert (target.covered_by, target.failures, target.calls) == (covering, 3, 21)


def test_pace__of_a_big_subscription__is_stretched_for_all_its_workspaces():
    mine, other = make_workspace(), make_workspace()
    add_missing()
    SyncTarget.objects.filter(workspace=other).update(calls=1500, due_at=db_now() + timedelta(hours=1))
    shard = claim_shard(mine.pk)

    pace = pace_of(shard, {mine.pk: 520}, 25.0)

    assert pace.seconds == 101
    assert "2,020 requests" in pace.reason


def test_request__by_somebody_who_may__is_due_now_but_not_before_retry_after(workspace, operator):
    add_missing()
    retry_at = db_now() + timedelta(minutes=3)
    SyncTarget.objects.update(due_at=db_now() + timedelta(hours=1), retry_at=retry_at)

    request_sync(principal=principal(operator), workspace_id=workspace.pk)

    target = SyncTarget.objects.get()
    assert target.due_at == retry_at
    assert Entry.objects.filter(
        action="workspace.sync_requested", subject=f"workspace:{workspace.pk}"
    ).exists()
    SyncTarget.objects.update(retry_at=None)
    request_sync(principal=principal(operator), workspace_id=workspace.pk)
    assert due_shards() == [workspace.pk]
    assert claim_shard(workspace.pk).targets[0].trigger == "request"


def test_request__by_an_outsider__is_refused(workspace, outsider):
    with pytest.raises(Refused):
        request_sync(principal=principal(outsider), workspace_id=workspace.pk)
