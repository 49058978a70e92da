"""The stretch of time that a page shows: chips for the usual ones, a form for any other, both in the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.http import QueryDict

from endpoints.core.errors import Invalid
from endpoints.metrics.windows import RANGES, Window, from_local, window
from endpoints.web import display

CHIPS = ("1h", "6h", "24h", "7d", "30d", "90d")
LABELS = {
    "1h": "1 hour",
    "6h": "6 hours",
    "24h": "24 hours",
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
}
DEFAULT = "6h"
_FORM = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class Chip:
    """One of the usual stretches."""

    name: str
    label: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """The stretch, and what was wrong with the one that was asked for, if that could not be understood."""

    window: Window
    problem: str = ""

    @property
    def query(self) -> str:
        """As an address carries it on."""
        if self.window.name:
            return urlencode({"range": self.window.name})
        return self.fixed

    @property
    def fixed(self) -> str:
        """The same stretch for whoever opens the address later."""
        return urlencode({"since": _utc(self.window.since), "until": _utc(self.window.until)})

    @property
    def label(self) -> str:
        """`last 6 hours`, `chosen range`."""
        return (
            f"last {LABELS.get(self.window.name, self.window.name)}" if self.window.name else "chosen range"
        )

    def typed(self) -> dict[str, str]:
        """The form's fields, in the zone that the page shows."""
        zone = display.current().zone
        return {
            "since": f"{self.window.since.astimezone(zone):{_FORM}}",
            "until": f"{self.window.until.astimezone(zone):{_FORM}}",
        }


def shown(query: QueryDict) -> Shown:
    """What an address asks for; the default and a sentence when it makes no sense."""
    now = display.current().moment()
    name, since, until = (query.get(key, "").strip()[:40] for key in ("range", "since", "until"))
    try:
        if not (since or until):
            return Shown(window(now, name=name or DEFAULT))
        moments = _moment("since", since, False), _moment("until", until, True)
        found = window(now, name=name, since=moments[0], until=moments[1])
        if found.length > max(RANGES.values()):
            raise Invalid({"since": ["At most 13 months are shown at once."]})
        return Shown(found)
    except Invalid as error:
        said = " ".join(text for texts in error.fields.values() for text in texts) or error.message
        return Shown(
            window(now, name=DEFAULT), f"{said} The {Shown(window(now, name=DEFAULT)).label} are shown."
        )


def chips(shown_now: Shown, address: str) -> list[Chip]:
    """The usual stretches as links."""
    return [
        Chip(
            name,
            LABELS[name],
            f"{address}?{urlencode({'range': name})}#metrics",
            shown_now.window.name == name,
        )
        for name in CHIPS
    ]


def _moment(field: str, text: str, is_end: bool) -> datetime | None:
    """A moment with an offset, or a time of the zone that the page shows."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(
            text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text
        )
    except ValueError:
        raise Invalid({field: [f"“{text}” is no time that can be read."]}) from None
    # Near the ends of the calendar, arithmetic fails.
    if not 2000 < found.year < 2100:
        raise Invalid({field: [f"“{text}” is too far away."]})
    if found.tzinfo is None:
        found = from_local(found, display.current().zone, is_end=is_end)
    return found.astimezone(UTC).replace(second=0, microsecond=0)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}Z"
