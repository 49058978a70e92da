"""Give a change to the executor: it owns the endpoint's traffic from then on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from endpoints.audit.actors import Actor
from endpoints.changes.capacity_checks import deletes
from endpoints.changes.lifecycle import State
from endpoints.changes.models import Change, ChangeRevision, Lease
from endpoints.changes.plan import Step, steps_from_json
from endpoints.changes.services.lease import take_goal
from endpoints.changes.services.moves import move
from endpoints.changes.services.steps import CALM
from endpoints.core.errors import Conflict
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.metrics.services import keep

LONGER = timedelta(days=7)
"""For so long after its time a scream test may be held."""
NOT_STARTED = "The change was not started."


def hand_over(
    lease: Lease,
    change: Change,
    revision: ChangeRevision,
    *,
    person: int,
    actor: Actor,
    facts: Mapping[str, Any] | None = None,
    personal: Mapping[str, str] | None = None,
    **fields: Any,
) -> None:
    """Start it in the name of `person`. Conflict while another change is at work on the endpoint."""
    now, steps = db_now(), steps_from_json(revision.plan)
    try:
        with transaction.atomic():
            move(
                change=change,
                to=State.APPLYING,
                actor=actor,
                facts={
                    "plan": [step.for_ledger() for step in steps],
                    "hash": revision.content_hash,
                    **(facts or {}),
                },
                personal=personal,
                started_at=now,
                started_by_id=person,
                step=0,
                step_since=now,
                next_check_at=now,
                **fields,
                **CALM,
            )
    except IntegrityError as error:
        raise Conflict(f"Another change is at work on this endpoint. {NOT_STARTED}") from error
    take_goal(lease, change)
    if deletes(steps):
        _keep_scream_test(change, steps, now)


def _keep_scream_test(change: Change, steps: tuple[Step, ...], now: datetime) -> None:
    """Its minutes decide whether anything is deleted, so they outlive all others."""
    until = now + timedelta(seconds=sum(step.bake for step in steps)) + LONGER
    keep(endpoint_id=change.endpoint_id, since=now, until=until, cause=ref("change", change.pk))
