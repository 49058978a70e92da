"""What is known of every living deployment of a workspace: what proposals are judged by, in a few statements.

Looked at are the last days that the rules name, 30 at least, up to now; loads are of the last two weeks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from endpoints.capacity.causes import off_hours
from endpoints.capacity.needs import UNKNOWN, Need, need_of
from endpoints.capacity.proposals import Keeps, Smaller, Subject
from endpoints.capacity.ruleset import Rules, left_out_by
from endpoints.capacity.selectors.autoscale import Autoscale, Scaled, autoscale_of
from endpoints.capacity.selectors.living import Living, living
from endpoints.capacity.selectors.quieted import quiet_since_moved
from endpoints.capacity.selectors.smaller import smaller_sizes, with_gpus
from endpoints.capacity.selectors.told_prices import ToldPrices
from endpoints.changes.selectors.keeping import Kept, kept_by_changes
from endpoints.holds.selectors.protected import Protected, protections_of
from endpoints.metrics.selectors.usage import Loads, Shares, loads, shares

DAYS = 30
"""At least so many days are looked at."""
LOAD_DAYS = 14
"""Of the newest of them is the load that has to be carried: a season that is over asks for nothing."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_CASE = "case"


@dataclass(frozen=True, slots=True)
class Window:
    """What is looked at: hours from `since` up to `until`; `off` are those in which nobody works."""

    since: datetime
    until: datetime
    off: frozenset[datetime]

    @property
    def hours(self) -> int:
        return (self.until - self.since) // HOUR


@dataclass(frozen=True, slots=True)
class Placed:
    """A deployment, and what is known of it."""

    at: Living
    subject: Subject


@dataclass(frozen=True, slots=True)
class _World:
    """Everything that was read, by deployment or endpoint."""

    window: Window
    rules: Rules
    shares: Mapping[int, Shares]
    loads: Mapping[int, Loads]
    prices: ToldPrices
    smaller: Mapping[str, Sequence[Smaller]]
    gpus: frozenset[str]
    scaled: Mapping[int, Autoscale]
    changes: Mapping[int, Sequence[Kept]]
    protections: Mapping[int, Sequence[Protected]]
    quiet: Mapping[int, datetime]
    now: datetime


def window_of(rules: Rules, now: datetime) -> Window:
    """Whole UTC days, and today's hours that are over."""
    until = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    since = until.replace(hour=0) - max(DAYS, rules.idle_days) * DAY
    hours = [since + place * HOUR for place in range((until - since) // HOUR)]
    clock = rules.causes
    return Window(since, until, frozenset(at for at in hours if off_hours(at, clock)))


def subjects(workspace_id: int, rules: Rules, window: Window, now: datetime) -> list[Placed]:
    """By endpoint. What is not known is None, and nothing stands on it."""
    found = living(workspace_id)
    ids, endpoints = [one.id for one in found], {one.endpoint_id for one in found}
    skus = {one.sku for one in found}
    told = shares(ids, window.since, window.until, off=window.off)
    served = [number for number in ids if number in told and told[number].served]
    world = _World(
        window=window,
        rules=rules,
        shares=told,
        loads=loads(
            served, window.until - LOAD_DAYS * DAY, window.until, percentile=rules.percentile
        ),
        prices=ToldPrices(workspace_id, skus),
        smaller=smaller_sizes(workspace_id, skus, now),
        gpus=with_gpus(workspace_id, skus),
        scaled=autoscale_of(ids),
        changes=kept_by_changes(endpoints, now),
        protections=protections_of(endpoints, now),
        quiet=quiet_since_moved(
            [one for one in found if one.weight == 0 and one.id in served], window.since, now
        ),
        now=now,
    )  # fmt: skip
    return [Placed(one, _subject(one, world)) for one in found]


def _subject(one: Living, world: _World) -> Subject:
    told, load = world.shares.get(one.id), world.loads.get(one.id)
    price = world.prices.at(one.sku, world.now)
    since = max(one.since, world.window.since)
    alive = max(HOUR, world.window.until - since)
    scaled = world.scaled.get(one.id)
    return Subject(
        instances=one.instances,
        per_hour=price.paid if price else None,
        price_date=price.read_at if price else None,
        weight=one.weight,
        mirrored=one.mirrored,
        days=(world.window.until - since) // DAY,
        known_share=min(1.0, told.minutes * 60 / alive.total_seconds()) if told else 0.0,
        requests=told.requests if told and told.minutes else None,
        served_share=told.served / told.hours if told and told.hours else None,
        off_hours_idle=told.off_idle / told.off if told and told.off else None,
        off_hours_share=len(world.window.off) / max(1, world.window.hours),
        cpu=_share(load.cpu if load else None),
        memory=_share(load.memory if load else None),
        gpu=one.sku.lower() in world.gpus,
        need=_need(one, load, world.rules),
        smaller=world.smaller.get(one.sku.lower(), ()),
        autoscaled=_autoscaled(scaled),
        autoscale_faults=scaled.faults if scaled else (),
        keeps=_keeps(one, world),
        excluded=left_out_by(world.rules, one.endpoint, one.name, one.tags),
        quiet_since=world.quiet.get(one.id),
    )


def _need(one: Living, load: Loads | None, rules: Rules) -> Need:
    if load is None or load.busy is None:
        return UNKNOWN
    return need_of(
        load.busy,
        load.at_once,
        per_instance=load.carried,
        concurrent=one.concurrent,
        settings=rules.needs,
    )


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


def _autoscaled(scaled: Autoscale | None) -> bool | None:
    """A setting that is switched off scales nothing."""
    if scaled is None or scaled.state is Scaled.UNKNOWN:
        return None
    return scaled.state is Scaled.SET and bool(
        (scaled.document or {}).get("properties", {}).get("enabled", True)
    )


def _keeps(one: Living, world: _World) -> Keeps:
    """A change that a finding asked for is at work on it, too: nothing else is proposed meanwhile."""
    kept = [each for each in world.changes.get(one.endpoint_id, ()) if each.keeps(one.name_key)]
    warm = max(
        (each for each in kept if each.warm_until),
        key=lambda each: each.warm_until or world.now,
        default=None,
    )
    active = next((f"CR-{each.change_id}" for each in kept if each.warm_until is None), "")
    holding = [
        each for each in world.protections.get(one.endpoint_id, ()) if each.deployment in ("", one.name_key)
    ]
    cases = [each.cause for each in holding if each.cause.startswith(f"{_CASE}:")]
    return Keeps(
        warm_until=warm.warm_until if warm else None,
        warm_for=f"CR-{warm.change_id}" if warm else "",
        cases=tuple(f"CH-{cause.partition(':')[2]}" for cause in cases),
        active_change=active,
        protected=tuple(each.reason for each in holding if each.cause not in cases),
    )
