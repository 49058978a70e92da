"""Looks in Azure's activity log for who made a drift, until the log is complete or a day is over.

What is found is a row of its own beside the drift, with an entry in the ledger; it explains and decides nothing.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from asgiref.sync import async_to_sync
from django.db import connection, transaction

from endpoints.audit import services as audit
from endpoints.audit.actors import SYSTEM_SYNC
from endpoints.audit.selectors import azure_calls
from endpoints.azure_gateway.client import connect
from endpoints.azure_gateway.errors import GatewayError, Throttled
from endpoints.azure_gateway.records import ActivityRecord, Listing
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.core.clock import Clock
from endpoints.core.ids import arm_key, ref
from endpoints.dispatch import db_now
from endpoints.inventory import attribution
from endpoints.inventory.attribution import Answer, Candidate, Found, Wanted
from endpoints.inventory.connection import gateway_settings
from endpoints.inventory.dbclock import DatabaseClock
from endpoints.inventory.drift import Kind
from endpoints.inventory.models import Drift, DriftAttribution, DriftSearch

log = structlog.get_logger(__name__)

# Azure answers 50 of these questions in 30 s; one for each resource, and other programs ask too.
AT_ONCE = 30
# Longer than a round takes; what a reader that was killed had taken waits this long.
TAKEN = timedelta(minutes=5)
_LONGEST_REASON = 1000
_BEGIN = """
INSERT INTO inventory_drift_search (drift_id, due_at, reason)
SELECT d.id, clock_timestamp(), '' FROM inventory_drift d
WHERE d.known_at > clock_timestamp() - make_interval(secs => %s)
AND NOT EXISTS (SELECT 1 FROM inventory_drift_search s WHERE s.drift_id = d.id)
ON CONFLICT DO NOTHING
"""


class ActivityLog(Protocol):
    """The part of the gateway that is needed here."""

    async def list_activity(
        self, subscription: str, *, since: datetime, until: datetime, resource_id: str
    ) -> Listing[ActivityRecord]: ...


class Connecting(Protocol):
    """Opens a connection to Azure."""

    def __call__(
        self, settings: GatewaySettings, *, clock: Clock
    ) -> AbstractAsyncContextManager[ActivityLog]: ...


def attribute_drift(
    *, settings: GatewaySettings | None = None, connecting: Connecting = connect, at_once: int = AT_ONCE
) -> int:
    """Look once for every drift that is due, of at most so many resources; how many rows were added."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, [attribution.GIVE_UP.total_seconds()])
    written = 0
    taken = _take(at_once)
    for place, (resource, drifts) in enumerate(taken):
        try:
            listing = async_to_sync(_ask)(
                drifts, resource, settings or gateway_settings(), connecting, DatabaseClock()
            )
        except Throttled as error:
            _give_back([drift for _, rest in taken[place:] for drift in rest], error)
            break
        except (GatewayError, ValueError) as error:
            log.warning("activity_log_silent", resource=resource, cause=type(error).__name__)
            written += sum(_not_told(drift, str(error)) for drift in drifts)
        else:
            written += sum(_told(drift, listing) for drift in drifts)
    return written


def wanted_of(drift: Drift) -> Wanted:
    """What to look for. A deployment that went with its endpoint is looked for as what was deleted itself."""
    deployment = drift.deployment if drift.kind == Kind.DEPLOYMENT else None
    revision = drift.deployment_revision if deployment else drift.revision
    return Wanted(
        resource=arm_key(deployment.arm_id if deployment else drift.endpoint.arm_id),
        is_deployment=deployment is not None,
        deleted=revision is not None and revision.deleted,
        earliest=drift.earliest,
        latest=drift.latest,
    )


@transaction.atomic
def _take(at_once: int) -> list[tuple[str, list[Drift]]]:
    """Due drifts by resource, of the resources that waited longest; nobody else takes them for a while."""
    now = db_now()
    due = (
        DriftSearch.objects.filter(
            ended_at=None, due_at__lte=now, drift__endpoint__workspace__disconnected_at=None
        )
        .select_for_update(skip_locked=True, of=("self",))
        .select_related(
            "drift__endpoint__workspace",
            "drift__deployment",
            "drift__revision",
            "drift__deployment_revision",
        )
        .order_by("due_at", "drift_id")
    )
    by_resource: dict[str, list[Drift]] = defaultdict(list)
    for search in due[: at_once * 10]:
        resource = wanted_of(search.drift).resource
        if resource in by_resource or len(by_resource) < at_once:
            by_resource[resource].append(search.drift)
    ours = [drift.pk for drifts in by_resource.values() for drift in drifts]
    DriftSearch.objects.filter(pk__in=ours).update(due_at=now + TAKEN)
    return list(by_resource.items())


async def _ask(
    drifts: list[Drift], resource: str, settings: GatewaySettings, connecting: Connecting, clock: Clock
) -> Listing[ActivityRecord]:
    since, until = attribution.window(wanted_of(drift) for drift in drifts)
    subscription = drifts[0].endpoint.workspace.subscription_id
    async with connecting(settings, clock=clock) as azure:
        return await azure.list_activity(subscription, since=since, until=until, resource_id=resource)


def _give_back(drifts: list[Drift], error: Throttled) -> None:
    wait = timedelta(seconds=error.retry_after or 30.0)
    DriftSearch.objects.filter(drift__in=drifts, ended_at=None).update(
        due_at=db_now() + wait, reason=error.message[:_LONGEST_REASON]
    )


@transaction.atomic
def _told(drift: Drift, listing: Listing[ActivityRecord]) -> bool:
    """Keep what the log has, if that is new; whether it is."""
    search, now = _locked(drift), db_now()
    wanted = wanted_of(drift)
    since, until = attribution.window([wanted])
    ours = azure_calls(ref("endpoint", drift.endpoint_id), since, until)
    found = attribution.answer(wanted, listing, ours, unreadable=len(listing.unreadable))
    following = attribution.next_look(drift.known_at, now)
    settled = found.found is not Found.NONE and attribution.is_settled(drift.known_at, now)
    final = settled or following is None
    _next(search, now, None if final else following, "")
    reason = found.sentence()
    if following is None and found.found is Found.NONE:
        reason += (
            f" It was asked for {attribution.GIVE_UP.total_seconds() / 3600:.0f} h, and is asked no more."
        )
    return _keep(drift, found.found, found.candidates, reason, final, now)


@transaction.atomic
def _not_told(drift: Drift, why: str) -> bool:
    """The log could not be read: that is no answer until the day is over, and then it says what it is."""
    search, now = _locked(drift), db_now()
    following = attribution.next_look(drift.known_at, now)
    _next(search, now, following, why)
    if following is not None:
        return False
    before = _newest(drift)
    known = Answer(tuple(map(Candidate.from_json, before.candidates))) if before else Answer(())
    reason = f"{known.sentence()} It" if known.candidates else "The activity log"
    found = known.found if known.candidates else Found.UNKNOWN
    reason += f" could not be read to the end, and is asked no more: {why}"
    return _keep(drift, found, known.candidates, reason[:_LONGEST_REASON], True, now)


def _keep(
    drift: Drift,
    found: Found,
    candidates: tuple[Candidate, ...],
    reason: str,
    final: bool,
    now: datetime,
) -> bool:
    """A row, unless it says what the last one said; that nothing was found is worth none before the end."""
    told, before = [one.as_json() for one in candidates], _newest(drift)
    if before is None and found is Found.NONE and not final:
        return False
    if before is not None and (before.found, before.candidates, before.final) == (found, told, final):
        return False
    DriftAttribution.objects.create(
        drift=drift, found=found, candidates=told, reason=reason, final=final, known_at=now
    )
    _to_ledger(drift, found, candidates, final)
    return True


def _to_ledger(drift: Drift, found: Found, candidates: tuple[Candidate, ...], final: bool) -> None:
    """Last in the transaction. Names of people stand beside the entry, not in it."""
    subject = ref("endpoint", drift.endpoint_id)
    names = ", ".join(sorted({one.caller for one in candidates if one.caller}))
    audit.record(
        actor=SYSTEM_SYNC,
        action="drift.attributed",
        subject=subject,
        workspace_id=drift.endpoint.workspace_id,
        endpoint=subject,
        after={
            "drift": drift.pk,
            "writers": str(found),
            "final": final,
            "events": [one.event_id for one in candidates],
            "apps": sorted({one.app_id for one in candidates if one.app_id}),
        },
        personal={"name": names} if names else None,
    )


def _locked(drift: Drift) -> DriftSearch:
    return DriftSearch.objects.select_for_update().get(drift=drift)


def _newest(drift: Drift) -> DriftAttribution | None:
    return DriftAttribution.objects.filter(drift=drift).order_by("-pk").first()


def _next(search: DriftSearch, now: datetime, following: datetime | None, reason: str) -> None:
    search.looked_at, search.reason = now, reason[:_LONGEST_REASON]
    search.due_at, search.ended_at = following or now, None if following else now
    search.save(update_fields=["looked_at", "reason", "due_at", "ended_at"])
