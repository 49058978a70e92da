"""Passports of requests and of moments: gathers what is on record, lets the pure rules judge it.

Everything is found by an index of the moment: neither the length of a history nor the number of deployments counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from endpoints.challenges.answered import who_answered
from endpoints.challenges.facts import Passport
from endpoints.challenges.moment import Build, InForce, Moment, Served, SplitThen, Weights
from endpoints.challenges.passport import passport, with_corrections
from endpoints.challenges.seen import SeenRow
from endpoints.challenges.selectors import context
from endpoints.challenges.selectors.policies import policy_of
from endpoints.challenges.words import clock
from endpoints.core import traffic
from endpoints.dispatch import db_now
from endpoints.inventory.assets import short
from endpoints.inventory.selectors import (
    DeploymentThen,
    EndpointFacts,
    EndpointThen,
    StateThen,
    deployments_named,
    endpoint_then,
    readings_around,
    split_run,
)
from endpoints.inventory.timeline import Certainty, Gap, Why

_SWITCHED = (
    "It was being switched between two readings of Azure: from {first} to {second} it was one of these two."
)


def passport_of(row: SeenRow, *, known: datetime | None = None) -> Passport:
    """Of a record; `known`: as it would have been answered then, with what later knowledge corrects."""
    now = db_now()
    latest = _passport(row, row.endpoint_id, row.at, now)
    if known is None:
        return latest
    then = _passport(row.as_known(known), row.endpoint_id, row.at, now, known)
    return with_corrections(then, latest)


def passport_at(endpoint_id: int, at: datetime, *, known: datetime | None = None) -> Passport:
    """Without a record: what was in force at a moment. NotFound when there is no such endpoint."""
    now = db_now()
    latest = _passport(None, endpoint_id, at, now)
    if known is None:
        return latest
    return with_corrections(_passport(None, endpoint_id, at, now, known), latest)


def _passport(
    row: SeenRow | None, endpoint_id: int, at: datetime, now: datetime, known: datetime | None = None
) -> Passport:
    moment = _moment(row, endpoint_id, row.at if row is not None else at, known)
    return passport(row, moment, made_at=now, known=known)


def _moment(row: SeenRow | None, endpoint_id: int, at: datetime, known: datetime | None) -> Moment:
    facts, endpoint = endpoint_then(endpoint_id, at, known=known)
    split = _split(endpoint)
    answered = who_answered(row, split)
    names = {*answered.names, *split.weighted}
    served = _served(deployments_named(endpoint_id, names, at, known=known), at)
    in_force = _in_force(facts, endpoint, split, at, known)
    readings = readings_around(facts.workspace_id, facts.arm_id, at, known=known)
    moment = Moment(
        endpoint_id=endpoint_id,
        endpoint=facts.name,
        at=at,
        split=split,
        served=served,
        in_force=in_force,
        log=context.log_then(endpoint_id, at, known),
        read_before=readings.before,
        read_after=readings.after,
        band=policy_of(facts.workspace_id, at).band,
    )
    answering = [one for name in answered.names for one in served.get(name, ())]
    health = context.health_then(endpoint_id, {one.id: one.name.lower() for one in answering}, at)
    return replace(
        moment,
        health=health,
        # Where the minutes are gone nothing can be counted.
        bypass=context.bypass_then(endpoint_id, split, in_force, at) if health.has_minutes else None,
        place=context.place_then(row, answering, known)
        if row is not None and row.confidence is not None
        else None,
    )


def _split(endpoint: EndpointThen) -> SplitThen:
    """Two states that route alike are one split."""
    if endpoint.why is not None:
        return SplitThen((), _why(endpoint.why, "the endpoint"))
    if any(one.deleted for one in endpoint.states):
        gone = all(one.deleted for one in endpoint.states)
        return SplitThen(
            (), "The endpoint was deleted by then." if gone else "The endpoint was being deleted then."
        )
    weights = {
        (str(live), str(mirror)): Weights(live, mirror)
        for one in endpoint.states
        for live, mirror in [(_map(one, "traffic"), _map(one, "mirror_traffic"))]
    }
    known_at = max((one.known_at for one in endpoint.states if one.known_at is not None), default=None)
    reason = _switching(endpoint.states) if len(weights) > 1 else ""
    return SplitThen(tuple(weights.values()), reason, known_at)


def _map(state: StateThen, name: str) -> traffic.Split:
    return traffic.normalise(state.state.get(name))


def _switching(states: Iterable[StateThen]) -> str:
    newer = list(states)[-1]
    # Most switches take less than a second: two equal times would say nothing.
    fine = newer.earliest is not None and newer.latest - newer.earliest < timedelta(seconds=2)
    first = clock(newer.earliest, fine=fine) if newer.earliest else "an unknown time"
    return _SWITCHED.format(first=first, second=clock(newer.latest, fine=fine))


def _why(why: Why, what: str) -> str:
    match why.gap, why.moment:
        case Gap.NOT_CREATED, datetime() as moment:
            return f"Azure made {what} at {clock(moment)}, after that."
        case Gap.READ_LATER, datetime() as moment:
            return (
                f"The portal first read {what} at {clock(moment)}, after that; what was before is not known."
            )
        case Gap.NOT_READ_AFTER, datetime() as moment:
            return f"Azure was last read at {clock(moment)}, before that: nothing bears out what was then."
        case Gap.SEVERAL, _:
            return f"Several states of {what} may have held: it changed more than once between two readings."
        case Gap.NOT_READ_AFTER, _:
            return f"No reading bears out what {what} was then."
    return f"Nothing of {what} was on record then."


def _served(found: Iterable[DeploymentThen], at: datetime) -> dict[str, tuple[Served, ...]]:
    """By name, those that were there or may have been: one that certainly was gone is another thing of that name."""
    by_name: dict[str, list[DeploymentThen]] = {}
    for one in found:
        by_name.setdefault(one.name.lower(), []).append(one)
    return {
        name: tuple(_one_served(one, len(rows) - 1) for one in _there(rows, at))
        for name, rows in by_name.items()
    }


def _there(rows: list[DeploymentThen], at: datetime) -> list[DeploymentThen]:
    there = [one for one in rows if not one.is_gone]
    certain = [one for one in there if one.certainty is Certainty.CERTAIN]
    # Where one certainly was there, another of the same name can't have been.
    return certain if len(certain) == 1 else there


def _one_served(one: DeploymentThen, others: int) -> Served:
    builds = {_build(state): None for state in one.states if not state.deleted}
    reason = ""
    if one.why is not None:
        reason = _why(one.why, f"the deployment {one.name}")
    elif any(state.deleted for state in one.states):
        reason = f"{one.name} was being deleted or made then."
    elif len(builds) > 1:
        reason = f"{one.name} itself was being changed then, between two readings of Azure."
    return Served(one.deployment_id, one.name, tuple(builds), reason, one.azure_created_at, others)


def _build(state: StateThen) -> Build:
    told = state.state
    return Build(
        model=short(told.get("model", "")),
        environment=short(told.get("environment", "")),
        code=short(told.get("code_id", "")),
        instance_type=told.get("instance_type", ""),
    )


def _in_force(
    facts: EndpointFacts, endpoint: EndpointThen, split: SplitThen, at: datetime, known: datetime | None
) -> InForce | None:
    """How the split came, only where it is certain which one it was, mirrored traffic included."""
    if len(split.splits) != 1:
        return None
    run = split_run(facts.id, max(one.latest for one in endpoint.states), known=known)
    if run is None:
        return None
    order = context.ordered(run.cause, facts.workspace_id, at, known)
    return InForce(run.cause, run.earliest, run.latest, run.until, order)
