"""`$filter` of the activity log: a time, and at most one narrower word. Azure takes no other syntax. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

RETENTION = timedelta(days=90)
_TERM = re.compile(r"\s*(\w+)\s+(\w+)\s+'((?:[^']|'')*)'\s*")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?", re.IGNORECASE)
_NARROWER = {"resourcegroupname", "resourceuri", "resourceprovider", "correlationid"}


class FilterError(ValueError):
    """A filter that Azure would refuse; the text says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Events from `since` to `until`; `field` is one of the four narrower words, lower case, or empty."""

    since: datetime
    until: datetime
    field: str = ""
    value: str = ""


def parse(text: str | None, now: datetime) -> Wanted:
    since: datetime | None = None
    until: datetime | None = None
    field = value = ""
    for name, operator, told in _terms(text or ""):
        if name == "eventtimestamp" and operator == "ge" and since is None:
            since = _moment(told)
        elif name == "eventtimestamp" and operator == "le" and until is None:
            until = _moment(told)
        elif name in _NARROWER and operator == "eq" and not field:
            field, value = name, told
        else:
            raise FilterError(f"The filter can't hold '{name} {operator}' here: no other syntax is allowed.")
    if since is None:
        raise FilterError("The filter must hold a start: eventTimestamp ge '...'.")
    if since < now - RETENTION:
        raise FilterError(f"The start can't lie more than {RETENTION.days} days in the past.")
    if until is not None and until < since:
        raise FilterError("The end lies before the start.")
    return Wanted(since, now if until is None else until, field, value)


def _terms(text: str) -> list[tuple[str, str, str]]:
    """Name, operator and value of every term, joined by `and`; a quote inside a value is doubled."""
    found = []
    at = 0
    while True:
        term = _TERM.match(text, at)
        if term is None:
            raise FilterError(f"The filter can't be read at '{text[at : at + 40]}'.")
        found.append((term[1].lower(), term[2].lower(), term[3].replace("''", "'")))
        at = term.end()
        if at == len(text):
            return found
        if text[at : at + 4].lower() != "and ":
            raise FilterError(f"The filter's terms are joined by 'and', not '{text[at : at + 10]}'.")
        at += 4


def _moment(text: str) -> datetime:
    """A time with up to nine digits of a second, as .NET writes them; without an offset it is UTC."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise FilterError(f"'{text}' is not a time.")
    zone = "+00:00" if (found[3] or "Z").upper() == "Z" else found[3]
    try:
        return datetime.fromisoformat(f"{found[1]}.{(found[2] or '0')[:6]:<06}{zone}").astimezone(UTC)
    except ValueError:
        raise FilterError(f"'{text}' is not a time.") from None
