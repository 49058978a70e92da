"""The live page: one change on Azure as it goes, step by step, fetched again whenever something moved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zlib import crc32

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Principal
from endpoints.changes.decide import AttemptOutcome
from endpoints.changes.lifecycle import EXECUTING, TERMINAL, Hold, Kind, State
from endpoints.changes.selectors import (
    ChangeDetail,
    ChangeProgress,
    ChangeRow,
    change_detail,
    change_progress,
    change_rows,
    executor_state,
    rollback_offer,
)
from endpoints.changes.selectors.kept import kept_files
from endpoints.changes.selectors.page import Call
from endpoints.core import traffic
from endpoints.inventory.assets import short
from endpoints.metrics import selectors as metrics
from endpoints.web import capacity_words as words
from endpoints.web import change_view as view
from endpoints.web import display
from endpoints.web import rollout as plan
from endpoints.web.capacity_live import truths
from endpoints.web.live import Pulse, look_once, stream
from endpoints.web.observed_view import Seen, seen
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
from endpoints.web.rollout_acts import controls
from endpoints.web.rollout_charts import section as charts
from endpoints.web.states import sign_of
from endpoints.web.wording import ago, clock, duration, plural, split

VIEW_CHANGE = on_object(Action.VIEW)
OBSERVED = timedelta(hours=1)
"""The longest stretch whose requests are held against the split in force."""


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
    """The page; one of its live parts when htmx asks."""
    if is_partial(request):
        return _part(request, number)
    detail = change_detail(request.principal, number)
    workspace = access.workspace(detail.row.workspace_id)
    names = view.people(detail)
    context = page_context(request, detail, workspace, names)
    context |= operation_context(request.principal, detail) | side_context(detail) | charts(detail)
    offer = context["rollback"]["offer"] if context["rollback"] else None
    context["controls"] = controls(detail, offer)
    context["approvers"] = [
        names.get(one.reviewer_id, "unknown") for one in detail.decided if one.approved and one.current
    ]
    context["started_by"] = _starter(detail) or context["author"]
    return render(request, "changes/live.html", context, section="rollouts")


def _part(request: PageRequest, number: int) -> HttpResponseBase:
    """What moves is fetched in three parts, so that none is replaced while somebody is in it."""
    me = request.principal
    match request.GET.get("part"):
        case "acts":
            detail = change_detail(me, number)
            return partial(request, "partials/rollout_acts.html", acts_context(me, detail))
        case "side":
            return partial(request, "partials/rollout_side.html", side_context(change_progress(me, number)))
        case _:
            context = operation_context(me, change_progress(me, number))
            return partial(request, "partials/operation.html", context)


def acts_context(me: Principal, detail: ChangeDetail) -> dict[str, Any]:
    """What this person may do to it now."""
    offer = rollback_offer(me, detail.row.endpoint_id, detail.row.workspace_id) if detail.live else None
    return {"change": detail.row, "controls": controls(detail, offer)}


def side_context(progress: ChangeProgress) -> dict[str, Any]:
    """Gates and events."""
    names = access.users_by_ids({one.by_id for one in progress.rollout.overrides})
    return {
        "change": progress.row,
        "rollout": progress.rollout,
        "gates": plan.gates(progress, names),
        "next_measurement": plan.next_measurement(progress) if progress.row.active else "",
        "events": _events(progress, names),
    }


def _events(progress: ChangeProgress, names: Mapping[int | None, str]) -> list[view.Event]:
    """Moves and overrides, newest first."""
    told = [
        view.Event("held", f"Overrode {one.gate}", one.at, names.get(one.by_id, ""), one.reason, "warn")
        for one in progress.rollout.overrides
    ]
    return sorted([*view.events(progress), *told], key=lambda event: event.at, reverse=True)


def _starter(detail: ChangeDetail) -> str:
    started = [moved.actor for moved in detail.moved if moved.after == State.APPLYING]
    return access.display_names(started).get(started[0], "") if started else ""


def operation_context(me: Principal, progress: ChangeProgress) -> dict[str, Any]:
    """What changes while one watches: the banner, traffic, steps and calls."""
    row, staged = progress.row, plan.is_staged(progress)
    working = row.state in EXECUTING
    sign = plan.sign(progress)
    ended = row.ended_at or datetime.now(UTC)
    step = progress.steps[progress.rollout.step]
    return {
        "change": row,
        "detail": progress,
        "rollout": progress.rollout,
        "staged": staged,
        "steps": plan.steps(progress) if staged else [],
        "not_advanced": plan.why_not_advance(progress) if progress.rollout.bake else "",
        "live": progress.live,
        "order": plan.order(progress),
        "working": working,
        "calling": not staged or row.state in (State.APPLYING, State.VERIFYING),
        "sign": sign,
        "elapsed": duration(ended - row.started_at) if row.started_at else "",
        "models": _models(progress),
        "is_capacity": words.is_capacity(row.kind, row.before, progress.steps),
        "capacity": truths(progress, _ordered_note(progress, staged)),
        "capacity_title": words.subject_of(progress.steps) or row.endpoint,
        "kept": [one.name for one in kept_files(row.id)] if words.deletes(progress.steps) else [],
        "shows_traffic": _shows_traffic(progress),
        "ordered": step.split,
        "ordered_note": _ordered_note(progress, staged),
        "observed": _observed(progress),
        "took_over": progress.reverted_by if row.state is State.SUPERSEDED else None,
        "live_note": f"read {ago(progress.live.read_ended)}" if progress.live else "the endpoint is gone",
        "attempts": [_call(one) for one in reversed(progress.calls)],
        "banner": _banner(me, progress),
        "page_title": f"{'(1) ' if working else ''}{sign.text} - {row.endpoint} - opsportal",
    }


def _shows_traffic(progress: ChangeProgress) -> bool:
    """Not for a step that only scales or sets; while weights are taken away they are to be seen."""
    steps = progress.steps
    capacity = words.is_capacity(progress.row.kind, progress.row.before, steps)
    if progress.live is None:
        return not capacity
    return not capacity or words.is_scream(steps, progress.rollout.step)


def _models(progress: ChangeProgress) -> dict[str, str]:
    """What each deployment is in the plan, and its model."""
    known = plan.roles(progress)
    return {
        one.name: ", ".join(
            part
            for part in (known.get(one.name, ""), short(one.deployment.model) if one.deployment else "")
            if part
        )
        for one in progress.weights
    }


def _observed(progress: ChangeProgress) -> Seen | None:
    """What requests say of the step in force, as soon as it is in force."""
    row, since = progress.row, progress.confirmed_at
    if progress.live is None or since is None or not row.active:
        return None
    now = display.current().moment()
    return seen(metrics.observed_split(row.endpoint_id, since=max(since, now - OBSERVED), until=now))


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
        what=_what(call),
        answer=f"{answer} ({call.status})" if call.status else answer,
        took=call.ended_at - call.sent_at if call.ended_at else None,
        azure_request_id=call.azure_request_id,
        error=call.error,
    )


def _what(call: Call) -> str:
    match call.verb:
        case "patch_capacity":
            return f"PATCH {call.deployment} to {plural(call.instances, 'instance')}"
        case "put_autoscale":
            return f"Autoscale setting of {call.deployment}"
        case "delete_deployment":
            return f"DELETE {call.deployment}"
        case "delete_endpoint":
            return "DELETE the endpoint"
    return f"PUT {traffic.describe(call.split)}"


def _banner(me: Principal, detail: ChangeProgress) -> dict[str, str] | None:
    row = detail.row
    held = plan.held_banner(detail, _words_of_hold(me, detail))
    if held:
        return held
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
                "text": f"Azure reported {_reached(detail)} twice in a row.{_kept_warm(detail)}",
            }
        case State.FAILED:
            return {"kind": "bad", "title": "Failed.", "text": f"{row.waiting_for} {_now(detail)}".strip()}
        case State.DRIFTED:
            text = f"Azure shows {_drifted_what(row)} that nobody here ordered. {_drifted_next(row)}"
            return {"kind": "warn", "title": "Stopped by drift.", "text": text}
        case State.SUPERSEDED:
            return _superseded(me, detail)
        case State.SCHEDULED:
            return {
                "kind": "info",
                "title": f"Starts {clock(detail.rollout.start_at)}.",
                "text": sign_of(row.state).next,
            }
        case _:
            return None


def _reached(detail: ChangeProgress) -> str:
    return words.outcome(detail.row.kind, detail.row.before, detail.steps)


def _drifted_what(row: ChangeRow) -> str:
    return "a state" if row.kind is Kind.CAPACITY else "traffic"


def _drifted_next(row: ChangeRow) -> str:
    edit = "Roll back, edit it onto the new base, or close it."
    return "Roll back, or close it and ask anew." if row.kind is Kind.CAPACITY else edit


def _words_of_hold(me: Principal, detail: ChangeProgress) -> str:
    """What the person who holds it said."""
    if detail.rollout.hold is not Hold.PERSON:
        return ""
    said = [one.text for one in change_detail(me, detail.row.id).said if one.kind == "hold"]
    return said[-1] if said else ""


def _kept_warm(detail: ChangeProgress) -> str:
    until = detail.rollout.warm_until
    if until is None:
        return ""
    left = ", ".join(sorted(set(detail.base.split) - set(detail.row.after)))
    if until <= display.current().moment():
        return f" {left} was kept as a rollback target until {clock(until, seconds=False)}."
    return f" {left} is kept as a rollback target until {clock(until, seconds=False)}."


def _superseded(me: Principal, detail: ChangeProgress) -> dict[str, str]:
    """Whether a person or the portal itself rolled it back, and why."""
    text = "It ended before it was done, and can't be resumed."
    number = detail.reverted_by
    back = next(iter(change_rows(me, before=number + 1, limit=1).rows), None) if number else None
    if back is None or back.id != number or back.author_id is not None:
        return {"kind": "info", "title": "Superseded by a rollback.", "text": text}
    why = detail.moved[-1].reason if detail.moved else ""
    return {"kind": "bad", "title": "Rolled back by itself.", "text": f"{why.rstrip('.')}. {text}"}


def _now(detail: ChangeProgress) -> str:
    """What holds after a failure: what was read, never what was hoped for."""
    if detail.live is None:
        return "The endpoint is gone."
    if words.is_capacity(detail.row.kind, detail.row.before, detail.steps):
        return ""
    return f"Azure reports {split(detail.live.traffic)}, read {ago(detail.live.read_ended)}."


_ENDED_EARLY = {
    State.FAILED: "failed",
    State.SUPERSEDED: "ended by a rollback",
    State.DRIFTED: "stopped by drift",
    State.WITHDRAWN: "closed",
}


def _ordered_note(detail: ChangeProgress, staged: bool) -> str:
    """What became of the ordered split: asked for, in force, or given up."""
    row, rollout = detail.row, detail.rollout
    what = f"{row.number}, step {rollout.step + 1}" if staged and len(detail.steps) > 1 else row.number
    if row.state is State.HELD and not detail.confirmed_at:
        return f"{what}, held before it was ordered"
    if row.state in EXECUTING and not detail.confirmed_at:
        return f"{what}, requested, not yet seen in Azure"
    early = _ENDED_EARLY.get(row.state)
    return f"{what}, {early}" if early else what


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
