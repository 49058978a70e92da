"""The same addresses as of a moment: `?at=` and `?known=` on endpoints, deployments and changes."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from endpoints.access import selectors as access
from endpoints.api import then_shapes as shapes
from endpoints.api.operation import Call
from endpoints.api.paging import page
from endpoints.api.rollout_shapes import measurement
from endpoints.api.shapes import actor, named, person
from endpoints.changes.selectors import ChangeThen, active_then, change_then, last_completed_then
from endpoints.core.errors import Invalid, NotFound
from endpoints.dispatch import db_now
from endpoints.inventory import selectors as inventory
from endpoints.inventory.moment import Moment, checked
from endpoints.metrics import selectors as metrics


def moment(call: Call) -> Moment | None:
    """The moment that the query asks for; None: now. Invalid for what can't be shown."""
    at, known = call.query.get("at"), call.query.get("known")
    return checked(at, known, now=db_now()) if at or known else None


def endpoints(call: Call, when: Moment) -> Response:
    """A page of the fleet, of workspaces that were disconnected since too."""
    seen = [one.id for one in access.workspaces(call.principal)]
    query = call.query
    found = inventory.fleet_as_of(
        seen, when.at, known=when.known, text=query["q"], cursor=query["cursor"], limit=query["limit"]
    )
    if found.problems:
        raise Invalid({"q": found.problems})
    numbers = [row.id for row in found.rows]
    active, budgets = active_then(numbers, when.at), metrics.budgets_at(numbers, when.at)
    asked = when.known is not None
    items = [shapes.item(row, active.get(row.id), budgets.get(row.id), asked=asked) for row in found.rows]
    body = _of(when) | page(call.request, items, cursor=found.next_cursor or None)
    return Response(shapes.EndpointListThenOut(body).data)


def endpoint(call: Call, name: str, when: Moment) -> Response:
    shown = inventory.endpoint_page_as_of(call.workspace.id, name, when.at, known=when.known)
    asked = when.known is not None
    body = _of(when) | shapes.both(
        shown.name, shown.then, shown.now_known, corrected=shown.corrected, asked=asked
    )
    body |= {
        "workspace": shown.workspace,
        "environment": shown.environment,
        "arm_id": shown.arm_id,
        "azure_created_at": shown.azure_created_at,
        "first_seen_at": shown.first_seen_at,
        "deployments": [shapes.deployment(one, asked=asked) for one in shown.deployments],
        "others": shown.others,
        "active_change": active_then([shown.id], when.at).get(shown.id),
        "last_change": last_completed_then(shown.id, when.at),
        "budget": metrics.budget_at(shown.id, when.at),
    }
    return Response(shapes.EndpointThenOut(body).data)


def deployments(call: Call, name: str, when: Moment) -> Response:
    shown = inventory.endpoint_page_as_of(call.workspace.id, name, when.at, known=when.known)
    items = [shapes.deployment(one, asked=when.known is not None) for one in shown.deployments]
    body = _of(when) | {"items": items, "others": shown.others}
    return Response(shapes.DeploymentListThenOut(body).data)


def deployment(call: Call, name: str, wanted: str, when: Moment) -> Response:
    shown = inventory.endpoint_page_as_of(call.workspace.id, name, when.at, known=when.known)
    one = max(
        (one for one in shown.deployments if one.name.lower() == wanted.lower()),
        key=lambda one: one.then.deployment_id,
        default=None,
    )
    if one is None:
        raise NotFound(f"{shown.name} had no deployment {wanted} at that time, as far as anybody knows.")
    body = _of(when) | shapes.deployment(one, asked=when.known is not None)
    return Response(shapes.DeploymentThenOut(body).data)


def change(call: Call, number: int, when: Moment) -> Response:
    found = change_then(call.principal, number, when.at)
    people = {found.author_id, *found.editors, *(one.author_id for one in found.said)}
    people |= {one.reviewer_id for one in found.decided} | {one.by_id for one in found.overrides}
    people |= {one.user_id for one in found.could_approve}
    names = named({one.actor for one in found.moved}, people=people)
    return Response(shapes.ChangeThenOut(_change(found, names)).data)


def _of(when: Moment) -> dict[str, Any]:
    return {"at": when.at, "known": when.known}


_PLAIN = (
    "at", "kind", "state", "step", "version", "workspace", "endpoint", "created_at", "started_at", "ended_at",
    "emergency", "revision", "content_hash", "after", "base", "steps", "checks", "calls", "quorum_unknown",
    "endpoint_then",
)  # fmt: skip


def _change(found: ChangeThen, names: dict[str, str]) -> dict[str, Any]:
    quorum = found.quorum
    return {name: getattr(found, name) for name in _PLAIN} | {
        "number": found.id,
        "reverts": found.reverts_id,
        "before": found.base.split,
        "terms": found.terms,
        "author": person(found.author_id, names),
        "editors": [person(one, names) for one in sorted(found.editors)],
        "said": [
            {"kind": one.kind, "author": person(one.author_id, names), "text": one.text, "at": one.at}
            for one in found.said
        ],
        "decisions": [
            {
                "reviewer": person(one.reviewer_id, names),
                "approved": one.approved,
                "at": one.at,
                "current": one.current,
                "accepted": list(one.accepted),
            }
            for one in found.decided
        ],
        "moves": [
            {
                "before": one.before,
                "after": one.after,
                "step": one.step,
                "actor": actor(one.actor, names),
                "reason": one.reason,
                "at": one.at,
            }
            for one in found.moved
        ],
        "measurements": [measurement(one) for one in found.measured],
        "overrides": [
            {
                "gate": one.gate,
                "step": one.step,
                "by": person(one.by_id, names),
                "reason": one.reason,
                "at": one.at,
            }
            for one in found.overrides
        ],
        "could_approve": [
            {"person": person(one.user_id, names), "roles": list(one.roles), "reason": one.reason}
            for one in found.could_approve
        ],
        "quorum": None
        if quorum is None
        else {
            "needed": quorum.needed,
            "given": quorum.given,
            "met": quorum.met,
            "missing": list(quorum.missing),
            "accepted": sorted(quorum.accepted),
            "until": quorum.until,
        },
    }
