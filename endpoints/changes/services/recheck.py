"""Run the checks of a change again once its deployments were asked directly, and keep them asked while it waits."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from endpoints.audit.actors import SYSTEM_SYNC
from endpoints.changes.checks import run
from endpoints.changes.lifecycle import State
from endpoints.changes.models import Change, ChangeRevision, Probe, Sample
from endpoints.changes.plan import base_from_json, candidates, stables, steps_from_json
from endpoints.changes.selectors.probes import newest_probes
from endpoints.changes.selectors.situation import situation_of
from endpoints.changes.services.moves import announce, move
from endpoints.changes.services.probe import probe_deployments
from endpoints.changes.services.revise import keep_checks, state_after_checks
from endpoints.core.errors import NotFound
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint

AGAIN = timedelta(minutes=20)
"""While a change waits its deployments are asked so often: the checks at its start must not find old answers."""
AGAIN_IDLE = timedelta(hours=12)
BATCH = 20
_WAITING = (State.CHECK_FAILED, State.IN_REVIEW, State.APPROVED, State.SCHEDULED)
_UNDECIDED = (State.CHECK_FAILED, State.IN_REVIEW)


def probe_change(*, change_id: int) -> None:
    """Ask the deployments of the plan and judge the change again; nothing for one that does not wait any more."""
    change = Change.objects.filter(pk=change_id, state__in=_WAITING).first()
    if change is None:
        return
    revision = ChangeRevision.objects.get(change=change, number=change.revision)
    base, steps = base_from_json(revision.base), steps_from_json(revision.plan)
    names = [*candidates(base, steps), *stables(base, steps)]
    if probe_deployments(endpoint_id=change.endpoint_id, deployments=names, change_id=change.pk):
        recheck(change_id=change.pk)


@transaction.atomic
def recheck(*, change_id: int) -> None:
    """Run the checks now and keep them; what nobody has approved yet is held by them, or let go on to review."""
    change = Change.objects.select_for_update(no_key=True).get(pk=change_id)
    if change.state not in _WAITING:
        return
    try:
        verdicts = run(situation_of(change))
    except NotFound:
        return  # the endpoint is gone: nothing can be judged any more
    worst = keep_checks(change=change, moment="probe", verdicts=verdicts)
    to = state_after_checks(worst)
    if change.state not in _UNDECIDED or to == change.state:
        announce(change)
        return
    move(change=change, to=State.CHECKING, actor=SYSTEM_SYNC, reason="its deployments were asked directly")
    move(change=change, to=to, actor=SYSTEM_SYNC, reason=worst.reason if worst.blocks else "")


def due_changes(*, now: datetime | None = None) -> list[int]:
    """Waiting changes on endpoints with a sample whose deployments were not asked for some time."""
    lately = Probe.objects.filter(change=OuterRef("pk"), at__gt=(now or db_now()) - AGAIN)
    set_ones = _sampled()
    found = Change.objects.filter(state__in=_WAITING, endpoint_id__in=set_ones).filter(~Exists(lately))
    return list(found.order_by("pk").values_list("pk", flat=True)[:BATCH])


def due_endpoints(*, now: datetime | None = None) -> list[int]:
    """Endpoints with a sample of which some deployment was not asked for long: their lights tell by it."""
    since = (now or db_now()) - AGAIN_IDLE
    alive = Endpoint.objects.filter(pk__in=_sampled(), deleted_at=None).order_by("pk")
    due = [
        row.pk
        for row in alive.prefetch_related("deployments")
        if _long_ago([one.name_key for one in row.deployments.all() if one.deleted_at is None], row.pk, since)
    ]
    return due[:BATCH]


def _long_ago(names: list[str], endpoint_id: int, since: datetime) -> bool:
    asked = newest_probes(endpoint_id)
    return any(name not in asked or asked[name].at < since for name in names)


def _sampled() -> list[int]:
    newest = Sample.objects.order_by("endpoint", "-pk").distinct("endpoint")
    return [endpoint_id for endpoint_id, body in newest.values_list("endpoint_id", "body") if body]
