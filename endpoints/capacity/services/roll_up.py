"""Make days of the ledger out of the mirror, rollups of metrics, prices and changes. A day made again replaces it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from endpoints.access.selectors import connected_workspaces, workspace
from endpoints.capacity.causes import Found, Moment, Part, Role, Rules, cause_of
from endpoints.capacity.day import HOUR, Day, Span, day_of
from endpoints.capacity.hours import Measured
from endpoints.capacity.models import AutoscaleSetting, Made
from endpoints.capacity.services import rows
from endpoints.capacity.version import LEDGER
from endpoints.capacity.worth import PricePeriod, price_at
from endpoints.changes.selectors.parts import Part as ChangePart
from endpoints.changes.selectors.parts import parts_of
from endpoints.core.ids import ref
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from endpoints.inventory.selectors.paid import (
    PaidLife,
    PaidState,
    Weights,
    paid_lives,
    paid_states,
    weights_of,
)
from endpoints.metrics.selectors.paid_hours import UsedHour, known_minutes, served_between, used_hours
from endpoints.prices.selectors.periods import price_periods

DAYS = 31
"""So far back days are made by themselves: a month's page is whole."""
SETTLING = 3
"""The newest days are made anew each time: their metrics still come in."""
TESTS: Mapping[str, frozenset[str]] = {
    "environment": frozenset({"test", "dev", "development", "staging", "sandbox", "hackathon", "demo"}),
    "purpose": frozenset({"test", "hackathon", "demo", "workshop"}),
}
RULES = Rules(TESTS, ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True)
class Rolled:
    """A day that was made: of so many deployments, from so many hours of metrics."""

    day: date
    deployments: int
    hours: int


@dataclass(frozen=True, slots=True)
class _World:
    """Everything that is known of a workspace's day."""

    states: Mapping[int, Sequence[PaidState]]
    used: Mapping[int, Sequence[UsedHour]]
    week: frozenset[int]  # deployments with requests in the week around the day
    weights: Mapping[int, Sequence[Weights]]
    parts: Mapping[int, Sequence[ChangePart]]
    wrong: Mapping[int, Sequence[AutoscaleSetting]]  # settings that scale wrongly
    price: Callable[[str, datetime], Money | None]


def roll_up_due(*, now: datetime | None = None) -> int:
    """Make the newest days anew, and older ones that are missing, or that other rules or less knowledge made.

    Returns how many were made. The past of metrics comes in afterwards, a slice at a time.
    """
    today = (now or db_now()).astimezone(UTC).date()
    made = 0
    for place in connected_workspaces():
        known = known_minutes(place.id, today - timedelta(days=DAYS), today + timedelta(days=1))
        there = {
            row.day: (row.version, row.minutes)
            for row in Made.objects.filter(workspace_id=place.id, day__gt=today - timedelta(days=DAYS))
        }
        for back in range(DAYS):
            day = today - timedelta(days=back)
            if back < SETTLING or there.get(day) != (LEDGER, known.get(day, 0)):
                roll_up_day(workspace_id=place.id, day=day)
                made += 1
    return made


def roll_up_day(*, workspace_id: int, day: date) -> Rolled:
    """Make one UTC day of a workspace; today's is made of the hours that are over."""
    begin = datetime.combine(day, time(), tzinfo=UTC)
    until = min(begin + timedelta(days=1), db_now().replace(minute=0, second=0, microsecond=0))
    # Counted before the hours are read: what comes in meanwhile makes the day anew once more.
    minutes = known_minutes(workspace_id, day, day + timedelta(days=1)).get(day, 0)
    lives = paid_lives(workspace_id, begin, until) if until > begin else []
    world = _world(workspace_id, lives, begin, until)
    days = [
        (life, _size(world.states.get(life.id, ())), found)
        for life in lives
        if (found := _day(life, world, begin, until)).seconds["paid"] or found.hours_without_count
    ]
    with transaction.atomic():
        rows.replace(workspace_id, day, days)
        Made.objects.update_or_create(
            workspace_id=workspace_id,
            day=day,
            defaults={
                "deployments": len(days),
                "minutes": minutes,
                "version": LEDGER,
                "made_at": db_now(),
            },
        )
    return Rolled(day, len(days), sum(len(told) for told in world.used.values()))


def _world(workspace_id: int, lives: Sequence[PaidLife], begin: datetime, until: datetime) -> _World:
    ids = [life.id for life in lives]
    endpoints = sorted({life.endpoint_id for life in lives})
    states = paid_states(ids, begin, until)
    return _World(
        states=states,
        used=used_hours(ids, begin, until),
        week=served_between(ids, begin.date() - timedelta(days=3), begin.date() + timedelta(days=4)),
        weights=weights_of(endpoints, begin, until),
        parts=parts_of(endpoints, until=until),
        wrong=_wrong(ids, begin, until),
        price=_prices(workspace_id, {state.sku for told in states.values() for state in told}),
    )


def _wrong(ids: Sequence[int], begin: datetime, until: datetime) -> dict[int, list[AutoscaleSetting]]:
    """By deployment, the settings with faults that were known to be in force at some time of the day."""
    found: dict[int, list[AutoscaleSetting]] = {}
    rows = AutoscaleSetting.objects.filter(deployment_id__in=ids, read_at__lt=until).exclude(faults=[])
    for row in rows.exclude(ended_at__lte=begin).order_by("read_at"):
        found.setdefault(row.deployment_id, []).append(row)
    return found


def _prices(workspace_id: int, skus: Iterable[str]) -> Callable[[str, datetime], Money | None]:
    place = workspace(workspace_id)
    told = price_periods(place.subscription_id, place.region, skus)
    periods = {
        sku: [PricePeriod(period.since, period.money) for period in found] for sku, found in told.items()
    }
    return lambda sku, at: price_at(periods.get(sku.lower(), ()), at)


def _day(life: PaidLife, world: _World, begin: datetime, until: datetime) -> Day:
    measured = {
        used.hour: Measured(
            used.request_minutes,
            used.idle_minutes,
            used.capacity_minutes,
            used.instance_minutes,
            used.idle_instance_minutes,
        )
        for used in world.used.get(life.id, ())
    }
    spans = _spans(life, world.states.get(life.id, ()), begin, until)
    return day_of(begin, spans, measured, world.price, lambda at: _cause(life, world, at))


def _spans(life: PaidLife, states: Sequence[PaidState], begin: datetime, until: datetime) -> list[Span]:
    """The stretches of the day in which it was there, by its states; before the first read nothing is known of them."""
    first, last = max(begin, life.since), min(until, life.until or until)
    edges = [max(first, state.since) for state in states]
    spans = [
        Span(since, upto, state.instances, state.sku)
        for state, since, upto in zip(states, edges, [*edges[1:], last], strict=True)
        if since < upto
    ]
    known_from = edges[0] if edges else last
    if first < known_from:
        spans.insert(0, Span(first, known_from, None, states[0].sku if states else ""))
    return spans


def _size(states: Sequence[PaidState]) -> str:
    return states[-1].sku if states else ""


def _cause(life: PaidLife, world: _World, at: datetime) -> Found:
    begun = [told for told in world.weights.get(life.endpoint_id, ()) if told.since <= at + HOUR]
    weights = begun[-1] if begun else None
    return cause_of(
        Moment(
            at=at,
            weight=None if weights is None else weights.live.get(life.name_key, 0),
            mirrored=None if weights is None else weights.mirror.get(life.name_key, 0),
            endpoint_weight=None if weights is None else sum(weights.live.values()),
            parts=[part for one in world.parts.get(life.endpoint_id, ()) if (part := _part(one, life))],
            tags=life.tags,
            owner=bool(life.owner),
            served_that_week=life.id in world.week,
            wrong_autoscale=next(
                (
                    row.faults[0]
                    for row in world.wrong.get(life.id, ())
                    if row.read_at < at + HOUR and (row.ended_at is None or at < row.ended_at)
                ),
                "",
            ),
        ),
        RULES,
    )


def _part(one: ChangePart, life: PaidLife) -> Part | None:
    role = None
    if life.name_key in one.gaining:
        role = Role.CANDIDATE
    elif life.name_key in one.losing:
        role = Role.FORMER
    if role is None:
        return None
    return Part(ref("change", one.change_id), role, one.started_at, one.ended_at, one.whole, one.warm_until)
