"""A change as of a moment: what it said, where it stood, who had spoken, and who could have approved it then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.changes.selectors import ChangeThen, change_then
from endpoints.changes.selectors.rollout import Measured
from endpoints.web import capacity_words as words
from endpoints.web import change_view as view
from endpoints.web.asof import When, frame, one_or, sureness
from endpoints.web.bars import order_of
from endpoints.web.compared import Compared
from endpoints.web.gate_form import words as gate_words
from endpoints.web.pages import PageRequest, render
from endpoints.web.states import OUTCOMES, Sign, sign_of
from endpoints.web.wording import split as split_words

SAID = {"reason": "Reason", "approval": "On approving", "rejection": "On rejecting", "comment": "Comment",
        "emergency": "On breaking the glass"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GateLine:
    """What a gate said last in a step, by then."""

    one: Measured
    sign: Sign


def change_as_of(request: PageRequest, when: When, number: int) -> HttpResponseBase:
    """The page. What a change was is its own record: later knowledge can't differ, so `known` changes nothing."""
    found = change_then(request.principal, number, when.at)
    workspace = access.workspace(found.workspace_id)
    names = _people(found)
    terms = found.terms
    place = {"ws": workspace.slug, "name": found.endpoint}
    context: dict[str, Any] = frame(when) | {
        "change": found,
        "workspace": workspace,
        "heading": view.heading_of(found.number, found.kind, found.endpoint, found.base.split, found.steps),
        "sign": sign_of(found.state, kind=found.kind),
        "author": names.get(found.author_id, "unknown") if found.author_id else "the portal itself",
        "endpoint_href": when.link(reverse("web:endpoint", kwargs=place)),
        "rows": _rows(found),
        "is_capacity": words.is_capacity(found.kind, found.base.split, found.steps),
        "order": order_of(found.base.split, found.after),
        "steps": view.plan_lines(found.steps, terms),
        "gates": [gate_words(gate) for gate in terms.gates],
        "terms": view.terms_words(terms),
        "verdicts": found.checks,
        "outcomes": OUTCOMES,
        "said": [
            (SAID.get(one.kind, one.kind), names.get(one.author_id, "unknown"), one) for one in found.said
        ],
        "approvals": _approvals(found, names),
        "could": [one for one in found.could_approve if not one.reason],
        "could_not": [one for one in found.could_approve if one.reason],
        "measured": [GateLine(one, OUTCOMES[one.outcome]) for one in found.measured],
        "overrides": [(one, names.get(one.by_id, "unknown")) for one in found.overrides],
        "events": view.events_of(found.moved, found.kind),
        "endpoint_sure": sureness(found.endpoint_then),
        "endpoint_traffic": one_or(found.endpoint_then, "traffic"),
    }
    return render(request, "changes/then.html", context, section="changes")


def _rows(found: ChangeThen) -> list[Compared]:
    """Before and after, as the plan says it; a change of capacity also in instances and settings."""
    capacity = []
    if words.is_capacity(found.kind, found.base.split, found.steps):
        capacity.append(Compared("Capacity", words.begin(found.steps), words.goal(found.steps)))
    return [
        *capacity,
        Compared("Live traffic", split_words(found.base.split), split_words(found.after)),
        Compared("Mirrored traffic", _mirror(found.base.mirror), _mirror(found.steps[-1].mirror)),
    ]


def _people(found: ChangeThen) -> dict[int | None, str]:
    said = {one.author_id for one in found.said} | {one.by_id for one in found.overrides}
    decided = {one.reviewer_id for one in found.decided}
    return access.users_by_ids({found.author_id, *found.editors, *said, *decided})


def _mirror(mirror: Mapping[str, int]) -> str:
    return split_words(mirror) if mirror else "none"


def _approvals(found: ChangeThen, names: Mapping[int | None, str]) -> dict[str, Any]:
    quorum = found.quorum
    given = [
        {
            "name": names.get(one.reviewer_id, "unknown"),
            "at": one.at,
            "approved": one.approved,
            "current": one.current,
            "accepted": one.accepted,
        }
        for one in found.decided
    ]
    counted = f", {quorum.given} of {quorum.needed}" if quorum else ""
    notes = [*(quorum.missing if quorum else ()), *([found.quorum_unknown] if found.quorum_unknown else [])]
    return {"title": f"Approvals by then{counted}", "given": given, "notes": notes}
