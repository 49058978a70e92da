"""What was measured around a change outlives other minutes."""

from __future__ import annotations

from datetime import timedelta

from endpoints.metrics.models import Keep


def test_change__that_azure_was_asked_for__keeps_the_minutes_around_it_when_it_ends(desk):
    change_id = desk.started()
    assert not Keep.objects.exists()
    desk.roll_back()  # which ends the change that it reverts
    ended = desk.change(change_id)
    kept = Keep.objects.get(cause=f"change:{change_id}")
    assert kept.endpoint_id == ended.endpoint_id
    assert kept.since == ended.started_at - timedelta(hours=2)
    assert kept.until == ended.ended_at + timedelta(hours=2)


def test_change__that_never_started__keeps_nothing(desk):
    desk.reject(desk.request())
    assert not Keep.objects.exists()
