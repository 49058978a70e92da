"""Challenge cases: the queue, raising one, and the page of one. What is done on it is in `challenge_acts`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Principal, decide, may_anywhere
from endpoints.access.roles import Role
from endpoints.challenges import services
from endpoints.challenges.lifecycle import Outcome, State
from endpoints.challenges.selectors.case_rows import CaseRow, case_workspaces
from endpoints.challenges.selectors.cases import (
    CaseDetail,
    case_page,
    case_row,
    cases_of_record,
    evidence_numbers,
)
from endpoints.challenges.selectors.erasures import erasures as erasure_rows
from endpoints.challenges.selectors.evidence import evidence_bytes
from endpoints.challenges.selectors.lookup import Lookup, lookup
from endpoints.challenges.selectors.queue import QueueFilters, Tab, due_count, queue, waiting_count
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import endpoint_id_by_name
from endpoints.web import challenge_view as view
from endpoints.web import display, exports
from endpoints.web.decisions import moment_of
from endpoints.web.names import of_refs
from endpoints.web.pages import SIGNED_IN, PageRequest, on_object, page, render, to
from endpoints.web.settings_of import number_typed
from endpoints.web.states import Sign

TABS = {Tab.MINE: "Mine", Tab.OPEN: "Open", Tab.DUE: "Due", Tab.CLOSED: "Closed"}
EMPTY = {
    Tab.MINE: (
        "Nothing waits for you",
        "Cases that are assigned to you, or that you may confirm, appear here.",
    ),
    Tab.OPEN: ("No case is open", "A case is raised from a request's record, or here."),
    Tab.DUE: ("No case presses", "Cases that have used four fifths of their time appear here."),
    Tab.CLOSED: ("No case was closed yet", "Decided cases appear here with their verdict."),
}
COLUMNS = (
    "number", "state", "outcome", "endpoint", "workspace", "model", "asked_id", "reference", "assigned_to",
    "raised_by", "raised_at", "closed_at", "legal_hold",
)  # fmt: skip
FIELDS = ("cid", "question", "reference", "claimant", "ws", "endpoint", "asked_at", "record", "key")


@dataclass(frozen=True, slots=True)
class Line:
    """One case in the queue."""

    row: CaseRow
    sign: Sign
    clock: Sign | None
    assigned: str
    href: str


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form of the case's page held that was not stored, and why; `seen` is the version that it was about."""

    form: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    seen: int = 0

    def of(self, form: str, name: str) -> str:
        """What was typed into a field, when it was that form."""
        return self.values.get(name, "") if self.form == form else ""


@page(SIGNED_IN)
def challenge_list(request: PageRequest) -> HttpResponseBase:
    """One tab of the queue, narrowed by filters, as a page or as a file."""
    me, query = request.principal, request.GET
    tab = Tab(query["state"]) if query.get("state") in TABS else _first_tab(me)
    given = {name: query.get(name, "").strip()[:200] for name in ("ws", "model", "reference")}
    filters = _filters(me, given)
    if query.get("format") in ("csv", "json"):
        return _export(me, tab, filters, query["format"])
    found = queue(me, tab=tab, filters=filters, after=number_typed(query.get("before", "")) or None)
    here = reverse("web:challenges")
    kept = {name: value for name, value in given.items() if value}
    context = {
        "lines": _lines(found.rows, db_now(), me),
        "tab_items": [_tab(one, tab, me, kept) for one in TABS],
        "tab": tab.value,
        "given": given,
        "filtered": bool(kept),
        "workspaces": access.workspaces(me),
        "empty": dict(zip(("title", "text"), EMPTY[tab], strict=True)),
        "may_raise": may_anywhere(me, Action.CASE_WORK),
        "may_erase": may_anywhere(me, Action.ERASE),
        "exports": {
            kind: f"{here}?{urlencode({'state': tab.value, **kept, 'format': kind})}"
            for kind in ("csv", "json")
        },
        "pages": {
            "first": f"{here}?{urlencode({'state': tab.value, **kept})}" if query.get("before") else "",
            "next": f"{here}?{urlencode({'state': tab.value, **kept, 'before': found.next})}"
            if found.next
            else "",
        },
    }
    return render(request, "challenges/list.html", context, section="challenges")


def _first_tab(me: Principal) -> Tab:
    return Tab.MINE if waiting_count(me) else Tab.OPEN


def _tab(tab: Tab, current: Tab, me: Principal, kept: dict[str, str]) -> dict[str, Any]:
    counts = {Tab.MINE: waiting_count, Tab.DUE: due_count}
    return {
        "label": TABS[tab],
        "href": f"{reverse('web:challenges')}?{urlencode({'state': tab.value, **kept})}",
        "current": tab is current,
        "count": counts[tab](me) if tab in counts else None,
        "due": True,
    }


def _filters(me: Principal, given: dict[str, str]) -> QueueFilters:
    return QueueFilters(
        workspace_id=access.workspace_by_slug(me, given["ws"]).id if given["ws"] else None,
        model=given["model"],
        reference=given["reference"],
    )


def _lines(rows: tuple[CaseRow, ...], now: datetime, me: Principal) -> list[Line]:
    people = access.users_by_ids({row.assigned_to for row in rows if row.assigned_to is not None})
    return [_line(row, now, people, me) for row in rows]


def _line(row: CaseRow, now: datetime, people: dict[int | None, str], me: Principal) -> Line:
    clock = view.first_clock(row, now)
    return Line(
        row=row,
        sign=view.sign_of(row, now, mine=_may_confirm(me, row)),
        clock=view.clock_sign(clock) if clock else None,
        assigned=people.get(row.assigned_to, "unknown") if row.assigned_to is not None else "",
        href=reverse("web:challenge", kwargs={"number": row.id}),
    )


def _may_confirm(me: Principal, row: CaseRow) -> bool:
    allowed = decide(me, Action.CASE_DECIDE, workspace_id=row.workspace_id)
    return bool(allowed) and row.state is State.DECIDED and not _decided(me, row)


def _decided(me: Principal, row: CaseRow) -> bool:
    """Whether this human decided it, from whatever account."""
    return me.is_any_of([number_typed(row.decided_by.partition(":")[2]) or None])


def _export(me: Principal, tab: Tab, filters: QueueFilters, form: str) -> HttpResponseBase:
    found = queue(me, tab=tab, filters=filters, limit=exports.LIMIT)
    refs = {row.raised_by for row in found.rows} | {f"user:{row.assigned_to}" for row in found.rows}
    names = access.display_names(refs)
    rows = [
        {column: getattr(row, column, None) for column in COLUMNS}
        | {
            "raised_by": names.get(row.raised_by, row.raised_by),
            "assigned_to": names.get(f"user:{row.assigned_to}", "") if row.assigned_to is not None else "",
        }
        for row in found.rows
    ]
    name = f"challenges-{tab}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    if form == "csv":
        return exports.as_csv(name, COLUMNS, rows)
    about = {"made_at": datetime.now(UTC), "tab": tab, "complete": found.next is None}
    return exports.as_json(name, COLUMNS, rows, about=about)


@page(SIGNED_IN, "GET", "POST")
def new(request: PageRequest) -> HttpResponseBase:
    """Look an id up and raise a case about what is found; also where nothing is."""
    me = request.principal
    given = request.POST if request.method == "POST" else request.GET
    typed = {name: given.get(name, "").strip()[:2001] for name in FIELDS}
    if request.method == "GET":
        return _new_page(request, typed)
    try:
        number = _raise(me, typed)
    except Invalid as error:
        return _new_page(request, typed, errors=_by_form_field(error.fields), status=422)
    except Conflict as error:
        return _new_page(request, typed, errors={"": [error.message]}, status=409)
    messages.success(request, f"CH-{number} is raised. What is on record was collected as evidence.")
    return to("challenge", number=number)


def _raise(me: Principal, typed: dict[str, str]) -> int:
    found = _looked_up(me, typed["cid"])
    chosen = next((row for row in found.found if view.record_value(row) == typed["record"]), None)
    if typed["record"] and chosen is None:
        raise Invalid({"record": ["This record is not among those found. Nothing was stored."]})
    workspace_id, endpoint_id = _place(me, typed, found)
    if chosen is not None:
        workspace_id, endpoint_id = chosen.workspace_id, chosen.endpoint_id
    return services.raise_case(
        principal=me,
        workspace_id=workspace_id,
        challenge=services.Challenge(
            question=typed["question"],
            asked_id=typed["cid"],
            endpoint_id=endpoint_id,
            asked_at=_asked_at(typed["asked_at"]),
            record=(chosen.endpoint_id, chosen.day, chosen.key) if chosen else None,
            reference=typed["reference"],
            claimant=typed["claimant"],
        ),
        idempotency_key=typed["key"][:64],
    )


def _place(me: Principal, typed: dict[str, str], found: Lookup) -> tuple[int, int | None]:
    """Workspace and endpoint: those that were named, or the workspace that all found records share."""
    if typed["ws"]:
        workspace_id = access.workspace_by_slug(me, typed["ws"]).id
        if not typed["endpoint"]:
            return workspace_id, None
        try:
            return workspace_id, endpoint_id_by_name(workspace_id, typed["endpoint"])
        except NotFound as error:
            raise Invalid({"endpoint": [f"{error.message} Nothing was stored."]}) from error
    shared = {row.workspace_id for row in found.found}
    if len(shared) != 1:
        raise Invalid({"ws": ["Choose the workspace. Nothing was stored."]})
    return shared.pop(), None


def _asked_at(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return moment_of(text)
    except Invalid:
        raise Invalid({"asked_at": ["Give a day and a time that exist. Nothing was stored."]}) from None


def _by_form_field(fields: dict[str, list[str]]) -> dict[str, list[str]]:
    """The service's names as the form's."""
    return {{"asked_id": "cid"}.get(name, name): texts for name, texts in fields.items()}


def _looked_up(me: Principal, cid: str) -> Lookup:
    return lookup(cid, workspace_ids=case_workspaces(me)) if cid else Lookup("", "", ())


def _new_page(
    request: PageRequest,
    typed: dict[str, str],
    *,
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    me = request.principal
    found = _looked_up(me, typed["cid"])
    one = found.found[0] if len(found.found) == 1 else None
    context: dict[str, Any] = {
        "typed": typed | {"key": typed["key"] or secrets.token_hex(16)},
        "errors": errors or {},
        "records": [(view.record_value(row), row) for row in found.found],
        "one": one,
        "chosen": typed["record"] or (view.record_value(one) if one else ""),
        "is_cut": found.is_cut,
        "before": cases_of_record(me, one.endpoint_id, one.key) if one else (),
        "workspaces": [
            row for row in access.workspaces(me) if decide(me, Action.CASE_WORK, workspace_id=row.id)
        ],
        "zone": str(display.current().zone),
        "may_raise": may_anywhere(me, Action.CASE_WORK),
    }
    return render(request, "challenges/new.html", context, section="challenges", status=status)


@page(on_object(Action.PREDICTIONS_VIEW))
def challenge(request: PageRequest, *, number: int) -> HttpResponseBase:
    """The page of one case."""
    return case(request, number)


def case(
    request: PageRequest, number: int, *, typed: Typed | None = None, status: int = 200
) -> HttpResponseBase:
    """The page, with what went wrong when it answers a form."""
    me = request.principal
    detail = case_page(me, known_number(number))
    row, told = detail.row, typed or Typed()
    names = of_refs(view.refs_of(detail))
    workers = access.holders(row.workspace_id, Role.SUPERVISOR)
    passport = detail.evidence.passport if detail.evidence else None
    services.note_read(
        principal=me, subject=ref("case", row.id), workspace_id=row.workspace_id, endpoint_id=row.endpoint_id
    )
    context: dict[str, Any] = {
        "row": row,
        "detail": detail,
        "typed": told,
        "names": names,
        "news": view.since(detail, told.seen, names) if status == 409 and told.seen else [],
        "sign": view.sign_of(row, detail.at, mine=_may_confirm(me, row)),
        "clocks": [(reading, view.clock_sign(reading)) for reading in detail.clocks],
        "question": view.text_of(detail.question),
        "claimant": view.text_of(detail.claimant),
        "passport": passport,
        "parts": view.parts(passport, names) if passport else (),
        "verdict_sign": view.sure_sign(passport.sure) if passport else None,
        "changed": [_change(one, names) for one in detail.changed],
        "records": [(view.record_value(one), one) for one in detail.records.found] if detail.records else [],
        "same_model": view.tally_words(detail.same_model) if detail.same_model else "",
        "linked": [(one, view.sign_of(one.case, detail.at)) for one in detail.links],
        "suggested": [(one, view.sign_of(one, detail.at)) for one in detail.suggested],
        "events": view.events(detail, names),
        "assigned": next((one.display_name for one in workers if one.id == row.assigned_to), ""),
        "workers": workers,
        "outcomes": [(one.value, view.OUTCOMES[one]) for one in Outcome],
        "actions": _actions(detail, me),
        "asked_hold": next((one for one in detail.holds if one.ended_at is None), None),
        "window": _window(detail),
        "evidence_href": _evidence_href(detail),
        "zone": str(display.current().zone),
        "endpoint_href": reverse("web:endpoint", kwargs={"ws": row.workspace, "name": row.endpoint})
        if row.endpoint
        else "",
    }
    return render(request, "challenges/case.html", context, section="challenges", status=status)


def _change(one: Any, names: dict[str, str]) -> dict[str, str]:
    before, after = (view.told(fact, names) for fact in (one.before, one.after))
    return {"label": one.label, "before": before, "after": after}


def _actions(detail: CaseDetail, me: Principal) -> dict[str, Any]:
    """What this person may do now; where they may not decide, the reason in place of the form."""
    row, may = detail.row, detail.may
    decided = _decided(me, row)
    work, verdict = bool(may[Action.CASE_WORK]), bool(may[Action.CASE_DECIDE])
    erasure = detail.erasure
    return {
        "work": work,
        "why_not_work": may[Action.CASE_WORK].reason,
        "collect": work and row.state is State.OPEN and row.endpoint_id is not None,
        "choose": work and row.state is State.OPEN,
        "decide": verdict and row.state is State.OPEN,
        "confirm": verdict and row.state is State.DECIDED and not decided,
        "reopen": work and row.state is State.CLOSED,
        "refusal": _refusal(row, decided, may[Action.CASE_DECIDE].reason),
        "hold": bool(may[Action.LEGAL_HOLD]),
        "erase": bool(may[Action.ERASE]) and row.state is State.CLOSED and not row.legal_hold,
        "own_erasure": erasure is not None and _is_me(me, erasure.asked_by),
        "pack": may[Action.PACK_EXPORT],
    }


def _refusal(row: CaseRow, decided: bool, reason: str) -> str:
    if row.state is State.DECIDED and decided:
        return "You decided this case, so somebody else has to confirm it."
    return reason if row.state is not State.CLOSED else ""


def _is_me(me: Principal, who: str) -> bool:
    return me.is_any_of([number_typed(who.partition(":")[2]) or None])


def _window(detail: CaseDetail) -> dict[str, str]:
    """A day around the request, on the clock that the page shows: what a hold is usually asked for."""
    passport = detail.evidence.passport if detail.evidence else None
    at = passport.at if passport else detail.row.asked_at
    if at is None:
        return {"since": "", "until": ""}
    shown = at.astimezone(display.current().zone)
    return {
        "since": f"{shown:%Y-%m-%d}T00:00",
        "until": f"{shown:%Y-%m-%d}T23:59",
    }


def _evidence_href(detail: CaseDetail) -> str:
    if detail.evidence is None:
        return ""
    return reverse(
        "web:challenge_evidence", kwargs={"number": detail.row.id, "evidence": detail.evidence.number}
    )


@page(on_object(Action.PREDICTIONS_VIEW))
def evidence(request: PageRequest, *, number: int, evidence: int) -> HttpResponseBase:
    """One evidence as the bytes that its recorded SHA-256 is of."""
    row = case_row(request.principal, known_number(number))
    body = evidence_bytes(row.id, known_number(evidence))
    services.note_read(
        principal=request.principal,
        subject=ref("case", row.id),
        workspace_id=row.workspace_id,
        endpoint_id=row.endpoint_id,
    )
    answer = HttpResponse(body, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="CH-{row.id}-evidence-{evidence}.json"'
    return answer


@page(SIGNED_IN)
def erasures(request: PageRequest) -> HttpResponseBase:
    """Every erasure that was asked for in what this person may see."""
    before = number_typed(request.GET.get("before", "")) or None
    found = erasure_rows(request.principal, before=before)
    here = reverse("web:erasures")
    names = of_refs({one for row in found.rows for one in (row.asked_by, row.agreed_by)})
    context = {
        "rows": found.rows,
        "names": names,
        "pages": {
            "first": here if before else "",
            "next": f"{here}?before={found.older}" if found.older else "",
        },
    }
    return render(request, "challenges/erasures.html", context, section="challenges")


def numbers_of(case_id: int) -> list[dict[str, Any]]:
    """Every evidence of a case, for lists."""
    return [
        {"number": number, "sha256": digest, "by": by, "at": at}
        for number, digest, by, at in evidence_numbers(case_id)
    ]


def known_number(number: int) -> int:
    """A number that the database can hold; nobody has the others."""
    if not 0 < number < 2**63:
        raise NotFound(f"There is no CH-{number}, or not for you.")
    return number
