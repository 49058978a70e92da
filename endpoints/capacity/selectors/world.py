"""What is known of a workspace's day, read at once, and what it makes of one deployment's: where the ledger's days
and the formula of one of them both come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from endpoints.access.selectors import workspace
from endpoints.capacity.causes import Found, Moment, Part, Role, Rules, cause_of
from endpoints.capacity.day import HOUR, Day, Span, day_of
from endpoints.capacity.dayneed import needed
from endpoints.capacity.hours import Measured
from endpoints.capacity.models import Agreement, AutoscaleSetting
from endpoints.capacity.needs import Settings
from endpoints.capacity.selectors.rules import rules_of
from endpoints.capacity.worth import Discount, PricePeriod, discounted, price_at
from endpoints.changes.selectors.parts import Part as ChangePart
from endpoints.changes.selectors.parts import parts_of
from endpoints.core.ids import ref
from endpoints.core.money import Money
from endpoints.inventory.selectors.paid import PaidLife, PaidState, Weights, paid_states, weights_of
from endpoints.metrics.selectors.paid_hours import UsedHour, served_between, used_hours
from endpoints.prices.catalogue import region_key
from endpoints.prices.selectors.periods import price_periods


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is known of a workspace's day."""

    states: Mapping[int, Sequence[PaidState]]
    used: Mapping[int, Sequence[UsedHour]]
    week: frozenset[int]  # deployments with requests in the week around the day
    weights: Mapping[int, Sequence[Weights]]
    parts: Mapping[int, Sequence[ChangePart]]
    wrong: Mapping[int, Sequence[AutoscaleSetting]]  # settings that scale wrongly
    price: Callable[[str, datetime], Money | None]
    needed: Mapping[int, int | None]  # instances that would have carried it; None: that cannot be said
    rules: Rules


def world_of(workspace_id: int, lives: Sequence[PaidLife], begin: datetime, until: datetime) -> World:
    """Of these deployments in a day, as far as it is over, by the workspace's rules of now."""
    ids = [life.id for life in lives]
    endpoints = sorted({life.endpoint_id for life in lives})
    states, used = paid_states(ids, begin, until), used_hours(ids, begin, until)
    rules = rules_of(workspace_id).rules
    return World(
        states=states,
        used=used,
        week=served_between(ids, begin.date() - timedelta(days=3), begin.date() + timedelta(days=4)),
        weights=weights_of(endpoints, begin, until),
        parts=parts_of(endpoints, until=until),
        wrong=_wrong(ids, begin, until),
        price=prices_of(workspace_id, {state.sku for told in states.values() for state in told}),
        needed={
            number: _needed(states.get(number, ()), hours, rules.needs) for number, hours in used.items()
        },
        rules=rules.causes,
    )


def _needed(states: Sequence[PaidState], hours: Sequence[UsedHour], settings: Settings) -> int | None:
    """Of a day with two sizes it cannot be said: instances of one are not those of the other."""
    if len({state.sku.lower() for state in states}) > 1:
        return None
    told = [state.concurrent for state in states]
    concurrent = None if None in told else min(filter(None, told), default=None)
    return needed(hours, concurrent=concurrent, settings=settings)


def _wrong(ids: Sequence[int], begin: datetime, until: datetime) -> dict[int, list[AutoscaleSetting]]:
    """By deployment, the settings with faults that were known to be in force at some time of the day."""
    found: dict[int, list[AutoscaleSetting]] = {}
    rows = AutoscaleSetting.objects.filter(deployment_id__in=ids, read_at__lt=until).exclude(faults=[])
    for row in rows.exclude(ended_at__lte=begin).order_by("read_at"):
        found.setdefault(row.deployment_id, []).append(row)
    return found


def prices_of(workspace_id: int, skus: Iterable[str]) -> Callable[[str, datetime], Money | None]:
    """What an instance and hour of a size cost at a moment, after the workspace's agreements; None: not known."""
    place = workspace(workspace_id)
    region = region_key(place.region)
    told = price_periods(place.subscription_id, place.region, skus)
    periods = {
        sku: [PricePeriod(period.since, period.money) for period in found] for sku, found in told.items()
    }
    agreed = discounts_of(workspace_id) if periods else ()

    def price(sku: str, at: datetime) -> Money | None:
        listed = price_at(periods.get(sku.lower(), ()), at)
        return discounted(listed, agreed, sku, region, at) if listed and agreed else listed

    return price


def discounts_of(workspace_id: int) -> tuple[Discount, ...]:
    """A workspace's agreements; one that was ended counts until then."""
    return tuple(
        Discount(
            row.sku,
            row.region,
            row.share,
            row.since,
            min(filter(None, (row.until, row.ended_at)), default=None),
        )
        for row in Agreement.objects.filter(workspace_id=workspace_id)
    )


def day_of_life(life: PaidLife, world: World, begin: datetime, until: datetime) -> Day:
    """The hours of one deployment from `begin` until `until`, by the ledger's rules."""
    measured = measured_of(world.used.get(life.id, ()))
    spans = spans_of(life, world.states.get(life.id, ()), begin, until)
    return day_of(
        begin,
        spans,
        measured,
        world.price,
        lambda at: _cause(life, world, at),
        world.needed.get(life.id),
    )


def measured_of(hours: Iterable[UsedHour]) -> dict[datetime, Measured]:
    """What an account of paid time takes of hours of metrics."""
    return {
        used.hour: Measured(
            used.request_minutes,
            used.idle_minutes,
            used.capacity_minutes,
            used.instance_minutes,
            used.idle_instance_minutes,
        )
        for used in hours
    }


def spans_of(life: PaidLife, states: Sequence[PaidState], begin: datetime, until: datetime) -> list[Span]:
    """The stretches in which it was there, by its states; before the first read nothing but the size is known."""
    first, last = max(begin, life.since), min(until, life.until or until)
    edges = [max(first, state.since) for state in states]
    ends = [*edges[1:], last] if edges else []
    spans = [
        Span(since, min(upto, last), state.instances, state.sku)
        for state, since, upto in zip(states, edges, ends, strict=True)
        if since < min(upto, last)
    ]
    known_from = min(edges[0], last) if edges else last
    if first < known_from:
        spans.insert(0, Span(first, known_from, None, states[0].sku if states else ""))
    return spans


def size_of(states: Sequence[PaidState]) -> str:
    """The size that a day is told under: the last one it had."""
    return states[-1].sku if states else ""


def _cause(life: PaidLife, world: World, at: datetime) -> Found:
    begun = [told for told in world.weights.get(life.endpoint_id, ()) if told.since <= at + HOUR]
    weights = begun[-1] if begun else None
    return cause_of(
        Moment(
            at=at,
            weight=None if weights is None else weights.live.get(life.name_key, 0),
            mirrored=None if weights is None else weights.mirror.get(life.name_key, 0),
            endpoint_weight=None if weights is None else sum(weights.live.values()),
            parts=[
                part
                for one in world.parts.get(life.endpoint_id, ())
                if (part := part_of(one, life.name_key, life.since))
            ],
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
        world.rules,
    )


def part_of(one: ChangePart, name_key: str, since: datetime) -> Part | None:
    """What a change did with a deployment that was there from `since` on; None: it had nothing to do with it."""
    if one.ended_at is not None and one.ended_at <= since:
        return None  # it was about another one of that name
    role = None
    if name_key in one.gaining:
        role = Role.CANDIDATE
    elif name_key in one.losing:
        role = Role.FORMER
    if role is None:
        return None
    return Part(ref("change", one.change_id), role, one.started_at, one.ended_at, one.whole, one.warm_until)
