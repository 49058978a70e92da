"""Facts of a passport in words: one line or several, names for references, the shown zone for moments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.urls import reverse

from endpoints.challenges.facts import Fact, Passport, Sure
from endpoints.web.states import Sign
from endpoints.web.wording import clock, count, plural
from endpoints.web.wording import split as split_words

Names = Mapping[str, str]
_NONE = "-"
_LONG = 60
"""Characters from which on a reason is not said twice in one section."""
SIGNS = {
    Sure.CERTAIN: Sign("quiet", "Certain"),
    Sure.ONE_OF: Sign("warn", "One of several"),
    Sure.ESTIMATE: Sign("warn", "Estimate"),
    Sure.UNKNOWN: Sign("unknown", "Cannot say"),
}


@dataclass(frozen=True, slots=True)
class FactView:
    """One answer as a page shows it: `lines` of text, and a sign unless it is certain."""

    name: str
    label: str
    lines: tuple[str, ...]
    sign: Sign | None
    reason: str
    source: str
    href: str
    known_at: datetime | None


@dataclass(frozen=True, slots=True)
class SectionView:
    """Facts under one heading."""

    name: str
    label: str
    facts: tuple[FactView, ...]


def sections(passport: Passport, names: Names) -> tuple[SectionView, ...]:
    """All of a passport, in its order."""
    return tuple(SectionView(one.name, one.label, views(one.facts, names)) for one in passport.sections)


def views(found: Iterable[Fact], names: Names) -> tuple[FactView, ...]:
    """Facts that stand below each other. A long reason that holds for several is told once, and then pointed at."""
    said: dict[str, str] = {}
    shown = []
    for fact in found:
        first = said.setdefault(fact.reason, fact.label)
        told = view(fact, names)
        if len(fact.reason) > _LONG and first != fact.label:
            told = replace(told, reason=f"As for “{first}”.")
        shown.append(told)
    return tuple(shown)


def view(fact: Fact, names: Names) -> FactView:
    """One fact; what it may be instead stands in its lines."""
    lines = lines_of(fact, names)
    sign = None if fact.sure is Sure.CERTAIN else SIGNS[fact.sure]
    return FactView(
        fact.name, fact.label, lines, sign, fact.reason, fact.source, href_of(fact), fact.known_at
    )


def href_of(fact: Fact) -> str:
    """Where the object that the fact names is shown; "" where it has no page."""
    if fact.ref.startswith("change:"):
        return reverse("web:change", kwargs={"number": int(fact.ref.partition(":")[2])})
    return ""


def lines_of(fact: Fact, names: Names) -> tuple[str, ...]:
    """The value in words; each alternative on a line of its own; none where there is nothing to be said."""
    if fact.alternatives:
        return tuple(_line(fact.name, one, names) for one in fact.alternatives)
    if fact.value is None:
        return ()
    if isinstance(fact.value, list):
        return tuple(_line(fact.name, one, names) for one in fact.value)
    return (_line(fact.name, fact.value, names),)


def refs_of(passport: Passport) -> set[str]:
    """Every reference in it that has a name."""
    found: set[str] = set()
    for section in passport.sections:
        for fact in section.facts:
            found |= {fact.ref} | _people(fact.value)
    return found - {""}


def _people(value: Any) -> set[str]:
    match value:
        case str() if value.startswith("user:"):
            return {value}
        case dict():
            return {ref for item in value.values() for ref in _people(item)}
        case list():
            return {ref for item in value for ref in _people(item)}
    return set()


def _line(name: str, value: Any, names: Names) -> str:
    written = _WRITTEN.get(name)
    return written(value, names) if written else _plain(value)


def _plain(value: Any) -> str:
    match value:
        case None | "":
            return _NONE
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return ", ".join(f"{name} {_plain(item)}" for name, item in value.items()) or _NONE
        case list() | tuple():
            return ", ".join(_plain(item) for item in value) or _NONE
        case int():
            return count(value)
    return str(value)


def _status(value: Any, names: Names) -> str:
    return str(value)


def _moment(value: Any, names: Names) -> str:
    return clock(datetime.fromisoformat(value))


def _split(value: Any, names: Names) -> str:
    return split_words(value)


def _since(value: Any, names: Names) -> str:
    to = clock(datetime.fromisoformat(value["to"]))
    if value["from"] is None:
        return f"before {to}"
    return f"between {clock(datetime.fromisoformat(value['from']))} and {to}"


def _readings(value: Any, names: Names) -> str:
    said = [f"{clock(datetime.fromisoformat(at))} {which} it" for which, at in value.items() if at]
    return " and ".join(said) or _NONE


def _approval(value: Any, names: Names) -> str:
    if value["change"] is None:
        return "by nobody here"
    approved = [
        f"{names.get(one['who'], one['who'])} at {clock(datetime.fromisoformat(one['at']))}"
        for one in value["approved_by"]
    ]
    words = [f"CR-{value['change']}"]
    words += [f"approved by {' and '.join(approved)}"] if approved else []
    for role, said in (
        ("author", "written by"),
        ("started_by", "started by"),
        ("reviewed_after_by", "reviewed after by"),
    ):
        if value[role]:
            words.append(f"{said} {names.get(value[role], value[role])}")
    return ", ".join(words)


def _gate(value: Any, names: Names) -> str:
    more = [
        text for text, is_so in (("dry run", value["dry_run"]), ("overridden", value["overridden"])) if is_so
    ]
    noted = f" ({', '.join(more)})" if more else ""
    return f"{value['gate']}: {value['outcome']}{noted}. {value['reason']}".strip()


def _bypass(value: Any, names: Names) -> str:
    share, least = (float(value[name]) * 100 for name in ("share", "at_least"))
    proven = f"; {plural(value['proven'], 'request')} certainly" if value["proven"] else ""
    return f"about {share:.3g}\u00a0%, at least {least:.3g}\u00a0%, of {plural(value['requests'], 'request')}{proven}"


def _place(value: Any, names: Names) -> str:
    return f"p{value['percentile']} of {count(value['of'])}"


def _completeness(value: Any, names: Names) -> str:
    missing = f"; not known: {', '.join(value['missing'])}" if value["missing"] else ""
    return f"{value['known']} of {value['of']}{missing}"


_WRITTEN: dict[str, Callable[[Any, Names], str]] = {
    "at": _moment,
    "status": _status,
    "model_status": _status,
    "split": _split,
    "mirror": _split,
    "since": _since,
    "until": _moment,
    "readings": _readings,
    "approval": _approval,
    "gates": _gate,
    "bypass": _bypass,
    "confidence_place": _place,
    "completeness": _completeness,
}
