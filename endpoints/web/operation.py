"""The live page: one operation on Azure as it goes, fetched again whenever something moved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zlib import crc32

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from endpoints.access import selectors as access
from endpoints.access.policies import Action
from endpoints.changes.decide import AttemptOutcome
from endpoints.changes.lifecycle import EXECUTING, TERMINAL, Kind, State
from endpoints.changes.selectors import ChangeDetail, ChangeRow, change_detail, change_rows, executor_state
from endpoints.changes.selectors.page import Call
from endpoints.core import traffic
from endpoints.inventory.assets import short
from endpoints.web import change_view as view
from endpoints.web.live import Pulse, look_once, stream
from endpoints.web.pages import (
    PageRequest,
    WrongMethod,
    admit,
    is_partial,
    on_object,
    page,
    partial,
    private,
    render,
    signed_in,
    still_signed_in,
)
from endpoints.web.pages import signed_out as tell_signed_out
from endpoints.web.review import page_context
from endpoints.web.states import sign_of
from endpoints.web.wording import ago, duration, split

VIEW_CHANGE = on_object(Action.VIEW)


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call to Azure as the page shows it."""

    sent_at: datetime
    what: str
    answer: str
    took: timedelta | None
    azure_request_id: str
    error: str


@page(VIEW_CHANGE)
def live(request: PageRequest, *, number: int) -> HttpResponseBase:
    """The page; its middle alone when htmx asks."""
    detail = change_detail(request.principal, number)
    if is_partial(request):
        return partial(request, "partials/operation.html", operation_context(detail))
    workspace = access.workspace(detail.row.workspace_id)
    names = view.people(detail)
    context = page_context(request, detail, workspace, names) | operation_context(detail)
    context["approvers"] = [
        names.get(one.reviewer_id, "unknown") for one in detail.decided if one.approved and one.current
    ]
    context["started_by"] = _starter(detail) or context["author"]
    return render(request, "changes/live.html", context, section="changes")


def _starter(detail: ChangeDetail) -> str:
    started = [moved.actor for moved in detail.moved if moved.after == State.APPLYING]
    return access.display_names(started).get(started[0], "") if started else ""


def operation_context(detail: ChangeDetail) -> dict[str, Any]:
    """What changes while one watches."""
    row = detail.row
    working = row.state in EXECUTING
    sign = sign_of(row.state, kind=row.kind)
    ended = row.ended_at or datetime.now(UTC)
    return {
        "change": row,
        "detail": detail,
        "live": detail.live,
        "order": view.order(detail),
        "working": working,
        "sign": sign,
        "elapsed": duration(ended - row.started_at) if row.started_at else "",
        "models": {one.name: short(one.deployment.model) for one in detail.weights if one.deployment},
        "ordered_note": _ordered_note(detail),
        "took_over": detail.reverted_by if row.state is State.SUPERSEDED else None,
        "live_note": f"read {ago(detail.live.read_ended)}" if detail.live else "the endpoint is gone",
        "attempts": [_call(one) for one in reversed(detail.calls)],
        "events": view.events(detail),
        "banner": _banner(detail),
        "page_title": f"{'(1) ' if working else ''}{sign.text} - {row.endpoint} - opsportal",
    }


_ANSWERS = {
    AttemptOutcome.ACCEPTED: "accepted",
    AttemptOutcome.UNKNOWN: "no answer: it may have been applied",
    AttemptOutcome.REFUSED: "refused",
    AttemptOutcome.CONFIRMED: "accepted, and seen in Azure",
    AttemptOutcome.ADOPTED: "found applied when Azure was read",
    AttemptOutcome.NOT_APPLIED: "not applied",
}


def _call(call: Call) -> CallLine:
    answer = _ANSWERS[AttemptOutcome(call.outcome)] if call.outcome else "waiting for the answer"
    return CallLine(
        sent_at=call.sent_at,
        what=f"PUT {traffic.describe(call.split)}",
        answer=f"{answer} ({call.status})" if call.status else answer,
        took=call.ended_at - call.sent_at if call.ended_at else None,
        azure_request_id=call.azure_request_id,
        error=call.error,
    )


def _banner(detail: ChangeDetail) -> dict[str, str] | None:
    row = detail.row
    if row.state in EXECUTING and not executor_state().alive:
        return {
            "kind": "bad",
            "title": "The executor does not answer.",
            "text": "This is recorded and goes on when it is back. The command below does the same by hand, now.",
        }
    if row.attention:
        return {"kind": "warn", "title": "Needs a person.", "text": row.attention}
    match row.state:
        case State.SUCCEEDED:
            done = "Rolled back." if row.kind is Kind.ROLLBACK else "Done."
            return {
                "kind": "done",
                "title": done,
                "text": f"Azure reported {traffic.describe(row.after)} twice in a row.",
            }
        case State.FAILED:
            return {"kind": "bad", "title": "Failed.", "text": f"{row.waiting_for} {_now(detail)}".strip()}
        case State.DRIFTED:
            text = "Azure shows traffic that nobody here ordered. Roll back, edit it onto the new base, or close it."
            return {"kind": "warn", "title": "Stopped by drift.", "text": text}
        case State.SUPERSEDED:
            text = "It ended before it was done, and can't be resumed."
            return {"kind": "info", "title": "Superseded by a rollback.", "text": text}
        case _:
            return None


def _now(detail: ChangeDetail) -> str:
    """What holds after a failure: what was read, never what was hoped for."""
    if detail.live is None:
        return "The endpoint is gone."
    return f"Azure reports {split(detail.live.traffic)}, read {ago(detail.live.read_ended)}."


_ENDED_EARLY = {
    State.FAILED: "failed",
    State.SUPERSEDED: "ended by a rollback",
    State.DRIFTED: "stopped by drift",
    State.WITHDRAWN: "closed",
}


def _ordered_note(detail: ChangeDetail) -> str:
    """What became of the ordered split: asked for, in force, or given up."""
    row = detail.row
    if row.state in EXECUTING and not detail.confirmed_at:
        return f"{row.number}, requested, not yet seen in Azure"
    early = _ENDED_EARLY.get(row.state)
    return f"{row.number}, {early}" if early else row.number


def announcement(row: ChangeRow) -> str:
    """What a screen reader hears when the state moved."""
    return f"{row.number}: {sign_of(row.state, kind=row.kind).text}. {row.attention}".strip()


async def events(request: HttpRequest, *, number: int) -> HttpResponseBase:
    """Server-sent events of one change. At every look it is asked again: does the session live, do the grants stand."""
    if request.method != "GET":
        raise WrongMethod(frozenset({"GET"}))
    asking = cast(PageRequest, request)

    def look() -> Pulse | None:
        return pulse_for(asking, number) if still_signed_in(asking) else None

    def enter() -> HttpResponseBase | None:
        # Not to be noted in the session: saving it would take a connection that the stream keeps.
        if not signed_in(asking, by_itself=True):
            return tell_signed_out(asking)
        admit(asking, VIEW_CHANGE, {})
        change_detail(asking.principal, number)
        return None

    refusal = await look_once(enter)
    if refusal is not None:
        return cast(HttpResponseBase, refusal)
    body: AsyncIterator[bytes] = stream(number, look, request.headers.get("Last-Event-ID", ""))
    response = StreamingHttpResponse(body, content_type="text/event-stream")
    response["X-Accel-Buffering"] = "no"
    return private(response)


events.rule = VIEW_CHANGE  # type: ignore[attr-defined]  # read by the access matrix
events.methods = frozenset({"GET"})  # type: ignore[attr-defined]


def pulse_for(request: PageRequest, number: int) -> Pulse | None:
    """The change's version for a reader who may still see it, by fresh grants; None for anybody else."""
    if request.principal.user_id is None:
        return None
    me = access.principal_now(request.principal.user_id)
    # The newest change up to this number: two queries, where the whole page takes dozens.
    row = next(iter(change_rows(me, before=number + 1, limit=1).rows), None)
    if row is None or row.id != number:
        return None
    said = crc32(f"{row.waiting_for}|{row.attention}".encode())
    return Pulse(f"{row.version}.{said:08x}", announcement(row), over=row.state in TERMINAL)
