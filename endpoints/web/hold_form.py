"""What the form of a freeze sends, as scope and schedule; and a schedule's moments as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from endpoints.access.policies import Action, Principal, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.access.selectors import connected_workspaces
from endpoints.core.errors import Invalid
from endpoints.holds import selectors
from endpoints.holds.calendar import Schedule, Span, checked
from endpoints.holds.scope import Scope
from endpoints.web import display

FIELDS = (
    "workspace",
    "name_pattern",
    "owner",
    "tag",
    "title",
    "reason",
    "zone",
    "starts",
    "ends",
    "repeat",
    "rule",
)
OWN_RULE = "own"
REPEATS = {
    "": "Only once",
    "FREQ=DAILY": "Every day",
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR": "Every working day",
    "FREQ=WEEKLY": "Every week",
    "FREQ=WEEKLY;INTERVAL=2": "Every second week",
    "FREQ=MONTHLY": "Every month, on that day",
    "FREQ=YEARLY": "Every year",
    OWN_RULE: "By a rule of its own",
}
EVERYTHING = "*"
_LONGEST = 2001


@dataclass(frozen=True, slots=True)
class Places:
    """Where somebody may do something: on these workspaces, and on everything at once."""

    workspaces: tuple[WorkspaceRow, ...]
    everything: bool

    @property
    def options(self) -> list[tuple[str, str]]:
        """For a select: the narrowest choice first, so that nobody holds everything by not choosing."""
        named = [(row.slug, f"{row.slug} ({row.environment})") for row in self.workspaces]
        return [*named, *([(EVERYTHING, "All workspaces")] if self.everything else [])]


def places(me: Principal, action: Action) -> Places:
    """One query."""
    known = connected_workspaces()
    open_to = tuple(row for row in known if decide(me, action, workspace_id=row.id, workspace=row.slug))
    return Places(open_to, everything=bool(known) and len(open_to) == len(known))


def typed_in(form: Mapping[str, str]) -> dict[str, str]:
    return {name: form.get(name, "").strip()[:_LONGEST] for name in FIELDS}


def nothing_typed(me: Principal) -> dict[str, str]:
    return dict.fromkeys(FIELDS, "") | {"zone": me.time_zone or "UTC"}


def scope_of(me: Principal, typed: Mapping[str, str]) -> Scope:
    """Invalid for `workspace` when none is chosen; NotFound for one that is hidden."""
    wanted = typed["workspace"]
    if not wanted:
        raise Invalid({"workspace": ["Choose a workspace."]})
    number = None if wanted == EVERYTHING else selectors.workspace_in_reach(me, wanted).id
    return Scope(number, typed["name_pattern"], typed["owner"], typed["tag"])


def schedule_of(typed: Mapping[str, str]) -> Schedule:
    """The schedule, checked. Invalid by field."""
    rule = typed["rule"] if typed["repeat"] == OWN_RULE else typed["repeat"]
    if typed["repeat"] not in REPEATS:
        raise Invalid({"repeat": ["Choose one of these."]})
    if typed["repeat"] == OWN_RULE and not rule:
        raise Invalid({"rule": ["Give the rule, or choose how it repeats."]})
    return checked(Schedule(typed["zone"], _moment(typed, "starts"), _moment(typed, "ends"), rule))


def _moment(typed: Mapping[str, str], field: str) -> datetime:
    try:
        return datetime.strptime(typed[field][:16], "%Y-%m-%dT%H:%M")  # noqa: DTZ007 - what a clock shows
    except ValueError as error:
        raise Invalid({field: ["Give a day and a time, such as 2026-12-24T16:00."]}) from error


@dataclass(frozen=True, slots=True)
class Times:
    """One stretch: on the freeze's own clock, on the reader's, and in UTC."""

    span: Span
    clock: str
    home: str
    utc: str


def times(span: Span, zone: str) -> Times:
    shown = (ZoneInfo(zone), display.current().home, display.UTC_ZONE)
    return Times(span, *(_words(span, each) for each in shown))


def rule_words(rule: str) -> str:
    """ "every week"; a rule that has no name is shown as it is."""
    return REPEATS[rule].lower() if rule in REPEATS else rule


def _words(span: Span, zone: ZoneInfo) -> str:
    """`2026-12-24 16:00 CET to 2026-12-27 08:00 CET`; the day is not repeated."""
    start, end = span.start.astimezone(zone), span.end.astimezone(zone)
    last = f"{end:%H:%M %Z}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M %Z}"
    return f"{start:%Y-%m-%d %H:%M %Z} to {last}"


def now() -> datetime:
    """The page's own moment."""
    return display.current().moment().astimezone(UTC)
