"""Approval rules of a workspace: what is in force, what waits, and the forms that propose and decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, decide
from endpoints.access.roles import Role
from endpoints.access.rows import WorkspaceRow
from endpoints.changes.quorum import Rule
from endpoints.changes.selectors import RuleRow, RuleState, approval_rule, approval_rules
from endpoints.changes.services.rules import (
    RuleDraft,
    decide_rule,
    propose_rule,
    propose_rule_end,
    withdraw_rule,
)
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.web.pages import SIGNED_IN, PageRequest, on_object, page, render, to
from endpoints.web.settings_of import number_typed, workspace_of, workspaces_of
from endpoints.web.states import Sign

FIELDS = ("title", "endpoint_pattern", "tag", "tag_value", "risk_weight", "required", "reason")
USUAL = dict.fromkeys(FIELDS, "") | {"risk_weight": "0", "required": "2"}
SIGNS = {
    RuleState.PROPOSED: Sign("waiting", "Proposed"),
    RuleState.IN_FORCE: Sign("quiet", "In force"),
    RuleState.REJECTED: Sign("off", "Rejected"),
    RuleState.ENDED: Sign("off", "Ended"),
    RuleState.DONE: Sign("off", "Ended a rule"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One rule or proposal in words, and what this person may do about it."""

    row: RuleRow
    sign: Sign
    words: str
    proposed_by: str
    decided_by: str
    own: bool

    @property
    def waits(self) -> bool:
        return self.row.state is RuleState.PROPOSED


@page(SIGNED_IN)
def rules_index(request: PageRequest) -> HttpResponseBase:
    """The workspaces that have rules; straight on where there is one alone."""
    found = workspaces_of(request.principal)
    if len(found) == 1:
        return to("rules", ws=found[0].slug)
    context = {"heading": "Approval rules", "page": "rules", "workspaces": found}
    return render(request, "settings/choose_workspace.html", context, section="rules_index")


@page(on_object(Action.RULES_VIEW), "GET", "POST")
def rules(request: PageRequest, *, ws: str) -> HttpResponseBase:
    """The rules of a workspace, and where their forms go."""
    workspace = workspace_of(request.principal, ws)
    if request.method == "GET":
        return _page(request, workspace)
    typed = {field: request.POST.get(field, "").strip()[:2001] for field in FIELDS}
    named = tuple(number_typed(text) for text in request.POST.getlist("named")[:60])
    try:
        said = _do(request, workspace, typed, named)
    except Invalid as error:
        return _page(request, workspace, typed=typed, named=named, errors=error.fields, status=422)
    except Conflict as error:
        return _page(request, workspace, typed=typed, named=named, errors={"": [error.message]}, status=409)
    messages.success(request, said)
    return to("rules", ws=ws)


def _do(request: PageRequest, workspace: WorkspaceRow, typed: dict[str, str], named: tuple[int, ...]) -> str:
    """What the pressed button orders, and what to say of it."""
    me, verb = request.principal, request.POST.get("do", "")
    comment = request.POST.get("comment", "")[:2001]
    if verb == "propose":
        draft = _draft(typed, named)
        made = propose_rule(principal=me, workspace_id=workspace.id, draft=draft, reason=typed["reason"])
        return "The rule is in force from now on." if made.in_force else "Proposed. It waits for a decision."
    if verb == "end":
        propose_rule_end(principal=me, rule_id=_rule(request, workspace), reason=typed["reason"])
        return "Proposed. The rule stays in force until somebody else has agreed."
    if verb in ("accept", "reject"):
        rule_id = _rule(request, workspace)
        decide_rule(principal=me, rule_id=rule_id, accept=verb == "accept", comment=comment)
        return "Accepted. It counts from now on." if verb == "accept" else "Rejected."
    if verb == "withdraw":
        withdraw_rule(principal=me, rule_id=_rule(request, workspace))
        return "The proposal was withdrawn."
    raise Invalid("The form did not say what to do. Nothing was changed.")


def _rule(request: PageRequest, workspace: WorkspaceRow) -> int:
    """The rule that the form is about, which must be one of this workspace."""
    try:
        found = approval_rule(request.principal, number_typed(request.POST.get("rule", "")))
    except NotFound:
        raise Conflict("There is no such rule here. Nothing was changed.") from None
    if found.workspace_id != workspace.id:
        raise Conflict("There is no such rule here. Nothing was changed.")
    return found.id


def _draft(typed: dict[str, str], named: tuple[int, ...]) -> RuleDraft:
    wrong = {
        field: ["Give a whole number. Nothing was proposed."]
        for field in ("risk_weight", "required")
        if not _is_small_number(typed[field] or "0")
    }
    if wrong:
        raise Invalid(wrong)
    return RuleDraft(
        title=typed["title"],
        endpoint_pattern=typed["endpoint_pattern"],
        tag=typed["tag"],
        tag_value=typed["tag_value"],
        risk_weight=int(typed["risk_weight"] or "0"),
        required=int(typed["required"] or "0"),
        named=named,
    )


def _is_small_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 4


def _page(
    request: PageRequest,
    workspace: WorkspaceRow,
    *,
    typed: dict[str, str] | None = None,
    named: tuple[int, ...] = (),
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    me, everything = request.principal, request.GET.get("all") == "1"
    before = number_typed(request.GET.get("before", "")) or None
    found = approval_rules(me, workspace.id, alive=not everything, before=before)
    here = reverse("web:rules", kwargs={"ws": workspace.slug})
    kept = f"{here}?all=1" if everything else f"{here}?"
    reviewers = access.holders(workspace.id, Role.REVIEWER)
    context: dict[str, Any] = {
        "workspace": workspace,
        "lines": _lines(request, found.rows, {one.id: one.display_name for one in reviewers}),
        "here": here,
        "everything": everything,
        "pages": {
            "first": kept.rstrip("?") if before else "",
            "next": f"{kept}&before={found.older}" if found.older else "",
        },
        "may_propose": decide(me, Action.RULES_PROPOSE, workspace_id=workspace.id, workspace=workspace.slug),
        "at_once": bool(decide(me, Action.RULES_DECIDE, workspace_id=workspace.id, own=False)),
        "reviewers": reviewers,
        "named": named,
        "typed": typed or USUAL,
        "do": request.POST.get("do", ""),
        "errors": errors or {},
    }
    return render(request, "settings/rules.html", context, section="rules_index", status=status)


def _lines(request: PageRequest, rows: tuple[RuleRow, ...], reviewers: dict[int, str]) -> list[Line]:
    people = {one for row in rows for one in (row.proposed_by, row.decided_by, *row.rule.named)}
    names: dict[int | None, str] = access.users_by_ids(people)
    return [
        Line(
            row=row,
            sign=SIGNS[row.state],
            words=f"End rule {row.ends_id}" if row.ends_id else words(row.rule, names | dict(reviewers)),
            proposed_by=names.get(row.proposed_by, "unknown"),
            decided_by=names.get(row.decided_by, "unknown") if row.decided_by else "",
            own=request.principal.is_any_of([row.proposed_by]),
        )
        for row in rows
    ]


def words(rule: Rule, names: dict[Any, str]) -> str:
    """`2 people must approve changes of endpoints risk-* that bring a deployment to 50 % or more.`"""
    count = "1 person" if rule.required == 1 else f"{rule.required} people"
    whose = f" of {', '.join(sorted(names.get(one, 'unknown') for one in rule.named))}" if rule.named else ""
    which = f" of endpoints named {rule.scope.name_pattern}" if rule.scope.name_pattern else ""
    which += f" of endpoints tagged {rule.scope.tag}" if rule.scope.tag else ""
    risk = f" that bring a deployment to {rule.risk_weight}\u00a0% or more" if rule.risk_weight else ""
    return f"{count}{whose} must approve changes{which}{risk}."
