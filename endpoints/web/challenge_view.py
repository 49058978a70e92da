"""A challenge case in words: its state and clocks, what happened, and what is known of the request in four parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse

from endpoints.challenges.clocks import Reading, Tick
from endpoints.challenges.facts import Fact, Passport, Sure
from endpoints.challenges.lifecycle import Kind, Outcome, State
from endpoints.challenges.linking import Tally
from endpoints.challenges.seen import SeenRow
from endpoints.challenges.selectors.case_rows import CaseRow
from endpoints.challenges.selectors.cases import CaseDetail, MoveRow, NoteRow
from endpoints.web import facts
from endpoints.web.numbers import MISSING
from endpoints.web.states import Sign
from endpoints.web.wording import NBSP

OUTCOMES = {
    Outcome.STANDS: "The prediction stands",
    Outcome.OVERTURNED: "The prediction is overturned",
    Outcome.UNDETERMINED: "It cannot be determined",
}
ERASED = "[erased]"
_LONG = 48 * 60  # minutes
# What is read first of each part; the rest is folded away below it.
_FIRST = frozenset(
    {
        "deployment", "model", "environment", "at", "status", "duration", "confidence", "band",
        "split", "since", "approval", "p95", "error_share", "budget_p95", "payload", "completeness",
    }
)  # fmt: skip
# Each part with the sections that it takes, and the fact that its certainty is that of.
_PARTS = (
    ("What answered", ("answered", "request"), ""),
    ("Traffic then", ("traffic", "approval"), "split"),
    ("Health then", ("health",), "p95"),
    ("What is not here", ("absent",), None),
)
_TITLES = {
    Kind.RAISED: ("info", "Raised"),
    Kind.CHOSEN: ("info", "A record was chosen"),
    Kind.COLLECTED: ("info", "Evidence was collected"),
    Kind.ASSIGNED: ("info", "Assigned"),
    Kind.COMMENTED: ("info", "Comment"),
    Kind.LINKED: ("info", "Linked"),
    Kind.DECIDED: ("done", "Decided"),
    Kind.SENT_BACK: ("back", "Sent back: not confirmed"),
    Kind.CONFIRMED: ("done", "Confirmed and closed"),
    Kind.REOPENED: ("back", "Opened again"),
    Kind.HOLD_ASKED: ("held", "Legal hold asked for"),
    Kind.HELD: ("held", "Legal hold in force"),
    Kind.RELEASED: ("info", "Legal hold ended"),
    Kind.ERASURE_ASKED: ("info", "Erasure asked for"),
    Kind.ERASURE_WITHDRAWN: ("info", "Erasure withdrawn: nothing was erased"),
    Kind.ERASED: ("info", "Texts erased"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One of the four parts: its facts, those read first and `more`, and how sure that is which it is about."""

    number: int
    title: str
    sign: Sign | None
    first: tuple[facts.FactView, ...]
    more: tuple[facts.FactView, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the timeline."""

    icon: str
    tone: str
    title: str
    text: str
    who: str
    at: datetime
    href: str = ""


def sign_of(row: CaseRow, now: datetime, *, mine: bool = False) -> Sign:
    """The state, or the clock that presses most, in one sign."""
    if row.state is State.CLOSED:
        return Sign("off", f"Closed: {row.outcome.value if row.outcome else 'without a verdict'}")
    if row.state is State.DECIDED:
        return Sign("due" if mine else "waiting", "Decided, to be confirmed")
    ticks = [reading.tick for reading in row.clocks(now)]
    if Tick.OVER in ticks:
        return Sign("bad", "Open, over its time")
    return Sign("due", "Open, due soon") if Tick.PRESSING in ticks else Sign("waiting", "Open")


def clock_sign(reading: Reading) -> Sign:
    """One clock: `3 h 12 m of 8 h`."""
    kinds = {
        Tick.RUNNING: "waiting",
        Tick.PRESSING: "due",
        Tick.OVER: "bad",
        Tick.MET: "quiet",
        Tick.MISSED: "bad",
    }
    return Sign(kinds[reading.tick], f"{length(reading.used)} of {length(reading.total)}")


def length(span: timedelta) -> str:
    """`3 h 12 m`, `26 d 4 h`, `0 m`: two units at most."""
    minutes = int(max(span, timedelta()).total_seconds() // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    shown = [(days, "d"), (hours, "h")] if minutes >= _LONG else [(minutes // 60, "h"), (rest, "m")]
    return " ".join(f"{amount}{NBSP}{unit}" for amount, unit in shown if amount) or f"0{NBSP}m"


def first_clock(row: CaseRow, now: datetime) -> Reading | None:
    """The clock that ends first of those that are still to be met; of a closed case the first of all."""
    readings = row.clocks(now)
    running = [one for one in readings if one.tick in (Tick.RUNNING, Tick.PRESSING)]
    return next(iter(running or readings), None)


def parts(passport: Passport, told_names: Mapping[str, str]) -> tuple[Part, ...]:
    """The four parts that a case is read by. A section that nobody expected stands with the first."""
    known = {name for _, names, _ in _PARTS for name in names}
    strange = tuple(one.name for one in passport.sections if one.name not in known)
    return tuple(
        _part(passport, number, title, names + (strange if number == 1 else ()), key, told_names)
        for number, (title, names, key) in enumerate(_PARTS, 1)
    )


def _part(
    passport: Passport,
    number: int,
    title: str,
    names: tuple[str, ...],
    key: str | None,
    told_names: Mapping[str, str],
) -> Part:
    by_name = {section.name: section for section in passport.sections}
    found = [fact for name in names if name in by_name for fact in by_name[name].facts]
    first = [fact for fact in found if fact.name in _FIRST]
    more = [fact for fact in found if fact.name not in _FIRST]
    return Part(
        number,
        title,
        _certainty(passport, key),
        facts.views(first, told_names),
        facts.views(more, told_names),
    )


def _certainty(passport: Passport, key: str | None) -> Sign | None:
    """Of the fact that decides; "": of which model answered; None: there is none."""
    if key is None:
        return None
    fact = passport.fact(key) if key else None
    return facts.SIGNS[fact.sure if fact else Sure.UNKNOWN] if key else facts.SIGNS[passport.sure]


def sure_sign(sure: Sure) -> Sign:
    return facts.SIGNS[sure]


def told(fact: Fact | None, names: Mapping[str, str]) -> str:
    """A fact on one line, with how sure it is; what it may be instead, where it is one of several."""
    if fact is None:
        return "not there"
    return f"{' or '.join(facts.lines_of(fact, names)) or MISSING} ({fact.sure.value})"


def text_of(note: NoteRow | None) -> str:
    """A note's words, or that they were erased."""
    if note is None:
        return ""
    return ERASED if note.erased_at is not None else note.text


def events(detail: CaseDetail, names: Mapping[str, str]) -> list[Event]:
    """What happened, newest first."""
    return [_event(move, names) for move in reversed(detail.moves)]


def since(detail: CaseDetail, version: int, names: Mapping[str, str]) -> list[Event]:
    """What happened after the version that somebody had before them."""
    return [_event(move, names) for move in detail.moves if move.version > version]


def _event(move: MoveRow, names: Mapping[str, str]) -> Event:
    icon, title = _TITLES[move.kind]
    said = [f"“{text_of(note)}”" for note in move.notes if note.kind not in ("question", "claimant")]
    return Event(
        icon=icon,
        tone="",
        title=title,
        text=" ".join(filter(None, [_detail(move, names), *said])),
        who=names.get(move.by, move.by),
        at=move.at,
        href=_href(move),
    )


def _detail(move: MoveRow, names: Mapping[str, str]) -> str:
    data = move.data
    match move.kind:
        case Kind.RAISED:
            return "through the API" if data.get("via") == "api" else ""
        case Kind.COLLECTED:
            return f"no. {data['number']}: {data['sure']}; SHA-256 {data['sha256'][:16]}…"
        case Kind.ASSIGNED:
            return f"to {names.get(data['to'], data['to'])}" if data["to"] else "to nobody"
        case Kind.DECIDED:
            stood_on = (
                f", on evidence no. {data['evidence']}" if data.get("evidence") else ", without evidence"
            )
            return f"{data['outcome']}{stood_on}"
        case Kind.CONFIRMED | Kind.SENT_BACK | Kind.REOPENED:
            return str(data.get("outcome", ""))
        case Kind.LINKED:
            return f"with CH-{str(data['with']).partition(':')[2]}"
        case Kind.ERASED:
            return f"{data['notes'] + data['entries']} texts"
    return ""


def _href(move: MoveRow) -> str:
    if move.kind is not Kind.LINKED:
        return ""
    return reverse("web:challenge", kwargs={"number": int(str(move.data["with"]).partition(":")[2])})


def refs_of(detail: CaseDetail) -> set[str]:
    """Every reference on the page that has a name."""
    found = {move.by for move in detail.moves} | {detail.row.raised_by}
    found |= {str(move.data["to"]) for move in detail.moves if move.data.get("to")}
    for hold in detail.holds:
        found |= {hold.asked_by, hold.agreed_by, hold.ended_by}
    if detail.erasure:
        found |= {detail.erasure.asked_by, detail.erasure.agreed_by}
    if detail.evidence:
        found.add(detail.evidence.collected_by)
        found |= facts.refs_of(detail.evidence.passport) if detail.evidence.passport else set()
    return found - {""}


def tally_words(found: Tally) -> str:
    """`6 challenged, 2 overturned, 1 not decided yet`."""
    words = [f"{found.challenged} challenged", f"{found.overturned} overturned"]
    if found.undetermined:
        words.append(f"{found.undetermined} could not be determined")
    if found.undecided:
        words.append(f"{found.undecided} not decided yet")
    return ", ".join(words)


def record_value(row: SeenRow) -> str:
    """A record's address as a form sends it back."""
    return f"{row.endpoint_id}|{row.day.isoformat()}|{row.key}"
