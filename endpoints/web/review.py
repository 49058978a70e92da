"""The review page: everything that a decision needs on one screen. The decisions themselves are in `decisions`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Principal
from endpoints.access.rows import WorkspaceRow
from endpoints.changes.draft import Draft, DraftStep
from endpoints.changes.lifecycle import BREAK_GLASS, EDITABLE, Kind, State
from endpoints.changes.selectors import ChangeDetail, Tab, change_detail, change_rows
from endpoints.changes.selectors.readiness import kept_lights
from endpoints.changes.selectors.revisions import content_seen
from endpoints.core.ids import parse_workspace_id, ref
from endpoints.holds.selectors import Window, next_window
from endpoints.web import capacity_words as words
from endpoints.web import change_view as view
from endpoints.web import display
from endpoints.web.asof import asked
from endpoints.web.capacity_byhand import BY_HAND, capacity_commands
from endpoints.web.capacity_view import capacity_view
from endpoints.web.change_then import change_as_of
from endpoints.web.changes import lines, marks_of
from endpoints.web.compared import Compared
from endpoints.web.finding_panel import evidence_of
from endpoints.web.fresh import chip_of_split
from endpoints.web.gate_form import words as gate_words
from endpoints.web.pages import PageRequest, on_object, page, render
from endpoints.web.rollback import by_hand, form_context
from endpoints.web.simulation import Simulation, simulated
from endpoints.web.states import OUTCOMES

SAID = {"reason": "Reason", "approval": "On approving", "rejection": "On rejecting", "comment": "Comment",
        "emergency": "On breaking the glass"}  # fmt: skip
WROTE_IT = "You wrote this change, so somebody else has to approve it."
_STARTABLE = frozenset({State.APPROVED, State.SCHEDULED})


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form held that was not stored, and what is wrong with it; `form` says which one."""

    form: str = ""
    problem: str = ""
    text: str = ""
    accepted: Collection[str] = ()
    at: str = ""
    seen: str = ""


@page(on_object(Action.VIEW))
def change(request: PageRequest, *, number: int) -> HttpResponseBase:
    """The page of one change."""
    if when := asked(request):
        return change_as_of(request, when, number)
    return review(request, number)


def review(
    request: PageRequest, number: int, *, typed: Typed | None = None, status: int = 200
) -> HttpResponseBase:
    """The page, with what went wrong when it answers a decision."""
    detail = change_detail(request.principal, number)
    workspace = access.workspace(detail.row.workspace_id)
    names, told = view.people(detail), typed or Typed()
    forecast = _forecast(detail)
    capacity = capacity_view(detail, workspace) if _is_capacity(detail) else None
    context = page_context(request, detail, workspace, names) | {
        "typed": told,
        "missing": status == 422,
        "edited": _edited(request.principal, detail, told.seen) if status == 409 else None,
        "capacity": capacity,
        "evidence": evidence_of(request.principal, detail.row),
        "rows": capacity.rows if capacity else view.compare(detail),
        "show_unchanged": request.GET.get("unchanged") == "1",
        "steps": view.plan_lines(detail.steps, detail.rollout.terms, forecast.lines if forecast else ()),
        "gates": [gate_words(gate) for gate in detail.rollout.terms.gates],
        "terms": view.terms_words(detail.rollout.terms),
        "simulation": forecast,
        "reasons": [one for one in _said(detail, names) if one["kind"] != "comment"],
        "comments": [one for one in _said(detail, names) if one["kind"] == "comment"],
        "verdicts": detail.checks,
        "outcomes": OUTCOMES,
        "checks_moment": "as of now" if detail.row.started_at is None else "when it was last decided on",
        "approvals": view.approvals(detail, names),
        "base_moved": detail.drifted,
        "actions": _actions(detail, request.principal),
        "after_review": _after_review(detail, request.principal, names),
        "window": _window(detail),
        "others": lines(_others(request.principal, detail)),
        "readiness": kept_lights([detail.row.endpoint_id]).get(detail.row.endpoint_id),
        "scheduled_by": names.get(detail.rollout.scheduled_by, "unknown"),
        "zone": str(display.current().zone),
    }
    return render(request, "changes/review.html", context, section="changes", status=status)


def page_context(
    request: PageRequest, detail: ChangeDetail, workspace: WorkspaceRow, names: Mapping[int | None, str]
) -> dict[str, Any]:
    """What the review page and the live page have in common."""
    row = detail.row
    place = {"ws": workspace.slug, "name": row.endpoint}
    gone = detail.live is None
    return {
        "change": row,
        "detail": detail,
        "workspace": workspace,
        "heading": view.heading(detail),
        "marks": marks_of(row),
        "author": names.get(row.author_id, "unknown") if row.author_id else "the portal itself",
        "sign": view.sign(detail, mine_to_review=_mine(detail, request.principal)),
        "live": detail.live,
        "order": view.order(detail),
        "events": view.events(detail),
        "endpoint_href": reverse("web:endpoint", kwargs=place),
        "rollback_href": reverse("web:rollback", kwargs=place),
        "rollback": None if gone else form_context(request.principal, row.endpoint_id, workspace),
        "commands": _commands(detail, workspace),
        "by_hand_about": BY_HAND if _is_capacity(detail) else "",
        "is_capacity": _is_capacity(detail),
        "ends_gone": any(step.verb == "delete_endpoint" for step in detail.steps),
        "fresh": chip_of_split(workspace.id, detail.live),
    }


def _is_capacity(detail: ChangeDetail) -> bool:
    return words.is_capacity(detail.row.kind, detail.row.before, detail.steps)


def _commands(detail: ChangeDetail, workspace: WorkspaceRow) -> list[tuple[str, str]]:
    """How to do the same without the portal."""
    names = [one.name for one in detail.weights]
    if _is_capacity(detail):
        where = parse_workspace_id(workspace.arm_id)
        return capacity_commands(where, detail.row.endpoint, detail.steps, names)
    return by_hand(workspace, detail.row.endpoint, detail.row.after, names)


def _mine(detail: ChangeDetail, me: Principal) -> bool:
    return bool(detail.may[Action.APPROVE]) and not _decided(detail, me)


def _decided(detail: ChangeDetail, me: Principal) -> bool:
    return any(one.current and me.is_any_of([one.reviewer_id]) for one in detail.decided)


def _said(detail: ChangeDetail, names: Mapping[int | None, str]) -> list[dict[str, Any]]:
    return [
        {
            "kind": one.kind,
            "label": SAID.get(one.kind, one.kind),
            "text": one.text,
            "who": names.get(one.author_id, ""),
            "at": one.at,
        }
        for one in detail.said
    ]


def _forecast(detail: ChangeDetail) -> Simulation | None:
    """What the plan would do from now on, while that can still be decided; not for what a draft can't say."""
    waits = detail.row.state in EDITABLE and detail.live is not None and not detail.drifted
    if not waits or any(step.verb != "put_split" for step in detail.steps):
        return None
    steps = tuple(DraftStep(step.split, step.mirror, step.bake, step.click) for step in detail.steps)
    return simulated(detail.row.endpoint_id, Draft(steps, detail.rollout.terms))


def _edited(me: Principal, detail: ChangeDetail, seen: str) -> list[Compared] | None:
    """What is new since the content that this person had before them; None when it is the current one."""
    if not seen or seen == detail.content_hash:
        return None
    before = content_seen(me, detail.row.id, seen)
    return view.edited(before, detail) if before else None


def _actions(detail: ChangeDetail, me: Principal) -> dict[str, Any]:
    """What this person may do now; where they may not decide, the policy's reason instead of a button."""
    state, may = detail.row.state, detail.may
    short = detail.quorum is not None and not detail.quorum.met
    awaits_approval = state is State.IN_REVIEW or (state in _STARTABLE and short)
    editable = state in EDITABLE and detail.row.kind is Kind.TRAFFIC
    decided = _decided(detail, me)
    return {
        "decide": awaits_approval and bool(may[Action.APPROVE]) and not decided,
        "reject": state is State.IN_REVIEW,
        "start": state is State.APPROVED and not short and bool(may[Action.START]),
        "unschedule": state is State.SCHEDULED and bool(may[Action.START]),
        "accept": _to_accept(detail, awaits_approval),
        "edit": editable and bool(may[Action.CREATE_TRAFFIC]),
        "withdraw": state in EDITABLE
        and detail.row.kind is not Kind.ROLLBACK
        and bool(may[Action.ROLL_BACK if state is State.DRIFTED else _creates(detail)]),
        "comment": may[Action.COMMENT],
        "override": may[Action.FREEZE_OVERRIDE],
        "break_glass": _breakable(detail) and bool(may[Action.BREAK_GLASS]),
        "refusal": _refusal(detail, me, decided),
    }


def _creates(detail: ChangeDetail) -> Action:
    """The right to ask for such a change, which is the right to take it back."""
    return Action.CREATE_CAPACITY if detail.row.kind is Kind.CAPACITY else Action.CREATE_TRAFFIC


def _refusal(detail: ChangeDetail, me: Principal, decided: bool) -> str:
    state, may = detail.row.state, detail.may
    awaited = {State.IN_REVIEW: Action.APPROVE, State.APPROVED: Action.START}.get(state)
    if awaited is Action.APPROVE and me.user_id in detail.editors:
        # Before any missing role: getting one would not help an author.
        return WROTE_IT
    if awaited is Action.APPROVE and decided and may[awaited]:
        return "You have decided on this version. It waits for others now."
    return may[awaited].reason if awaited and not may[awaited] else ""


def _to_accept(detail: ChangeDetail, approving: bool) -> frozenset[str]:
    """Names of the warnings that must be accepted one by one: at the start, those that no approval accepted."""
    known = frozenset[str]()
    if not approving and detail.quorum is not None:
        known = detail.quorum.accepted
    return frozenset(one.name for one in detail.checks if one.needs_acceptance and one.name not in known)


def _breakable(detail: ChangeDetail) -> bool:
    can = detail.row.kind is Kind.TRAFFIC and detail.row.state in BREAK_GLASS | _STARTABLE
    return can and not detail.row.emergency


def _after_review(
    detail: ChangeDetail, me: Principal, names: Mapping[int | None, str]
) -> dict[str, Any] | None:
    """The review that an emergency still needs, or had."""
    found = detail.after_review
    if found is None:
        return None
    broke = [one.author_id for one in detail.said if one.kind == "emergency"]
    refusal = detail.may[Action.APPROVE].reason
    if me.is_any_of(broke):
        refusal = "You started this change, so somebody else has to review it."
    return {"view": found, "who": names.get(found.reviewer_id, ""), "refusal": refusal}


def _window(detail: ChangeDetail) -> Window | None:
    """Freezes in force or coming, while it was not started."""
    if detail.live is None or detail.row.state not in EDITABLE:
        return None
    at = display.current().moment()
    return next_window(detail.row.endpoint_id, at, subject=ref("change", detail.row.id))


def _others(me: Principal, detail: ChangeDetail) -> list[Any]:
    """Other changes of the endpoint that are not over."""
    if detail.row.ended_at is not None:
        return []
    rows = change_rows(me, tab=Tab.OPEN, endpoint_id=detail.row.endpoint_id, limit=6).rows
    return [row for row in rows if row.id != detail.row.id][:5]
