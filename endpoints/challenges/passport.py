"""A passport out of frozen inputs: what was said of a request, and what the records hold of its moment. Pure.

Every passport has the same facts, whatever is known: what is not is there with the reason. `requested.py`, `built.py`
and `context.py` make the sections; here they become one document, with its verdict and what is missing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from endpoints.challenges.answered import Answered, pinned, who_answered
from endpoints.challenges.built import answered_facts, build_of
from endpoints.challenges.context import approval_section, health_section, traffic_section
from endpoints.challenges.facts import Fact, Passport, Section, Sure
from endpoints.challenges.moment import Moment
from endpoints.challenges.requested import confidence_facts, request_section
from endpoints.challenges.seen import SeenRow

COUNTED = (
    "at", "status", "duration", "app_version", "deployment", "model", "environment", "code", "instance_type", "split",
    "approval", "p95", "confidence", "fingerprint",
)  # fmt: skip
"""What a complete passport answers."""
_NOT_COMPARED = frozenset({"completeness", "payload"})


def passport(
    row: SeenRow | None, moment: Moment, *, made_at: datetime, known: datetime | None = None
) -> Passport:
    """Of one request; without a row, of whatever was asked at that moment."""
    answered = who_answered(row, moment.split)
    sections = [
        request_section(row, moment),
        Section(
            "answered",
            "What answered",
            (
                *answered_facts(row, moment, answered),
                _pinned(row, moment, answered),
                *confidence_facts(row, moment),
            ),
        ),
        traffic_section(moment),
        approval_section(moment),
        health_section(moment, answered, is_past_knowledge=known is not None),
        _absent(row),
    ]
    made = Passport(
        endpoint_id=moment.endpoint_id,
        at=moment.at,
        sections=tuple(sections),
        sure=_sure(row, moment, answered),
        verdict=_verdict(row, moment, answered),
        made_at=made_at,
        known=known,
    )
    return _with_completeness(made)


def with_corrections(then: Passport, now: Passport) -> Passport:
    """What was known then, with a sentence for each fact of which more or something else is known now."""
    told = []
    for section in now.sections:
        for fact in section.facts:
            before = then.fact(fact.name)
            if before is None or fact.name in _NOT_COMPARED or _same(before, fact):
                continue
            told.append(f"{fact.label}: {_words(before)} then, {_words(fact)} now.")
    return replace(then, corrections=tuple(told))


def _same(one: Fact, other: Fact) -> bool:
    return (one.value, one.sure, one.alternatives) == (other.value, other.sure, other.alternatives)


def _words(fact: Fact) -> str:
    if fact.sure is Sure.UNKNOWN:
        return "cannot say"
    if fact.sure is Sure.ONE_OF:
        return "one of " + ", ".join(_text(one) for one in fact.alternatives)
    return _text(fact.value)


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items()) or "none"
    return "none" if value is None else str(value)


def _sure(row: SeenRow | None, moment: Moment, answered: Answered) -> Sure:
    """Of which model answered, which two deployments of one model leave certain."""
    return Sure.CERTAIN if answered.nobody else build_of(row, moment, answered, "model").sure


def _verdict(row: SeenRow | None, moment: Moment, answered: Answered) -> str:
    if answered.nobody:
        return f"No model answered. {answered.reason}"
    model = build_of(row, moment, answered, "model")
    names = [_named(name, moment) for name in answered.names]
    if answered.sure is Sure.CERTAIN and model.sure is Sure.CERTAIN:
        return f"{names[0]} answered, with {model.value}, certain."
    if answered.sure is Sure.CERTAIN and model.sure is Sure.ONE_OF:
        return f"{names[0]} answered, certain; with one of {_listed(model.alternatives)}. {model.reason}"
    if answered.sure is Sure.CERTAIN:
        return f"{names[0]} answered, certain. Cannot say with which model: {model.reason}"
    if answered.sure is Sure.ONE_OF and model.sure is Sure.CERTAIN:
        return f"One of {_listed(names)} answered; with {model.value} in any case, certain."
    if answered.sure is Sure.ONE_OF:
        pairs = [_with_model(name, moment) for name in answered.names]
        if answered.or_nobody:
            return f"{_listed([*pairs, 'nobody'])} answered. {answered.reason}"
        return f"One of {_listed(pairs)} answered. {answered.reason}"
    return f"Cannot say: {answered.reason}"


def _with_model(name: str, moment: Moment) -> str:
    models = dict.fromkeys(
        build.model or "a model that is not known"
        for one in moment.served.get(name, ())
        for build in one.builds
    )
    return f"{_named(name, moment)} with {' or '.join(models) or 'a model that is not known'}"


def _named(name: str, moment: Moment) -> str:
    """As Azure writes it."""
    return next((one.name for one in moment.served.get(name, ())), name)


def _listed(parts: tuple[object, ...] | list[str]) -> str:
    texts = [str(part) for part in parts]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"


def _pinned(row: SeenRow | None, moment: Moment, answered: Answered) -> Fact:
    found = pinned(row, moment.split, answered)
    sure = Sure.UNKNOWN if found.value is None else Sure.CERTAIN
    label = "Deployment named by header, past the split"
    return Fact("pinned", label, found.value, sure, found.source, found.reason)


def _absent(row: SeenRow | None) -> Section:
    by_design = "Bodies of requests and answers are not stored, by design: there is no field for them."
    if row is not None and row.fingerprint is not None:
        words = "A keyed hash: whoever has the body can have it checked; nobody can get the body from it."
        known_at = row.since_when("fingerprint")
        print_of = Fact(
            "fingerprint",
            "Fingerprint of the request's body",
            row.fingerprint.hex(),
            Sure.CERTAIN,
            row.origin.get("fingerprint", ""),
            words,
            known_at=known_at,
        )
    else:
        words = "None was sent: whether a body belongs to this request can't be shown."
        print_of = Fact("fingerprint", "Fingerprint of the request's body", None, Sure.UNKNOWN, reason=words)
    payload = Fact("payload", "Image, request and answer", "not stored", Sure.CERTAIN, "design", by_design)
    return Section("absent", "What is not here", (payload, print_of))


def _with_completeness(made: Passport) -> Passport:
    facts = [fact for name in COUNTED if (fact := made.fact(name)) is not None]
    missing = [fact.label for fact in facts if fact.sure is Sure.UNKNOWN]
    value = {"known": len(facts) - len(missing), "of": len(facts), "missing": missing}
    told = Fact(
        "completeness", "Completeness", value, Sure.CERTAIN, reason="What is one of several counts as known."
    )
    *others, absent = made.sections
    return replace(made, sections=(*others, replace(absent, facts=(*absent.facts, told))))
