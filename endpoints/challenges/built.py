"""What answered was made of: model, environment, code and size, of every deployment that may have answered. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from endpoints.challenges.answered import MIRROR, SOURCES, Answered, others_said
from endpoints.challenges.facts import Fact, Sure
from endpoints.challenges.moment import Moment, Served
from endpoints.challenges.recorded import Source
from endpoints.challenges.seen import SeenRow
from endpoints.challenges.words import clock

NOBODY = "none: Azure may have refused the request itself"
LABELS = {
    "model": "Model and version",
    "environment": "Environment image",
    "code": "Code",
    "instance_type": "Instance type",
}


def answered_facts(row: SeenRow | None, then: Moment, answered: Answered) -> tuple[Fact, ...]:
    """The deployment, and what it was made of."""
    return (_deployment(then, answered), *(build_of(row, then, answered, part) for part in LABELS))


def build_of(row: SeenRow | None, then: Moment, answered: Answered, part: str) -> Fact:
    """One part of what answered: certain when all that may have answered had the same."""
    label = LABELS[part]
    if answered.nobody:
        return Fact(part, label, None, Sure.CERTAIN, answered.source, "No deployment answered.")
    if not answered.names:
        return Fact(part, label, None, Sure.UNKNOWN, MIRROR, answered.reason)
    found = _possible(then, answered, part)
    if found.unknown:
        return Fact(part, label, None, Sure.UNKNOWN, MIRROR, found.words())
    if answered.or_nobody:
        values = (*found.values, NOBODY)
        return Fact(part, label, None, Sure.ONE_OF, MIRROR, answered.reason, values, known_at=found.known_at)
    if len(found.values) > 1:
        reason = found.several or answered.reason
        return _checked(
            row, Fact(part, label, None, Sure.ONE_OF, MIRROR, reason, found.values, known_at=found.known_at)
        )
    reason = (
        f"Whichever of {' and '.join(answered.names)} answered: both had it."
        if len(answered.names) == 2
        else ""
    )
    if len(answered.names) > 2:
        reason = "Whichever answered: all had it."
    return _checked(
        row, Fact(part, label, found.values[0], Sure.CERTAIN, MIRROR, reason, known_at=found.known_at)
    )


@dataclass(slots=True)
class _Found:
    values: tuple[str, ...]
    unknown: list[str]
    several: str
    known_at: datetime | None

    def words(self) -> str:
        known = f" Of the others it was {' or '.join(self.values)}." if self.values else ""
        return " ".join(self.unknown) + known


def _possible(then: Moment, answered: Answered, part: str) -> _Found:
    values: dict[str, None] = {}
    unknown, several, known = [], "", []
    for name in answered.names:
        served = then.served.get(name, ())
        if not served:
            unknown.append(f"No deployment {name} of that time is on record.")
        for one in served:
            if not one.builds:
                unknown.append(one.reason)
            own = dict.fromkeys(getattr(build, part) for build in one.builds)
            if "" in own:
                unknown.append(f"Azure does not say it of {one.name}.")
            values |= {value: None for value in own if value}
            known += [build.known_at for build in one.builds if build.known_at is not None]
            if len(own) > 1:
                several = one.reason
    return _Found(tuple(values), unknown, several, max(known, default=None))


def _deployment(then: Moment, answered: Answered) -> Fact:
    label = "Deployment that answered"
    if not answered.names:
        sure = Sure.CERTAIN if answered.nobody else Sure.UNKNOWN
        return Fact("deployment", label, None, sure, answered.source, answered.reason)
    names = tuple(_shown(name, then) for name in answered.names)
    if answered.sure is not Sure.CERTAIN:
        names = (*names, NOBODY) if answered.or_nobody else names
        return Fact("deployment", label, None, answered.sure, answered.source, answered.reason, names)
    served = then.served.get(answered.names[0], ())
    ref = f"deployment:{served[0].id}" if len(served) == 1 else ""
    reason = " ".join(part for part in (answered.reason, _namesakes(served)) if part)
    return Fact("deployment", label, names[0], Sure.CERTAIN, answered.source, reason, ref=ref)


def _shown(name: str, then: Moment) -> str:
    return next((one.name for one in then.served.get(name, ())), name)


def _namesakes(served: tuple[Served, ...]) -> str:
    """A name that was given twice names two things."""
    if len(served) > 1:
        return "One of that name was deleted and another made about then."
    if not served or not served[0].others:
        return ""
    one = served[0]
    made = f", made {clock(one.created_at)}" if one.created_at else ""
    more = "another deployment" if one.others == 1 else f"{one.others} other deployments"
    return f"This is the one of that time{made}; {more} had the name at other times."


def _checked(row: SeenRow | None, fact: Fact) -> Fact:
    """Against what model and caller say of the model: the model's contradiction makes it one of two."""
    if row is None or fact.name != "model" or not row.model_version:
        return fact
    said, giver = row.model_version, Source(row.origin.get("model_version", Source.CALLER))
    told = " ".join(part for part in (fact.reason, others_said(row, "model_version")) if part)
    known = fact.alternatives or (fact.value,)
    who = SOURCES[giver]
    if any(_agree(said, one) for one in known):
        return _with(
            fact,
            f"{told} The {who} says {said}, too."
            if not fact.alternatives
            else f"{told} The {who} says {said}.",
        )
    words = f"{told} The {who} says {said}, and Azure had {' or '.join(str(one) for one in known)} deployed."
    if giver is Source.CALLER:
        return _with(fact, words)
    return Fact(
        fact.name,
        fact.label,
        None,
        Sure.ONE_OF,
        fact.source,
        words.strip(),
        (*known, said),
        known_at=fact.known_at,
    )


def _with(fact: Fact, reason: str) -> Fact:
    return Fact(
        fact.name,
        fact.label,
        fact.value,
        fact.sure,
        fact.source,
        reason.strip(),
        fact.alternatives,
        fact.ref,
        fact.known_at,
    )


def _agree(said: str, known: object) -> bool:
    """ "7" and "risk:7" are one version of risk; "risk:7" and "other:7" are two models."""
    text = str(known)
    return said.lower() in (text.lower(), text.rpartition(":")[2].lower())
