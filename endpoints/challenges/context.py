"""What was around a request: the split in force, who approved it, and how well the deployments did. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from endpoints.challenges.answered import MIRROR, Answered
from endpoints.challenges.facts import Fact, Section, Sure
from endpoints.challenges.health import Figures, Grain
from endpoints.challenges.moment import InForce, Moment, Ordered, SplitThen
from endpoints.challenges.words import decimal, length, moment
from endpoints.core.ids import ref

FAR_APART = 300
"""Seconds between two readings from which on a switch there and back between them is worth a word."""
_MONITOR = "Azure Monitor"


def traffic_section(then: Moment) -> Section:
    """Both splits, since and until when, between which readings, and the estimate of what passed them by."""
    facts: tuple[Fact, ...] = (
        _split("split", "Live traffic", then, [one.live for one in then.split.splits]),
        _split("mirror", "Mirrored traffic", then, [one.mirror for one in then.split.splits]),
        _since(then),
        _until(then),
        _readings(then),
        _bypass(then),
    )
    return Section("traffic", "Traffic then", facts)


def approval_section(then: Moment) -> Section:
    """Which change brought the split in force, who approved it, and what its gates had said."""
    found = then.in_force
    return Section("approval", "Who approved it", (_approval(then, found), _gates(then, found)))


def health_section(then: Moment, answered: Answered, *, is_past_knowledge: bool) -> Section:
    """Of that minute; of that hour where minutes are gone. Since when figures are known is not kept."""
    health = then.health
    figures = dict(health.figures) if health else {}
    budget = health.budget_p95 if health else None
    share = health.budget_failures if health else None
    facts: tuple[Fact, ...] = (
        _figure("p95", "p95 latency in ms", figures, answered, lambda one: one.p95),
        _figure("errors", "Requests that failed", figures, answered, lambda one: one.errors),
        _figure(
            "error_share", "Share of requests that failed", figures, answered, lambda one: one.error_share
        ),
        _figure("requests", "Requests", figures, answered, lambda one: one.requests),
        _figure(
            "throttled", "Requests refused for lack of replicas", figures, answered, lambda one: one.throttled
        ),
        _budget("budget_p95", "Latency budget, p95 in ms", budget),
        _budget("budget_failures", "Budget of failures, share of requests", share),
    )
    if is_past_knowledge:
        facts = tuple(_as_known_now(fact) for fact in facts)
    return Section("health", "Health then", facts)


def _as_known_now(fact: Fact) -> Fact:
    if fact.value is None:
        return fact
    return replace(
        fact, reason=f"{fact.reason} As known now: since when figures are known is not kept.".strip()
    )


def _split(name: str, label: str, then: Moment, splits: list[dict[str, int]]) -> Fact:
    split = then.split
    distinct = [one for place, one in enumerate(splits) if one not in splits[:place]]
    if not distinct:
        return Fact(name, label, None, Sure.UNKNOWN, MIRROR, split.reason)
    if len(distinct) > 1:
        return Fact(
            name, label, None, Sure.ONE_OF, MIRROR, split.reason, tuple(distinct), known_at=split.known_at
        )
    return Fact(name, label, distinct[0], Sure.CERTAIN, MIRROR, ref=_cause(then), known_at=split.known_at)


def _cause(then: Moment) -> str:
    cause = then.in_force.cause if then.in_force else ""
    return cause if cause.startswith("change:") else ""


def _since(then: Moment) -> Fact:
    name, label, found = "since", "In force since", then.in_force
    if found is None:
        return Fact(name, label, None, Sure.UNKNOWN, MIRROR, _no_split(then.split))
    if found.earliest is None:
        words = "It was there when the portal first read the endpoint; since when is not known."
        return Fact(name, label, {"from": None, "to": moment(found.latest)}, Sure.ONE_OF, MIRROR, words)
    span = {"from": moment(found.earliest), "to": moment(found.latest)}
    seconds = (found.latest - found.earliest).total_seconds()
    return Fact(
        name, label, span, Sure.CERTAIN, MIRROR, f"It began at some moment of these {length(seconds)}."
    )


def _until(then: Moment) -> Fact:
    name, label, found = "until", "In force until", then.in_force
    if found is None:
        return Fact(name, label, None, Sure.UNKNOWN, MIRROR, _no_split(then.split))
    if found.until is None:
        return Fact(name, label, None, Sure.CERTAIN, MIRROR, "No other split is on record since.")
    return Fact(
        name, label, moment(found.until), Sure.CERTAIN, MIRROR, "The next split was in force by then."
    )


def _no_split(split: SplitThen) -> str:
    return split.reason or "Which split it was is not known."


def _readings(then: Moment) -> Fact:
    """A split there and back between two readings leaves no trace."""
    label, before, after = "Readings of Azure around it", then.read_before, then.read_after
    value = {"before": moment(before) if before else None, "after": moment(after) if after else None}
    if before is None or after is None:
        missing = "before" if before is None else "after"
        return Fact(
            "readings",
            label,
            value,
            Sure.UNKNOWN,
            MIRROR,
            f"Azure was not read {missing} it, as far as is kept.",
        )
    apart = (after - before).total_seconds()
    words = f"They are {length(apart)} apart."
    if apart > FAR_APART:
        words += " A split that came and went between them would have left no trace."
    return Fact("readings", label, value, Sure.CERTAIN, MIRROR, words)


def _bypass(then: Moment) -> Fact:
    name, label, found = "bypass", "Requests that named their deployment by header, around then", then.bypass
    if found is None:
        return Fact(name, label, None, Sure.UNKNOWN, _MONITOR, "The requests around then are not known.")
    if found.share is None or found.at_least is None:
        return Fact(name, label, None, Sure.UNKNOWN, _MONITOR, found.reason)
    value = {
        "share": decimal(found.share, 4),
        "at_least": decimal(found.at_least, 4),
        "requests": found.requests,
        "proven": found.proven,
    }
    words = (
        "Out of what each deployment got while this split was in force; it says nothing about this request."
    )
    return Fact(name, label, value, Sure.ESTIMATE, _MONITOR, words)


def _approval(then: Moment, found: InForce | None) -> Fact:
    name, label = "approval", "Approval of this split"
    if found is None:
        return Fact(name, label, None, Sure.UNKNOWN, MIRROR, _no_split(then.split))
    if found.cause == "drift":
        words = "Somebody changed it outside the portal: nobody approved it here."
        return Fact(name, label, {"change": None, "approved_by": []}, Sure.CERTAIN, MIRROR, words)
    if found.order is None:
        words = "It was in force when the portal first read the endpoint: who ordered it is not known."
        if found.cause:
            words = "The change that ordered it is not on record."
        return Fact(name, label, None, Sure.UNKNOWN, MIRROR, words)
    order = found.order
    return Fact(
        name, label, _approved(order), Sure.CERTAIN, "ledger", _how(order), ref=ref("change", order.number)
    )


def _approved(order: Ordered) -> dict[str, object]:
    return {
        "change": order.number,
        "kind": order.kind,
        "author": order.author,
        "approved_by": [{"who": who, "at": moment(at)} for who, at in order.approvals],
        "started_by": order.started_by,
        "started_at": moment(order.started_at) if order.started_at else None,
        "reviewed_after_by": order.reviewed_after_by,
    }


def _how(order: Ordered) -> str:
    if order.is_emergency:
        after = "reviewed since" if order.reviewed_after_by else "not reviewed by then"
        return f"It was started in an emergency, without approval; {after}."
    if not order.needs_approval:
        return "A rollback: it needs no approval."
    return "" if order.approvals else "No approval of it is on record."


def _gates(then: Moment, found: InForce | None) -> Fact:
    name, label = "gates", "What its gates had said by then"
    if found is None or found.order is None:
        words = (
            _no_split(then.split)
            if found is None
            else "No change of the portal ordered it, so no gate watched it."
        )
        return Fact(name, label, None, Sure.UNKNOWN, "ledger", words)
    gates = [
        {
            "gate": gate.name,
            "outcome": gate.outcome,
            "reason": gate.reason,
            "at": moment(gate.at),
            "dry_run": gate.is_dry_run,
            "overridden": gate.name in found.order.overridden or "" in found.order.overridden,
        }
        for gate in found.order.gates
    ]
    words = "" if gates else "No gate had been measured by then, or it has none."
    return Fact(name, label, gates, Sure.CERTAIN, "ledger", words, ref=ref("change", found.order.number))


def _figure(
    name: str,
    label: str,
    figures: Mapping[str, Figures],
    answered: Answered,
    of: Callable[[Figures], float | None],
) -> Fact:
    """Of the one that answered, else of each that may have."""
    if not answered.names:
        return Fact(name, label, None, Sure.UNKNOWN, _MONITOR, "Of which deployment is not known.")
    found = {each: figures.get(each, Figures(Grain.MINUTE)) for each in answered.names}
    values = {each: decimal(of(one)) for each, one in found.items()}
    if all(value is None for value in values.values()):
        return Fact(name, label, None, Sure.UNKNOWN, _MONITOR, "Neither the minute nor its hour is known.")
    words = [_of_hour(each, one, name) for each, one in found.items() if one.grain is Grain.HOUR]
    words += [f"Of {each} it is not known." for each, value in values.items() if value is None]
    value = values[answered.names[0]] if len(values) == 1 else values
    return Fact(name, label, value, Sure.CERTAIN, _MONITOR, " ".join(words))


def _of_hour(name: str, one: Figures, figure: str) -> str:
    told = f"The minute of {name} is not known any more, or never was: this is of the whole hour"
    if figure != "p95":
        return f"{told}."
    worst = decimal(one.p95_worst)
    return f"{told}, its median minute{f'; its worst had {worst}' if worst else ''}."


def _budget(name: str, label: str, limit: float | None) -> Fact:
    if limit is None:
        return Fact(name, label, None, Sure.CERTAIN, "budget", "There was none.")
    return Fact(name, label, decimal(limit), Sure.CERTAIN, "budget")
