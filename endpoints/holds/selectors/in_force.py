"""What holds an endpoint's forward steps at a moment, and when nothing does. Few queries for any number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Q

from endpoints.core.errors import NotFound
from endpoints.core.ids import ref
from endpoints.holds.calendar import covering, next_start
from endpoints.holds.models import Freeze, Override, Protection, Stop
from endpoints.holds.rows import Hold, Kind, Window
from endpoints.holds.scope import Target, applies
from endpoints.holds.selectors.stored import schedule_of, scope_of
from endpoints.inventory.selectors.labels import EndpointLabels, endpoint_labels

# Freezes that follow each other without a gap; more than this and nobody can say when it ends.
_MOST_IN_A_ROW = 100


def in_force(endpoint_id: int, at: datetime, *, subject: str = "") -> tuple[Hold, ...]:
    """Every hold on the endpoint at `at`, the longest first: all that `subject` ("change:42") was not let past.

    NotFound for an endpoint that nobody knows: what can't be looked up is not "nothing holds".
    """
    found = holds_for_many([endpoint_id], at)
    if endpoint_id not in found:
        raise NotFound("There is no such endpoint.")
    return _not_overridden(found[endpoint_id], subject, at) if subject else found[endpoint_id]


def holds_for_many(endpoint_ids: Iterable[int], at: datetime) -> dict[int, tuple[Hold, ...]]:
    """`in_force` of many endpoints, by id; ids that nobody has are left out. Four queries."""
    labels = endpoint_labels(endpoint_ids)
    freezes, stops, protections = _freezes(at), _stops(labels.values(), at), _protections(labels, at)
    return {
        endpoint_id: tuple(
            sorted(
                [
                    *_frozen(freezes, _target(of), at),
                    *(_stop_hold(stop) for stop in stops if _stops_it(stop, of)),
                    *(_protection_hold(row) for row in protections if row.endpoint_id == endpoint_id),
                ],
                key=lambda hold: (
                    hold.until is not None,
                    -hold.until.timestamp() if hold.until else 0,
                    hold.ref,
                ),
            )
        )
        for endpoint_id, of in labels.items()
    }


def next_window(endpoint_id: int, at: datetime, *, subject: str = "") -> Window:
    """When forward steps are next not held by a freeze or stop, from `at` on. Protections close no window."""
    labels = endpoint_labels([endpoint_id])
    if endpoint_id not in labels:
        raise NotFound("There is no such endpoint.")
    target = _target(labels[endpoint_id])
    freezes = [freeze for freeze in _freezes(at) if applies(scope_of(freeze), target)]
    stops = [_stop_hold(stop) for stop in _stops(labels.values(), at)]
    now = _not_overridden([*stops, *_frozen(freezes, target, at)], subject, at)
    if any(hold.until is None for hold in now):
        return Window(None, None, now)
    opens_at = _first_gap(freezes, target, at, subject)
    return Window(opens_at, _next_of(freezes, opens_at) if opens_at else None, now)


def _first_gap(freezes: Sequence[Freeze], target: Target, at: datetime, subject: str) -> datetime | None:
    moment = at
    for _ in range(_MOST_IN_A_ROW):
        held = _not_overridden(_frozen(freezes, target, moment), subject, moment)
        ends = [hold.until for hold in held if hold.until]
        if not ends:
            return moment
        moment = max(ends)
    return None


def _next_of(freezes: Iterable[Freeze], after: datetime) -> datetime | None:
    starts = (next_start(schedule_of(freeze), after) for freeze in freezes)
    return min((start for start in starts if start), default=None)


def _target(of: EndpointLabels) -> Target:
    return Target(of.workspace_id, of.name, of.owner, of.tags)


def _freezes(at: datetime) -> list[Freeze]:
    """Those that may hold at `at` or later, as they stood then."""
    return list(Freeze.objects.filter(_made_by(at, "made_at", "ended_at"), _not_past(at, "over_at")))


def _frozen(freezes: Iterable[Freeze], target: Target, at: datetime) -> list[Hold]:
    spans = (
        (freeze, covering(schedule_of(freeze), at))
        for freeze in freezes
        if freeze.starts_at <= at and applies(scope_of(freeze), target)
    )
    return [
        Hold(
            kind=Kind.FREEZE,
            ref=ref("freeze", freeze.pk),
            title=freeze.title,
            reason=freeze.reason,
            since=max(span.start, freeze.made_at),
            until=span.end,
            cause=freeze.made_by,
            overridable=True,
        )
        for freeze, span in spans
        if span
    ]


def _stops(labels: Iterable[EndpointLabels], at: datetime) -> list[Stop]:
    known = list(labels)
    of_these = Q(endpoint_id__in=[of.id for of in known])
    of_workspaces = Q(endpoint=None, workspace_id__in={of.workspace_id for of in known})
    scope = Q(workspace=None) | of_workspaces | of_these
    return list(Stop.objects.filter(scope, _made_by(at, "stopped_at", "lifted_at")))


def _stops_it(stop: Stop, of: EndpointLabels) -> bool:
    if stop.endpoint_id is not None:
        return stop.endpoint_id == of.id
    return stop.workspace_id in (None, of.workspace_id)


def _stop_hold(stop: Stop) -> Hold:
    return Hold(
        kind=Kind.STOP,
        ref=ref("stop", stop.pk),
        title="The line is stopped",
        reason=stop.reason,
        since=stop.stopped_at,
        until=None,
        cause=stop.stopped_by,
        overridable=True,
    )


def _protections(endpoint_ids: Iterable[int], at: datetime) -> list[Protection]:
    found = Protection.objects.filter(_made_by(at, "since", "ended_at"), _not_past(at, "until"))
    return list(found.filter(endpoint_id__in=list(endpoint_ids)))


def _protection_hold(row: Protection) -> Hold:
    return Hold(
        kind=Kind.PROTECTION,
        ref=ref("protection", row.pk),
        title=f"{row.deployment} is protected" if row.deployment else "The endpoint is protected",
        reason=row.reason,
        since=row.since,
        until=row.until,
        cause=row.cause,
        overridable=False,
        deployment=row.deployment,
    )


def _made_by(at: datetime, begin: str, end: str) -> Q:
    """Rows as they stood at `at`: made by then, and not ended by then."""
    return Q(**{f"{begin}__lte": at}) & (Q(**{end: None}) | Q(**{f"{end}__gt": at}))


def _not_past(at: datetime, field: str) -> Q:
    return Q(**{field: None}) | Q(**{f"{field}__gt": at})


def _not_overridden(holds: Sequence[Hold], subject: str, at: datetime) -> tuple[Hold, ...]:
    if not subject or not holds:
        return tuple(holds)
    found = Override.objects.filter(
        _not_past(at, "until"), subject=subject, overridden_at__lte=at, hold__in=[hold.ref for hold in holds]
    )
    past = set(found.values_list("hold", flat=True))
    return tuple(hold for hold in holds if not (hold.overridable and hold.ref in past))
