"""What the other rooms know of an endpoint's load, replicas, latency and price: the ground of checks and forecasts."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from endpoints.access.selectors import workspace
from endpoints.changes.capacity import Peak, Replicas
from endpoints.changes.forecast import Known, Latency, Range
from endpoints.changes.scaling import Room
from endpoints.changes.sequential import Count, correlation
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import DeploymentState, endpoint_facts
from endpoints.metrics.peaks import Capacity, Peaks
from endpoints.metrics.selectors import expected_p95, expected_traffic, gate_minutes, peaks
from endpoints.prices.selectors import Cost, cost_of

LATELY = timedelta(hours=2)
MOST_SECONDS = 24 * 3600.0


_kept: dict[tuple[str, int], tuple[float, Peaks]] = {}
_MOST_KEPT = 5000


def peaks_lately(endpoint_id: int) -> Peaks:
    """The endpoint's peaks as of `peak_seconds` ago at most: two weeks of load look the same a minute later."""
    key, moment = (str(connection.settings_dict["NAME"]), endpoint_id), time.monotonic()
    known = _kept.get(key)
    if known and moment - known[0] < settings.OPSPORTAL.peak_seconds:
        return known[1]
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    found = peaks(endpoint_id)
    _kept[key] = (moment, found)
    return found


def peak_of(found: Peaks) -> Peak:
    """The endpoint's highest load, in the words that checks use."""
    total = found.total
    when = f"{total.at:%Y-%m-%d %H:%M}\u00a0UTC" if total.at else total.words
    return Peak(total.requests, when, total.at_least)


def replicas_of(found: Peaks, deployments: Iterable[DeploymentState]) -> dict[str, Replicas]:
    """What each deployment can carry. One without load of its own borrows the figure of another of the same size."""
    states = list(deployments)
    own = {name: peak.capacity for name, peak in found.by_deployment.items()}
    sizes: dict[str, tuple[float, str]] = {}
    for state in sorted(states, key=lambda one: one.name.lower()):
        name = state.name.lower()
        known = own[name].per_replica if name in own else None
        if known is not None and state.instance_type:
            size = state.instance_type.lower()
            if size not in sizes or known < sizes[size][0]:
                sizes[size] = (known, state.name)
    return {state.name.lower(): _replicas(state, own, sizes) for state in states}


def _replicas(
    state: DeploymentState, own: dict[str, Capacity], sizes: dict[str, tuple[float, str]]
) -> Replicas:
    capacity = own.get(state.name.lower())
    words = (capacity.words if capacity else "") or "it had no load to tell by"
    if capacity and capacity.per_replica is not None:
        return Replicas(state.instance_count, capacity.per_replica, words)
    lent = sizes.get(state.instance_type.lower())
    if lent is None:
        return Replicas(state.instance_count, None, words)
    return Replicas(state.instance_count, lent[0], words, borrowed=lent[1])


def rooms_of(endpoint_id: int, deployments: Iterable[DeploymentState]) -> dict[str, Room]:
    """The quota behind the size of each deployment, by lower-case name."""
    facts = endpoint_facts(endpoint_id)
    place = workspace(facts.workspace_id)
    region, states = facts.location or place.region, list(deployments)
    sizes = {one.instance_type for one in states}
    rooms = {size: _room(cost_of(place.subscription_id, region, size, None)) for size in sizes}
    return {one.name.lower(): rooms[one.instance_type] for one in states}


def _room(cost: Cost) -> Room:
    size, quota = cost.size, cost.quota
    if size is None or quota is None:
        return Room("", size.vcpus if size else None, None, words=cost.why_no_quota or cost.why_no_price)
    words = "" if size.vcpus is not None else "Azure has not said how many cores its size has."
    return Room(quota.label or quota.family, size.vcpus, quota.left, quota.limit is not None, words)


def known_of(
    endpoint_id: int,
    deployments: tuple[DeploymentState, ...],
    *,
    watched: list[str],
    beside: list[str],
    seconds: float,
    now: datetime | None = None,
) -> Known:
    """Everything for a forecast over the next `seconds`."""
    at = now or db_now()
    found = peaks_lately(endpoint_id)
    expected = expected_traffic(endpoint_id, at, min(max(seconds, 3600.0), MOST_SECONDS), now=at)
    traffic = None
    if expected.low is not None and expected.typical is not None and expected.high is not None:
        traffic = Range(expected.low, expected.typical, expected.high)
    failed = _failures(endpoint_id, beside, at)
    hourly, words = _hourly(endpoint_id, deployments)
    return Known(
        traffic=traffic,
        traffic_words=expected.words,
        peak=found.total.requests,
        replicas=replicas_of(found, deployments),
        latency=_latency(endpoint_id, watched, at),
        hourly=hourly,
        cost_words=words,
        base_rate=_rate(failed),
        correlation=correlation(failed) or 0.0,
    )


def _failures(endpoint_id: int, names: list[str], at: datetime) -> list[Count]:
    """Failed requests of the stable deployments, minute by minute, of the last hours."""
    minutes = gate_minutes(endpoint_id, names, at - LATELY, at).by_deployment
    return [
        Count(minute.requests, minute.errors)
        for rows in minutes.values()
        for minute in rows
        if minute.errors is not None and minute.requests
    ]


def _rate(failed: list[Count]) -> float | None:
    requests = sum(count.of for count in failed)
    return sum(count.bad for count in failed) / requests if requests else None


def _latency(endpoint_id: int, names: list[str], at: datetime) -> dict[str, Latency]:
    found = {name: expected_p95(endpoint_id, name, None, now=at) for name in names}
    return {
        name: Latency(one.low, one.high, one.words)
        for name, one in found.items()
        if one.low is not None and one.high is not None
    }


def _hourly(
    endpoint_id: int, deployments: tuple[DeploymentState, ...]
) -> tuple[dict[str, Money | None], str]:
    facts = endpoint_facts(endpoint_id)
    place = workspace(facts.workspace_id)
    region = facts.location or place.region
    sizes = {(one.instance_type, one.instance_count) for one in deployments}
    cost_by_size = {size: cost_of(place.subscription_id, region, *size) for size in sizes}
    costs = {one.name.lower(): cost_by_size[one.instance_type, one.instance_count] for one in deployments}
    dates = {cost.price.seen_at for cost in costs.values() if cost.price}
    words = f"List prices, read {max(dates):%Y-%m-%d}." if dates else ""
    return {name: cost.per_hour for name, cost in costs.items()}, words
