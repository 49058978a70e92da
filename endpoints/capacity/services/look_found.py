"""What a look at a workspace finds, deployment by deployment and endpoint by endpoint: ready to be stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import groupby

from endpoints.capacity.causes import Cause
from endpoints.capacity.endpoint_proposals import whole_endpoint
from endpoints.capacity.looking import Found, Key, Silent
from endpoints.capacity.proposals import Advice, Kind, Proposal, advise, is_unsure
from endpoints.capacity.ruleset import Rules
from endpoints.capacity.selectors.idle_causes import causes_of_deployments, causes_of_endpoints
from endpoints.capacity.selectors.present_causes import present_causes
from endpoints.capacity.selectors.subjects import Placed, Window, subjects, window_of
from endpoints.capacity.told import Told, as_json
from endpoints.capacity.why import NO_CAUSE, Idle, Silence, silence, why, why_endpoint
from endpoints.capacity.worth import NANO, nanos
from endpoints.core.money import Money
from endpoints.metrics.selectors.quiet import Quiet, quiet_since

NOBODY = Idle()


@dataclass(frozen=True, slots=True)
class Alone:
    """A deployment that is left alone: what would have been proposed, and why it is not."""

    placed: Placed
    kind: str
    high: Money | None
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Seen:
    """`silent` says why nothing is proposed, of every subject that is there."""

    deployments: int
    found: dict[Key, Found] = field(default_factory=dict)
    silent: dict[Key, Silent] = field(default_factory=dict)
    alone: list[Alone] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What sentences are made of."""

    window: Window
    today: date
    causes: Mapping[int, Idle]
    of_endpoints: Mapping[int, Idle]
    quiet: Mapping[int, Quiet]


def look(workspace_id: int, rules: Rules, now: datetime, *, taken: Collection[int]) -> Seen:
    """`taken`: deployments on whose findings somebody said something: their endpoints are not proposed as a whole.

    Somebody's word about a whole endpoint holds for its deployments for as long as it is dead.
    """
    window = window_of(rules, now)
    placed = subjects(workspace_id, rules, window, now)
    judged = [(one, advise(one.subject, rules.bounds, now)) for one in placed]
    ground = _ground(workspace_id, rules, window, now, judged)
    seen = Seen(len(placed))
    for endpoint_id, group in groupby(judged, key=lambda pair: pair[0].at.endpoint_id):
        parts = list(group)
        dead = whole_endpoint(
            [one.subject for one, _ in parts], [advice for _, advice in parts], rules.bounds
        )
        key: Key = (endpoint_id, None)
        if dead is None or any(one.at.id in taken for one, _ in parts):
            seen.silent[key] = _why_not_whole(parts, rules)
            _deployments(parts, rules, ground, seen)
            continue
        seen.found[key] = _of_endpoint(endpoint_id, dead, [one for one, _ in parts], ground)
        seen.silent |= {(endpoint_id, one.at.id): Silent.WHOLE for one, _ in parts}
    return seen


def _why_not_whole(parts: Sequence[tuple[Placed, Advice]], rules: Rules) -> Silent:
    if any(advice.kept for _, advice in parts):
        return Silent.KEPT
    if any(one.subject.requests for one, _ in parts):
        return Silent.NOTHING
    return Silent.UNSURE if any(is_unsure(one.subject, rules.bounds) for one, _ in parts) else Silent.NOTHING


def _deployments(parts: Sequence[tuple[Placed, Advice]], rules: Rules, ground: _Ground, seen: Seen) -> None:
    for one, advice in parts:
        key: Key = (one.at.endpoint_id, one.at.id)
        if advice.best is not None:
            seen.found[key] = _of_deployment(one, advice.best, advice, ground)
        elif advice.kept:
            seen.silent[key] = Silent.KEPT
        else:
            seen.silent[key] = Silent.UNSURE if is_unsure(one.subject, rules.bounds) else Silent.NOTHING
        if advice.kept and (alone := _alone(one, advice)):
            seen.alone.append(alone)


def _alone(one: Placed, advice: Advice) -> Alone | None:
    """What costs money for nothing, or more than it needs: also what has no traffic and yet is called by its name."""
    if advice.held is not None:
        return Alone(one, advice.held.kind, advice.held.high, advice.kept)
    if one.subject.weight == 0 and one.subject.instances:
        return Alone(one, Kind.DELETE, None, advice.kept)
    return None


def _ground(
    workspace_id: int,
    rules: Rules,
    window: Window,
    now: datetime,
    judged: Sequence[tuple[Placed, Advice]],
) -> _Ground:
    since = window.since.date()
    still = [one.at.id for one, _ in judged if one.subject.requests == 0]
    causes = causes_of_deployments(workspace_id, since)
    mute = {
        one.at.id
        for one, advice in judged
        if advice.best
        and advice.best.kind is Kind.DELETE
        and causes.get(one.at.id, NOBODY).cause in ("", Cause.NO_REQUESTS)
    }
    return _Ground(
        window,
        now.astimezone(UTC).date(),
        {**causes, **present_causes([one.at for one, _ in judged], mute, rules.causes, now)},
        causes_of_endpoints(workspace_id, since),
        quiet_since(still),
    )


def _of_deployment(one: Placed, best: Proposal, advice: Advice, ground: _Ground) -> Found:
    idle = NOBODY if best.kind in NO_CAUSE else ground.causes.get(one.at.id, NOBODY)
    quiet = _silence([one], ground)
    told = _told(best, one.at.sku, one.subject.instances, one.subject.price_date, ground, advice.others)
    facts = _facts(best, one.at.owner, [one])
    words = why(best, one.subject, idle, quiet)
    return _found(best, facts, idle, as_json(told) | {"why": words}, steady=not one.subject.autoscaled)


def _of_endpoint(endpoint_id: int, dead: Proposal, parts: Sequence[Placed], ground: _Ground) -> Found:
    idle = ground.of_endpoints.get(endpoint_id, NOBODY)
    counts = [one.subject.instances for one in parts]
    dates = [one.subject.price_date for one in parts if one.subject.price_date]
    skus = sorted({one.at.sku for one in parts})
    told = _told(
        dead, ", ".join(skus), sum(filter(None, counts)), min(dates, default=None), ground, ()
    )  # fmt: skip
    words = why_endpoint(len(parts), idle, _silence(parts, ground))
    return _found(dead, _facts(dead, parts[0].at.owner, parts), idle, as_json(told) | {"why": words})


def _told(
    proposal: Proposal,
    sku: str,
    instances: int | None,
    price_date: datetime | None,
    ground: _Ground,
    others: Sequence[Proposal],
) -> Told:
    return Told(
        to=proposal.to,
        instances=proposal.instances,
        sku=proposal.sku,
        low=_exact(proposal.low),
        high=_exact(proposal.high),
        sure=proposal.sure,
        risk=proposal.risk,
        formula=proposal.formula,
        evidence=proposal.evidence,
        effect=proposal.effect,
        price_date=price_date,
        since=ground.window.since.date(),
        until=ground.window.until.date(),
        others=tuple((other.kind.value, _exact(other.high)) for other in others),
        now_sku=sku,
        now_instances=instances,
    )


def _silence(parts: Sequence[Placed], ground: _Ground) -> Silence | None:
    """The shortest of its deployments'."""
    told = [
        silence(quiet.served, quiet.known, ground.today)
        for one in parts
        if (quiet := ground.quiet.get(one.at.id))
    ]
    return min(told, key=lambda one: one.days, default=None)


def _facts(proposal: Proposal, owner: str, parts: Sequence[Placed]) -> str:
    """A digest: what is proposed of what, whether it has traffic, and whom to ask. What rules scale has no number."""
    told = [
        f"{one.at.name_key}:{'' if one.subject.autoscaled else one.subject.instances}:{one.at.sku.lower()}"
        f":{bool(one.subject.weight)}"
        for one in parts
    ]
    text = "|".join((proposal.kind, proposal.sku.lower(), owner.casefold(), *sorted(told)))
    return sha256(text.encode()).hexdigest()[:32]


def _found(
    proposal: Proposal, facts: str, idle: Idle, advice: dict[str, object], *, steady: bool = True
) -> Found:
    low, high = _exact(proposal.low), _exact(proposal.high)
    return Found(
        kind=proposal.kind,
        facts=facts,
        low=nanos(low.amount) if low else None,
        high=nanos(high.amount) if high else None,
        currency=high.currency if high else "",
        cause=idle.cause,
        cause_ref=idle.ref,
        advice=advice,
        steady=steady,
    )


def _exact(money: Money | None) -> Money | None:
    """As it is stored: in whole billionths."""
    return None if money is None else Money(money.amount.quantize(NANO), money.currency)
