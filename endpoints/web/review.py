"""The review page: everything that a decision needs on one screen, and the decisions themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Principal
from endpoints.access.rows import WorkspaceRow
from endpoints.changes.lifecycle import EDITABLE, Kind, State
from endpoints.changes.selectors import ChangeDetail, change_detail
from endpoints.changes.services.approve import approve_change
from endpoints.changes.services.reject import reject_change
from endpoints.changes.services.start import start_change
from endpoints.changes.services.withdraw import withdraw_change
from endpoints.core.errors import Conflict, Invalid
from endpoints.web import change_view as view
from endpoints.web.fresh import chip_of_split
from endpoints.web.pages import PageRequest, on_object, page, render, to
from endpoints.web.rollback import by_hand, form_context
from endpoints.web.states import OUTCOMES

SAID = {"reason": "Reason", "approval": "On approving", "rejection": "On rejecting", "comment": "Comment"}


@page(on_object(Action.VIEW))
def change(request: PageRequest, *, number: int) -> HttpResponseBase:
    """The page of one change."""
    return review(request, number)


def review(
    request: PageRequest, number: int, *, problem: str = "", typed: str = "", status: int = 200
) -> HttpResponseBase:
    """The page, with what went wrong when it answers a decision."""
    detail = change_detail(request.principal, number)
    workspace = access.workspace(detail.row.workspace_id)
    names = view.people(detail)
    context = page_context(request, detail, workspace, names) | {
        "problem": problem,
        "typed": typed,
        "comment_missing": status == 422,
        "rows": view.compare(detail),
        "show_unchanged": request.GET.get("unchanged") == "1",
        "steps": [{"split": s.split, "mirror": s.mirror, "note": "in one step"} for s in detail.steps],
        "reasons": _reasons(detail, names),
        "verdicts": detail.checks,
        "outcomes": OUTCOMES,
        "checks_moment": "as of now" if detail.row.started_at is None else "when it was last decided on",
        "approvals": view.approvals(detail, names),
        "base_moved": detail.drifted,
        "actions": _actions(detail, request.principal),
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
        "author": names.get(row.author_id, "unknown"),
        "sign": view.sign(detail, mine_to_review=bool(detail.may[Action.APPROVE])),
        "live": detail.live,
        "order": view.order(detail),
        "events": view.events(detail),
        "endpoint_href": reverse("web:endpoint", kwargs=place),
        "rollback_href": reverse("web:rollback", kwargs=place),
        "rollback": None if gone else form_context(request.principal, row.endpoint_id, workspace),
        "commands": by_hand(workspace, row.endpoint, row.after, [one.name for one in detail.weights]),
        "fresh": chip_of_split(workspace.id, detail.live),
    }


def _reasons(detail: ChangeDetail, names: Mapping[int | None, str]) -> list[dict[str, str]]:
    return [
        {"label": SAID.get(one.kind, one.kind), "text": one.text, "who": names.get(one.author_id, "")}
        for one in detail.said
    ]


def _actions(detail: ChangeDetail, me: Principal) -> dict[str, Any]:
    """What this person may do now; where they may not decide, the policy's reason instead of a button."""
    state, may = detail.row.state, detail.may
    awaited = {State.IN_REVIEW: Action.APPROVE, State.APPROVED: Action.START}.get(state)
    refusal = may[awaited].reason if awaited and not may[awaited] else ""
    if refusal and awaited is Action.APPROVE and me.user_id in detail.editors:
        # Before any missing role: getting one would not help an author.
        refusal = "You wrote this change, so somebody else has to approve it."
    editable = state in EDITABLE and detail.row.kind is Kind.TRAFFIC
    return {
        "decide": state is State.IN_REVIEW and bool(may[Action.APPROVE]),
        "start": state is State.APPROVED and bool(may[Action.START]),
        "edit": editable and bool(may[Action.CREATE_TRAFFIC]),
        "withdraw": editable
        and bool(may[Action.ROLL_BACK] if state is State.DRIFTED else may[Action.CREATE_TRAFFIC]),
        "refusal": refusal,
    }


@page(on_object(Action.APPROVE), "POST")
def decide(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Approve or reject what the reviewer saw. What moved on meanwhile is shown; the decision is then not stored."""
    comment, seen = request.POST.get("comment", ""), request.POST.get("seen", "")
    approving = request.POST.get("decision") == "approve"
    me = request.principal
    try:
        if approving:
            approve_change(principal=me, change_id=number, seen_hash=seen, comment=comment[:2000])
        elif request.POST.get("decision") == "reject":
            reject_change(principal=me, change_id=number, seen_hash=seen, comment=comment)
        else:
            raise Invalid("Choose approve or reject.")
    except Conflict as error:
        return review(request, number, problem=error.message, typed=comment, status=409)
    except Invalid as error:
        return review(request, number, problem=error.message, typed=comment, status=422)
    messages.success(request, "Approved. It can be started now." if approving else "Rejected.")
    return to("change", number=number)


@page(on_object(Action.START), "POST")
def start(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Hand an approved change to the executor."""
    try:
        start_change(principal=request.principal, change_id=number, seen_hash=request.POST.get("seen", ""))
    except Conflict as error:
        return review(request, number, problem=error.message, status=409)
    return to("live", number=number)


@page(on_object(Action.CREATE_TRAFFIC), "POST")
def withdraw(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Withdraw a change, or close one that drifted."""
    try:
        withdraw_change(principal=request.principal, change_id=number)
    except Conflict as error:
        return review(request, number, problem=error.message, status=409)
    messages.success(request, "Closed. Traffic stays as Azure has it.")
    return to("change", number=number)
