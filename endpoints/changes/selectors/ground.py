"""What is known of what a plan deletes: who asks for it, who was promised that it stays, and what it takes away."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from endpoints.changes.capacity_checks import Ground, doomed
from endpoints.changes.hearing import LATE, SETTLING, Heard, Span, heard
from endpoints.changes.models import Probe
from endpoints.changes.plan import Step
from endpoints.changes.selectors.sight import EndpointSight
from endpoints.changes.targets import candidates
from endpoints.core import traffic
from endpoints.dispatch import db_now
from endpoints.holds.selectors import Hold, Kind, in_force
from endpoints.inventory.selectors import split_stretches
from endpoints.metrics.selectors import gate_minutes

DAY = timedelta(hours=24)
MOST_LOST = 5


def ground_of(sight: EndpointSight, steps: tuple[Step, ...]) -> Ground:
    """For the checks of a plan that deletes."""
    now, going = db_now(), doomed(steps, sight.standing)
    spans = _quiet_spans(sight.endpoint_id, going, now)
    return Ground(
        heard=heard_of(sight.endpoint_id, spans, now),
        promised=_promised(sight.endpoint_id, going, now),
        lost=_lost(sight, going),
    )


def heard_of(endpoint_id: int, spans: Mapping[str, list[Span]], now: datetime) -> dict[str, Heard]:
    """Who asked for each deployment in its spans; the newest minutes, which Azure may not have told, are left out."""
    if not spans:
        return {}
    begin = min((since for parts in spans.values() for since, _ in parts), default=now)
    told = gate_minutes(endpoint_id, spans, begin, now).by_deployment
    own = _asked_by_us(endpoint_id, spans, begin)
    found = {}
    for name, parts in spans.items():
        minutes = {minute.minute: minute.requests for minute in told.get(name, ())}
        newest = max((moment for moment, count in minutes.items() if count is not None), default=None)
        until = _tellable(newest, now)
        found[name] = heard(minutes, [(since, min(end, until)) for since, end in parts], own.get(name, ()))
    return found


def _tellable(newest: datetime | None, now: datetime) -> datetime:
    """Up to where minutes count: what came in early does too."""
    usual = now - LATE
    return usual if newest is None else max(usual, newest + timedelta(minutes=1))


def _asked_by_us(endpoint_id: int, names: Collection[str], since: datetime) -> dict[str, list[datetime]]:
    rows = Probe.objects.filter(
        endpoint_id=endpoint_id, deployment__in=list(names), status__isnull=False, at__gte=since
    )
    found: dict[str, list[datetime]] = {}
    for name, at in rows.values_list("deployment", "at"):
        found.setdefault(name, []).append(at)
    return found


def _quiet_spans(endpoint_id: int, names: Collection[str], now: datetime) -> dict[str, list[Span]]:
    """When, in the last day, each surely had neither live nor mirrored weight."""
    stretches = split_stretches(endpoint_id, now - DAY, now)
    return {
        name: [
            (one.since + SETTLING, one.until)
            for one in stretches
            if one.splits and not any(name in live or name in mirror for live, mirror in one.splits)
        ]
        for name in names
    }


def _promised(endpoint_id: int, going: Collection[str], now: datetime) -> tuple[str, ...]:
    """Why something of it has to stay: protections of the endpoint, or of a deployment that goes."""
    return tuple(
        f"{hold.deployment or 'The endpoint'}: {hold.reason.rstrip('.')}{_until(hold)}."
        for hold in in_force(endpoint_id, now)
        if hold.kind is Kind.PROTECTION and (not hold.deployment or hold.deployment in going)
    )


def _until(hold: Hold) -> str:
    return f" (until {hold.until:%Y-%m-%d %H:%M}\u00a0UTC)" if hold.until else ""


def _lost(sight: EndpointSight, going: Collection[str]) -> tuple[str, ...]:
    """Splits of recent changes that need what goes, and could be gone back to now."""
    standing = sight.standing
    found: dict[str, str] = {}
    for one in candidates(sight.orders.history, ()):
        names = {*one.split, *one.mirror}
        if names & set(going) and names <= set(standing) and not one.fled:
            found.setdefault(traffic.describe(one.split), one.source)
    return tuple(f"{split} ({source[:1].lower()}{source[1:]})" for split, source in found.items())[:MOST_LOST]
