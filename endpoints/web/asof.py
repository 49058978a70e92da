"""The time machine's frame: which moment an address asks for, how sure an answer is, and links that keep the moment.

A page shows the past when its address has `at`; it has no button then, and says so at the top.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from endpoints.core.errors import Invalid
from endpoints.dispatch import db_now
from endpoints.inventory.moment import Moment, checked
from endpoints.inventory.selectors import StateThen
from endpoints.inventory.selectors.asof import Answer
from endpoints.inventory.timeline import Certainty, Gap
from endpoints.web import display
from endpoints.web.pages import PageRequest
from endpoints.web.wording import clock
from endpoints.web.wording import split as split_words

# A plus in an address that was not encoded arrives as a space.
_SPACED_OFFSET = re.compile(r"^(.*\d) (\d\d:?\d\d)$")
_FORM = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True, slots=True)
class When:
    """The moment in the words of a page. `query` is what every link of the page carries on."""

    moment: Moment
    path: str

    @property
    def at(self) -> datetime:
        return self.moment.at

    @property
    def known(self) -> datetime | None:
        return self.moment.known

    @property
    def query(self) -> str:
        return urlencode(dict(self.fields))

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The same for a form's hidden fields."""
        known = [("known", exact(self.known))] if self.known else []
        return [("at", exact(self.at)), *known]

    @property
    def words(self) -> str:
        return clock(self.at)

    @property
    def form(self) -> dict[str, str]:
        """What the form's fields hold: wall clocks of the shown zone."""
        zone = display.current().zone
        return {
            "at": f"{self.at.astimezone(zone):{_FORM}}",
            "known": f"{self.known.astimezone(zone):{_FORM}}" if self.known else "",
        }

    def earlier(self, moment: datetime) -> str:
        """The same page as of another moment."""
        return f"{self.path}?{urlencode({'at': exact(moment)})}"

    def link(self, address: str) -> str:
        """An address of the same past."""
        return f"{address}{'&' if '?' in address else '?'}{self.query}"


@dataclass(frozen=True, slots=True)
class Sure:
    """How sure an answer is: a pill's kind and text, and a sentence that says why.

    `reading`: when the last reading began, where none came after the moment; what it showed is not the moment's.
    """

    kind: str
    text: str
    sentence: str = ""
    reading: datetime | None = None


def asked(request: PageRequest) -> When | None:
    """The moment that the address asks for; None where it asks for now. Invalid for what can't be shown."""
    at, known = request.GET.get("at", "").strip(), request.GET.get("known", "").strip()
    if not at and not known:
        return None
    problems: dict[str, list[str]] = {}
    moments: dict[str, datetime | None] = {}
    for name, text in (("at", at), ("known", known)):
        try:
            moments[name] = parsed(text) if text else None
        except ValueError as error:
            problems[name] = [str(error)]
    if problems:
        raise Invalid(problems)
    return When(checked(moments["at"], moments["known"], now=db_now()), request.path)


def parsed(text: str) -> datetime:
    """An ISO time; one without an offset is a wall clock of the shown zone. ValueError in words."""
    spaced = _SPACED_OFFSET.match(text)
    zone = display.current().zone
    try:
        typed = datetime.fromisoformat((f"{spaced[1]}+{spaced[2]}" if spaced else text)[:40])
        moment = (typed if typed.tzinfo else typed.replace(tzinfo=zone)).astimezone(UTC)
        back = moment.astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise ValueError(
            f"“{text[:40]}” is no time. Give one as 2026-11-23T11:45, or with a zone as 2026-11-23T11:45:31Z."
        ) from None
    if typed.tzinfo is None and back != typed:
        raise ValueError(f"There is no {typed:%H:%M} on that day in {zone}: clocks skipped it.")
    return moment


def exact(moment: datetime) -> str:
    """To the microsecond, which tells two moments of one second apart."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def frame(when: When) -> dict[str, Any]:
    """What every page of the past gives its template."""
    return {"when": when, "keep": f"?{when.query}"}


def sureness(answer: Answer) -> Sure:
    """The answer's certainty as people read it."""
    if answer.is_gone:
        return Sure("off", "Not there", _gone(answer))
    if answer.certainty is Certainty.CERTAIN:
        return Sure("quiet", "Certain")
    if answer.certainty is Certainty.ONE_OF_TWO:
        return Sure("warn", "One of two", _switch(answer.states[-1]))
    last = answer.why.moment if answer.why and answer.why.gap is Gap.NOT_READ_AFTER else None
    return Sure("unknown", "Cannot tell", _why(answer), last)


def _gone(answer: Answer) -> str:
    if answer.why is not None:
        return f"Azure made it later, {clock(answer.why.moment)}."
    return f"It was found gone {clock(answer.states[0].latest)}."


def _switch(newer: StateThen) -> str:
    """Between which readings it changed; the first state of all may have begun at any time before."""
    since = f"between {clock(newer.earliest)} and" if newer.earliest else "before"
    return f"It changed {since} {clock(newer.latest)}; this moment lies within, so it was one of the two."


def _why(answer: Answer) -> str:
    why = answer.why
    if why is None:
        return "Nothing bears out what it was."
    match why.gap:
        case Gap.NOT_KNOWN:
            return "Nothing of it was on record by then."
        case Gap.READ_LATER:
            return f"It was first read {clock(why.moment)}; what it was before that nobody here knows."
        case Gap.SEVERAL:
            return (
                "It changed more than once between two readings, so that more than two states may have held."
            )
        case Gap.NOT_READ_AFTER if why.moment is not None:
            return f"No later reading bears it out: the last one began {clock(why.moment)}."
        case Gap.NOT_READ_AFTER:
            return "No reading that bears it out was on record."
        case _:
            return f"Azure made it later, {clock(why.moment)}."


def one_or(answer: Answer, name: str) -> str:
    """A field in words: both values where two states are possible and differ; "unknown" where nothing is known."""
    if answer.is_gone:
        return "not there"
    values = [_field(state, name) for state in answer.states]
    return " or ".join(dict.fromkeys(values)) or "unknown"


def _field(state: StateThen, name: str) -> str:
    if state.deleted:
        return "not there"
    value = state.state.get(name)
    if name in ("traffic", "mirror_traffic"):
        return split_words(value or {})
    return "not reported" if value in (None, "") else str(value)
