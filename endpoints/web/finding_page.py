"""One finding: what it stands on, what happened to it, and what can be done. Doing it is in `finding_acts`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, decide, visible_workspaces
from endpoints.capacity.life import ENDED, Kind, State, possible
from endpoints.capacity.savings import State as Measured
from endpoints.capacity.selectors.day_rows import DayRow, day_rows
from endpoints.capacity.selectors.findings import FindingDetail, FindingRow, Happened, finding
from endpoints.capacity.selectors.savings import saving_of
from endpoints.changes.lifecycle import Kind as ChangeKind
from endpoints.changes.lifecycle import State as ChangeState
from endpoints.core.ids import ref
from endpoints.web import capacity_terms as terms
from endpoints.web import states
from endpoints.web.capacity_days import day_line
from endpoints.web.capacity_money import instance_hours, of
from endpoints.web.capacity_savings import sign_of as saving_sign
from endpoints.web.capacity_scope import today
from endpoints.web.capacity_table import line
from endpoints.web.names import of_refs
from endpoints.web.pages import PageRequest, on_object, page, render

DAYS = 14
POSTPONE = (7, 30, 90)
_EVENTS = {
    Kind.FOUND: ("info", "Found"),
    Kind.CLAIMED: ("running", "Claimed"),
    Kind.RELEASED: ("back", "Given back"),
    Kind.FILED: ("waiting", "Filed"),
    Kind.POSTPONED: ("held", "Put off"),
    Kind.DISMISSED: ("off", "Turned down"),
    Kind.COMMENTED: ("info", "Comment"),
    Kind.DUE: ("waiting", "Due again: the day to which it was put off came"),
    Kind.FACTS_CHANGED: ("drift", "Open again: the facts are others"),
    Kind.GONE: ("off", "Gone: there is nothing to save any more"),
    Kind.ACTED: ("done", "Done: its change succeeded"),
    Kind.CAME_TO_NOTHING: ("back", "Open again: its change came to nothing"),
    Kind.UNDONE: ("back", "Open again: what was done was rolled back"),
    Kind.VERIFIED: ("done", "Verified: the ledger shows the saving"),
    Kind.NOT_SAVED: ("warn", "Open again: nothing was saved"),
    Kind.REBOUNDED: ("warn", "Open again: what was saved is paid again"),
    Kind.DONE: ("quiet", "Over: the saving held"),
}


_BY_PEOPLE = frozenset({Kind.CLAIMED, Kind.RELEASED, Kind.FILED, Kind.POSTPONED, Kind.DISMISSED})
"""What a person can do about a finding beside talking of it."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form held that was not stored, and why. `form`: which of the forms it was."""

    form: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)

    def of(self, form: str, name: str) -> str:
        """What was typed into a field, when it was that form."""
        return self.values.get(name, "") if self.form == form else ""

    def told(self) -> dict[str, list[str]]:
        """The same by the ids of fields, for the summary that leads to them."""
        plain = self.form in ("file", "comment", "")
        return {
            name if plain or not name else f"{self.form}-{name}": texts for name, texts in self.errors.items()
        }

    def wrong(self, form: str) -> dict[str, list[str]]:
        """What is wrong with that form's fields."""
        return self.errors if self.form == form else {}


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the history."""

    icon: str
    title: str
    text: str
    words: str
    who: str
    at: datetime
    href: str
    link: str


@page(on_object(Action.CAPACITY_VIEW))
def finding_view(request: PageRequest, *, number: int) -> HttpResponseBase:
    """The page of SV-`number`."""
    return shown(request, number)


def shown(
    request: PageRequest, number: int, *, typed: Typed | None = None, status: int = 200
) -> HttpResponseBase:
    """The page, with what was typed and why it was not stored."""
    me = request.principal
    detail = finding(visible_workspaces(me, Action.CAPACITY_VIEW), number)
    row = detail.row
    may = decide(me, Action.FINDING_WORK, workspace_id=row.workspace_id, workspace=row.workspace)
    names = of_refs(_refs(detail))
    people = access.users_by_ids({row.claimed_by})
    can = possible(State(row.state)) if row.state in {*State} else frozenset()
    begin = today()
    context: dict[str, Any] = {
        "row": row,
        "line": line(row, may, people),
        "detail": detail,
        "title": title_of(row),
        "sign": terms.sign_of(row.state),
        "kind_words": terms.kind_words(row.kind),
        "cause_words": terms.cause_words(row.cause) if row.cause else "",
        "cause_ref": _about(row.cause_ref, names),
        "low": of(row.low) if row.low and row.low != row.high else "",
        "high": of(row.high),
        "others": [(terms.kind_words(kind), of(high)) for kind, high in row.told.others],
        "events": [_event(one, names) for one in reversed(detail.happened)],
        "change": _change(row),
        "days": [day_line(one) for one in _days(row)],
        "days_href": _days_href(row),
        "may": may,
        "can": {kind.name.lower() for kind in can} if may.allowed else set(),
        "only_talk": not can & _BY_PEOPLE,
        "is_over": row.state in ENDED,
        "mine": row.claimed_by is not None and me.is_any_of([row.claimed_by]),
        "typed": typed or Typed(),
        "errors": typed.errors if typed else {},
        "told_errors": typed.told() if typed else {},
        "saving": _saving(row),
        "key": (typed.values.get("key") if typed else "") or secrets.token_urlsafe(12),
        "postpone": [(days, begin + timedelta(days=days)) for days in POSTPONE],
        "tomorrow": begin + timedelta(days=1),
        "in_a_month": begin + timedelta(days=30),
    }
    return render(request, "capacity/finding.html", context, section="capacity", status=status)


def title_of(row: FindingRow) -> str:
    """`SV-7: Delete green of rank-home`."""
    where = f" of {row.endpoint}" if row.deployment else ""
    return f"{row.number}: {terms.verb(row)}{where}"


def _refs(detail: FindingDetail) -> set[str]:
    found = {one.actor for one in detail.happened}
    found |= {ref("user", one.author_id) for one in detail.happened if one.author_id is not None}
    found |= {str(one.data["change"]) for one in detail.happened if one.data.get("change")}
    return (found | {detail.row.cause_ref}) - {""}


def _about(about: str, names: dict[str, str]) -> dict[str, str] | None:
    """What the cause stands on, and where it is shown."""
    kind, _, rest = about.partition(":")
    if not about:
        return None
    if kind == "change" and rest.isdecimal():
        return {"text": names.get(about, about), "href": reverse("web:change", kwargs={"number": int(rest)})}
    return {"text": f"tag {rest}" if kind == "tag" else about, "href": ""}


def _change(row: FindingRow) -> dict[str, Any] | None:
    if row.change_id is None:
        return None
    known = row.change_state in {*ChangeState}
    sign = (
        states.sign_of(ChangeState(row.change_state), kind=ChangeKind.CAPACITY)
        if known
        else states.Sign("unknown", row.change_state)
    )
    return {
        "number": f"CR-{row.change_id}",
        "href": reverse("web:change", kwargs={"number": row.change_id}),
        "sign": sign,
    }  # fmt: skip


def _saving(row: FindingRow) -> dict[str, Any] | None:
    """What the last act on it saved; None: nothing was done yet."""
    found = saving_of(row.id)
    if found is None:
        return None
    return {
        "sign": saving_sign(found.state),
        "monthly": of(found.monthly),
        "so_far": found.state == Measured.MEASURING,
        "claimed": of(found.claimed),
        "words": found.words,
        "acted_at": found.acted_at,
        "after": instance_hours(found.after_seconds),
        "before": instance_hours(found.before_seconds),
        "hours": found.hours,
        "unknown": found.unknown_hours,
    }


def _event(one: Happened, names: dict[str, str]) -> Event:
    icon, title = _EVENTS[Kind(one.kind)] if one.kind in {*Kind} else ("info", one.kind)
    change = str(one.data.get("change") or "")
    number = change.partition(":")[2]
    return Event(
        icon=icon,
        title=title,
        text=_detail(one),
        words=one.words,
        who=names.get(one.actor, one.actor),
        at=one.at,
        href=reverse("web:change", kwargs={"number": int(number)}) if number.isdecimal() else "",
        link=names.get(change, change),
    )


def _detail(one: Happened) -> str:
    """The facts of a move in words."""
    said = []
    if due := one.data.get("due"):
        said.append(f"due {due}")
    if one.data.get("as") == "work":
        said.append("as work that no change can do")
    if until := one.data.get("until"):
        said.append(f"until {until}")
    if monthly := one.data.get("monthly"):
        said.append(f"{monthly} a month")
    return ", ".join(said)


def _days(row: FindingRow) -> tuple[DayRow, ...]:
    """The newest rows of the ledger that it stands on."""
    until = today() + timedelta(days=1)
    return day_rows(
        [row.workspace_id],
        until - timedelta(days=45),
        until,
        deployment_id=row.deployment_id,
        endpoint_id=row.endpoint_id,
        limit=DAYS,
    ).rows


def _days_href(row: FindingRow) -> str:
    asked = {"ws": row.workspace, "endpoint": row.endpoint}
    if row.deployment_id is not None:
        asked["deployment"] = str(row.deployment_id)
    asked |= {"since": f"{row.told.since}", "until": f"{row.told.until + timedelta(days=1)}"}
    return f"{reverse('web:capacity_days')}?{urlencode(asked)}"
