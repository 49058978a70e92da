"""The part of RFC 5545's RRULE that a freeze may be repeated by, in one form.

Only days repeat: a rule by the hour, minute or second makes too many stretches for anybody to oversee.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from endpoints.core.errors import Invalid

MOST_TIMES = 1000
_LONGEST_TEXT = 300
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_WEEKDAY = "(?:MO|TU|WE|TH|FR|SA|SU)"
_FORMS = {
    "FREQ": "|".join(_FREQUENCIES),
    "INTERVAL": r"[1-9]\d{0,2}",
    "COUNT": r"[1-9]\d{0,3}",
    "UNTIL": r"\d{8}(?:T\d{6}Z?)?",
    "BYMONTH": r"(?:0?[1-9]|1[0-2])",
    "BYMONTHDAY": r"[+-]?(?:0?[1-9]|[12]\d|3[01])",
    "BYDAY": rf"(?:[+-]?(?:0?[1-9]|[1-4]\d|5[0-3]))?{_WEEKDAY}",
    "BYSETPOS": r"[+-]?[1-9]\d{0,2}",
    "WKST": _WEEKDAY,
}
_LISTS = ("BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS")
_EXAMPLE = "A rule looks like FREQ=WEEKLY;BYDAY=FR."


def normalised(text: str, zone: ZoneInfo) -> str:
    """The rule with its parts in order, and UNTIL as the zone's clock shows it. Invalid for the field `rule`."""
    parts = _parts(text)
    _check_together(parts)
    if "UNTIL" in parts:
        parts["UNTIL"] = _until(parts["UNTIL"], zone)
    return ";".join(f"{name}={parts[name]}" for name in _FORMS if name in parts)


def has_end(rule: str) -> bool:
    """Whether a normalised rule stops by itself; so does no rule at all."""
    return not rule or "COUNT=" in rule or "UNTIL=" in rule


def without_end(rule: str) -> str:
    """A normalised rule that goes on for ever."""
    return ";".join(part for part in rule.split(";") if not part.startswith(("COUNT=", "UNTIL=")))


def step_of(rule: str) -> timedelta | None:
    """After how long a normalised rule by days or weeks stands where it stood; None for others, and for what counts."""
    parts = dict(part.split("=") for part in rule.split(";")) if rule else {}
    unit = {"DAILY": timedelta(days=1), "WEEKLY": timedelta(weeks=1)}.get(parts.get("FREQ", ""))
    return None if unit is None or "COUNT" in parts else unit * int(parts.get("INTERVAL", "1"))


def _parts(text: str) -> dict[str, str]:
    if len(text) > _LONGEST_TEXT:
        raise _bad(f"A rule has at most {_LONGEST_TEXT} characters; this has {len(text)}.")
    found: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, _, value = part.strip().partition("=")
        if name not in _FORMS:
            raise _bad(f"{name or 'Nothing'} can't be part of a freeze's rule. {_EXAMPLE}")
        if name in found:
            raise _bad(f"{name} is given twice.")
        form = rf"(?:{_FORMS[name]})(?:,(?:{_FORMS[name]}))*" if name in _LISTS else f"(?:{_FORMS[name]})"
        if not re.fullmatch(form, value):
            raise _bad(f"{name}={value} can't be read, or not for a freeze. {_EXAMPLE}")
        found[name] = value
    return found


def _check_together(parts: dict[str, str]) -> None:
    """What RFC 5545 forbids, and what would hardly ever come about."""
    frequency = parts.get("FREQ")
    if frequency is None:
        raise _bad(f"FREQ is missing. {_EXAMPLE}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise _bad("COUNT and UNTIL exclude each other.")
    if int(parts.get("COUNT", "1")) > MOST_TIMES:
        raise _bad(f"COUNT is {MOST_TIMES} at most.")
    if frequency in ("DAILY", "WEEKLY") and ({"BYMONTHDAY", "BYSETPOS"} & parts.keys()):
        raise _bad(f"BYMONTHDAY and BYSETPOS go with MONTHLY and YEARLY, not with {frequency}.")
    if frequency in ("DAILY", "WEEKLY") and re.search(r"\d", parts.get("BYDAY", "")):
        raise _bad(f"Numbered weekdays go with MONTHLY and YEARLY, not with {frequency}.")
    if frequency == "DAILY" and parts.get("INTERVAL", "1") != "1" and ({"BYDAY", "BYMONTH"} & parts.keys()):
        raise _bad("Every so many days, and only on some of them, hardly ever meet: use WEEKLY.")
    if "BYSETPOS" in parts and not ({"BYDAY", "BYMONTHDAY", "BYMONTH"} & parts.keys()):
        raise _bad("BYSETPOS picks among the days of BYDAY, BYMONTHDAY or BYMONTH; none is given.")


def _until(value: str, zone: ZoneInfo) -> str:
    """As the zone's clock shows it, for starts are; a day alone counts to its end."""
    try:
        day = datetime.strptime(value[:8], "%Y%m%d")  # noqa: DTZ007 - the clock's own reading
        shown = day + timedelta(hours=23, minutes=59, seconds=59)
        if "T" in value:
            shown = datetime.combine(day, time.fromisoformat(value[9:15]))
        if value.endswith("Z"):
            shown = shown.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise _bad(f"UNTIL={value} is no date and time.") from error
    return f"{shown:%Y%m%dT%H%M%S}"


def _bad(sentence: str) -> Invalid:
    return Invalid({"rule": [sentence]})
