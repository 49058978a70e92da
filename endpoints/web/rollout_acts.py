"""What a person may do to a rollout while it runs: hold, resume, advance, override a gate, abort.

Each act is one form that says before and after: in a dialog on the live page, and on a page of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action
from endpoints.changes import services
from endpoints.changes.lifecycle import EXECUTING, Hold, Kind, State
from endpoints.changes.plan import Step
from endpoints.changes.selectors import ChangeDetail, Offer, change_detail, rollback_offer
from endpoints.changes.targets import Target, key_of
from endpoints.core.errors import Conflict, Invalid, Refused
from endpoints.core.ids import new_request_id
from endpoints.web import capacity_words as words
from endpoints.web.pages import PageRequest, on_object, page, render, to
from endpoints.web.rollout import holds, labels, timer, why_not_advance
from endpoints.web.wording import split as split_words

WORDS_MOST = 2000


@dataclass(frozen=True, slots=True)
class Act:
    """One act with its form. `hidden` are fields that a person doesn't see; `gates` are to choose from."""

    name: str
    label: str
    address: str
    action: str
    title: str
    before: str
    after: str
    button: str
    hidden: dict[str, str]
    needs_reason: bool = False
    gates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Controls:
    """What may be done now, in the order of the page; `refusal` says why nothing of it may be by this person."""

    acts: tuple[Act, ...]
    not_advanced: str
    refusal: str

    def named(self, name: str) -> Act | None:
        return next((act for act in self.acts if act.name == name), None)


def controls(detail: ChangeDetail, offer: Offer | None) -> Controls:
    """Advance comes first and abort last, so that the two are never neighbours."""
    if detail.row.state not in EXECUTING or detail.row.kind is Kind.ROLLBACK:
        return Controls((), "", "")
    start = detail.may[Action.START]
    acts: list[Act | None] = []
    if start:
        acts += [_advance(detail), _hold(detail), _resume(detail)]
    if detail.may[Action.OVERRIDE_GATE]:
        acts.append(_override(detail))
    acts.append(_abort(detail, offer))
    refusal = "" if start else f"Hold, resume, advance: {start.reason}"
    return Controls(tuple(act for act in acts if act), why_not_advance(detail), refusal)


def _advance(detail: ChangeDetail) -> Act | None:
    """Only where the service would take it: a button that can't work is no button."""
    if why_not_advance(detail):
        return None
    step, named = detail.rollout.step, labels(detail)
    last = step + 1 == len(detail.steps)
    goal = "Finish now" if last else f"Advance to {named[step + 1]} now"
    after = "It is done: the split stays as it is, and its gates are not asked any more."
    if not last:
        after = f"Azure is asked for {_asked_for(detail.steps[step + 1])} at once."
    return _act(
        detail,
        "advance",
        label=goal,
        title=f"{goal}?",
        before=f"{_in_force(detail)} {_progress(detail)}".strip(),
        after=f"{after}{_left_out(detail)}",
        button=goal,
        hidden={"step": str(step)},
    )


def _asked_for(step: Step) -> str:
    """A split, or in words what a step of capacity does."""
    return split_words(step.split) if step.verb == "put_split" else f"“{words.label(step)}”"


def _in_force(detail: ChangeDetail) -> str:
    step = detail.steps[detail.rollout.step]
    if step.verb != "put_split":
        return f"“{words.label(step)}” is in force."
    return f"{split_words(step.split)} is in force."


def _progress(detail: ChangeDetail) -> str:
    bake = detail.rollout.bake
    return f"It has baked {timer(bake.baked)} of {timer(bake.wanted)}." if bake and bake.wanted else ""


def _left_out(detail: ChangeDetail) -> str:
    bake = detail.rollout.bake
    left = bake.wanted - bake.baked if bake else 0.0
    return f" {timer(left)} of its bake are left out." if left >= 1 else ""


def _hold(detail: ChangeDetail) -> Act | None:
    rollout = detail.rollout
    if rollout.hold is Hold.PERSON or rollout.hold_wanted:
        return None
    where = labels(detail)[rollout.step]
    sent = detail.row.state in (State.APPLYING, State.VERIFYING)
    before = "A call is on its way; it is finished first." if sent else _in_force(detail)
    gates = " Gates go on being measured, but a failing one does not roll back while you hold it."
    return _act(
        detail,
        "hold",
        label=f"Hold at {where}",
        title=f"Hold at {where}?",
        before=before,
        after=f"{'It' if detail.row.kind is Kind.CAPACITY else 'Traffic'} stays there until somebody resumes it."
        + (gates if rollout.terms.gates else ""),
        button=f"Hold at {where}",
        hidden={},
        needs_reason=True,
    )


def _resume(detail: ChangeDetail) -> Act | None:
    rollout = detail.rollout
    if rollout.hold_wanted and detail.row.state is not State.HELD:
        return _act(
            detail,
            "resume",
            label="Take the hold back",
            title="Take the hold back?",
            before="It is to be held once its step is in force.",
            after="It goes on by its plan.",
            button="Take the hold back",
            hidden={},
        )
    if detail.row.state is not State.HELD or rollout.hold is Hold.CLICK:
        return None
    goes_on = (
        "The bake goes on where it stopped." if rollout.bake else "Its step is looked at anew, and ordered."
    )
    return _act(
        detail,
        "resume",
        label="Resume",
        title="Resume?",
        before=f"Held. {rollout.hold_reason}".strip(),
        after=f"{goes_on} A gate that fails {_on_failure(detail)}.",
        button="Resume",
        hidden={},
    )


def _on_failure(detail: ChangeDetail) -> str:
    return {"roll_back": "rolls it back", "hold": "holds it"}[detail.rollout.terms.on_failure.value]


def _override(detail: ChangeDetail) -> Act | None:
    names = tuple(gate.name for gate in detail.rollout.gates if holds(gate))
    if detail.rollout.bake is None or not names:
        return None
    return _act(
        detail,
        "override",
        label="Override a gate",
        title="Override a gate?",
        before="This gate keeps the next step back, or can roll the change back.",
        after="It does neither any more, to the end of this change. It goes on being measured and shown.",
        button="Override this gate",
        hidden={"step": str(detail.rollout.step)},
        needs_reason=True,
        gates=names,
    )


def _abort(detail: ChangeDetail, offer: Offer | None) -> Act | None:
    """To the plan's base, where that is not what a rollback goes to anyway; a change of capacity is rolled back."""
    if detail.row.kind is Kind.CAPACITY:
        return None
    target = _base_target(detail, offer)
    if target is None or offer is None or target.preselected or not offer.decision.allowed:
        return None
    risen = [name for name in detail.row.after if not detail.base.split.get(name)]
    label = f"Abort: {risen[0]} to 0\u00a0%" if len(risen) == 1 else "Abort: back to the base"
    return _act(
        detail,
        "abort",
        label=label,
        title=f"Abort, and go back to {split_words(target.split)}?",
        before=f"Azure reports {split_words(offer.live.traffic)}.",
        after=f"Azure is asked for {split_words(target.split)}. {detail.row.number} ends and can't be resumed.",
        button=f"Back to {split_words(target.split)}",
        hidden={"target": target.key, "key": new_request_id(), "reason": "other"},
        action=reverse("web:rollback", kwargs={"ws": detail.row.workspace, "name": detail.row.endpoint}),
    )


def _base_target(detail: ChangeDetail, offer: Offer | None) -> Target | None:
    wanted = key_of(detail.base.split, detail.base.mirror)
    found = offer.targets if offer else []
    return next((one for one in found if one.key == wanted and one.eligible), None)


def _act(detail: ChangeDetail, name: str, *, action: str = "", **words: Any) -> Act:
    address = reverse(f"web:change_{name}", kwargs={"number": detail.row.id})
    return Act(name=name, address=address, action=action or address, **words)


@page(on_object(Action.START), "GET", "POST")
def hold(request: PageRequest, *, number: int) -> HttpResponseBase:
    """No further than this."""
    return _answer(request, number, "hold", "It is held where it is, or will be once its call is finished.")


@page(on_object(Action.START), "GET", "POST")
def resume(request: PageRequest, *, number: int) -> HttpResponseBase:
    """On again."""
    return _answer(request, number, "resume", "It goes on.")


@page(on_object(Action.START), "GET", "POST")
def advance(request: PageRequest, *, number: int) -> HttpResponseBase:
    """The next step before its time."""
    return _answer(request, number, "advance", "The next step is ordered.")


@page(on_object(Action.OVERRIDE_GATE), "GET", "POST")
def override(request: PageRequest, *, number: int) -> HttpResponseBase:
    """A person's word against a gate."""
    return _answer(request, number, "override", "Overridden. The gate goes on being measured and shown.")


@page(on_object(Action.ROLL_BACK))
def abort(request: PageRequest, *, number: int) -> HttpResponseBase:
    """The form only: it is sent to where every rollback is ordered."""
    return _form(request, change_detail(request.principal, number), "abort")


def _answer(request: PageRequest, number: int, name: str, done: str) -> HttpResponseBase:
    detail = change_detail(request.principal, number)
    if request.method != "POST":
        return _form(request, detail, name)
    try:
        _do(request, number, name)
    except Conflict as error:
        return _form(request, change_detail(request.principal, number), name, error.message, status=409)
    except Invalid as error:
        return _form(request, detail, name, error.message, status=422)
    messages.success(request, done)
    return to("live", number=number)


def _do(request: PageRequest, number: int, name: str) -> None:
    me, reason = request.principal, request.POST.get("reason", "")
    match name:
        case "hold":
            services.hold_change(principal=me, change_id=number, reason=reason)
        case "resume":
            services.resume_change(principal=me, change_id=number)
        case "advance":
            services.advance_change(principal=me, change_id=number, seen_step=_seen(request))
        case "override":
            gate = request.POST.get("gate", "")
            services.override_gate(
                principal=me, change_id=number, seen_step=_seen(request), gate=gate, reason=reason
            )


def _seen(request: PageRequest) -> int:
    """The step that the person saw; none can be -1."""
    text = request.POST.get("step", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1


_NEEDS = {"override": Action.OVERRIDE_GATE, "abort": Action.ROLL_BACK}


def _form(
    request: PageRequest, detail: ChangeDetail, name: str, problem: str = "", *, status: int = 200
) -> HttpResponseBase:
    """The act's page; where it can't be done now, what the change does instead of a form."""
    needed = detail.may[_NEEDS.get(name, Action.START)]
    if not needed:
        raise Refused(needed.reason)
    offer = rollback_offer(request.principal, detail.row.endpoint_id, detail.row.workspace_id)
    found = controls(detail, offer if detail.live else None)
    context = {
        "change": detail.row,
        "workspace": access.workspace(detail.row.workspace_id),
        "act": found.named(name),
        "name": name,
        "why": found.not_advanced if name == "advance" else "",
        "problem": problem,
        "typed": request.POST.get("reason", "")[:WORDS_MOST],
        "chosen": request.POST.get("gate", request.GET.get("gate", ""))[:200],
    }
    return render(request, "changes/act.html", context, section="rollouts", status=status)
