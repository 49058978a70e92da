"""One change in the words of its two pages: heading, comparison, events, approvals. No requests here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from endpoints.access import selectors as access
from endpoints.access.roles import Role
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.plan import Step
from endpoints.changes.selectors import ChangeDetail, ChangeProgress
from endpoints.changes.selectors.page import Moved, Weight
from endpoints.changes.selectors.revisions import Content
from endpoints.changes.terms import OnFailure, Terms
from endpoints.core import traffic
from endpoints.inventory.assets import short
from endpoints.inventory.selectors import DeploymentState
from endpoints.web import capacity_words as words
from endpoints.web.bars import order_of
from endpoints.web.compared import Compared
from endpoints.web.gate_form import words as gate_words
from endpoints.web.names import of_refs
from endpoints.web.simulation import Line
from endpoints.web.states import sign_of
from endpoints.web.wording import length
from endpoints.web.wording import split as split_words

NOT_REPORTED = "not reported"
ON_FAILURE = {
    OnFailure.ROLL_BACK: "a failed gate rolls back at once",
    OnFailure.HOLD: "a failed gate holds it for a person",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a timeline."""

    icon: str
    title: str
    at: datetime
    who: str = ""
    text: str = ""
    tone: str = ""
    href: str = ""


def heading(detail: ChangeDetail) -> str:
    """`CR-413: send checkout-risk traffic to green 100 %`, `CR-9: scale basket-upsell/blue from 4 to 2 instances`."""
    row = detail.row
    return heading_of(row.number, row.kind, row.endpoint, detail.base.split, detail.steps)


def heading_of(number: str, kind: Kind, endpoint: str, before: traffic.Split, steps: tuple[Step, ...]) -> str:
    """The same of a change whose row is not at hand."""
    ends = words.outcome(kind, before, steps)
    if kind is Kind.ROLLBACK:
        return f"{number}: roll back {endpoint} to {ends}"
    if kind is Kind.DRILL:
        return f"{number}: practise a rollback of {endpoint} from {ends}"
    if kind is Kind.CAPACITY:
        return f"{number}: {words.purpose(endpoint, steps)}"
    return f"{number}: send {endpoint} traffic to {ends}"


def order(detail: ChangeDetail) -> list[str]:
    """One order of patterns for every bar of the page."""
    names = [
        *(one.name for one in detail.weights),
        *(step.deployment for step in detail.steps if step.deployment),
    ]
    return order_of(detail.base.split, detail.row.after, names=names)


def compare(detail: ChangeDetail) -> list[Compared]:
    """The base beside what the last step orders, field by field."""
    last = detail.steps[-1]
    by_name = {one.name: one for one in detail.weights}

    def both(say: Callable[[DeploymentState], str]) -> tuple[str, str]:
        return (
            _per_deployment(detail.base.split, by_name, say),
            _per_deployment(last.split, by_name, say),
        )

    return [
        Compared("Live traffic", split_words(detail.base.split), split_words(last.split)),
        Compared("Model", *both(lambda one: short(one.model) or NOT_REPORTED)),
        Compared("Environment", *both(lambda one: short(one.environment) or NOT_REPORTED)),
        Compared("Instances", *both(instances)),
        Compared("Mirrored traffic", _mirrored(detail.base.mirror), _mirrored(last.mirror)),
    ]


def _mirrored(mirror: traffic.Split) -> str:
    return split_words(mirror) if mirror else "none"


def _per_deployment(
    split: traffic.Split, by_name: Mapping[str, Weight], say: Callable[[DeploymentState], str]
) -> str:
    """What the deployments with a share have, largest first; told apart by name where they differ."""
    said = {name: _say(by_name.get(name), say) for name in order_of(split) if split.get(name)}
    if len(set(said.values())) <= 1:
        return next(iter(said.values()), "none")
    return ", ".join(f"{text} ({name})" for name, text in said.items())


def _say(weight: Weight | None, say: Callable[[DeploymentState], str]) -> str:
    return say(weight.deployment) if weight and weight.deployment else "deployment is gone"


def instances(one: DeploymentState) -> str:
    """`Standard_DS3_v2 x 4`."""
    count = "?" if one.instance_count is None else one.instance_count
    return f"{one.instance_type or NOT_REPORTED}\u00a0x\u00a0{count}"


_MOVES: dict[State, tuple[str, str, str]] = {
    State.CHECKING: ("waiting", "Asked for", ""),
    State.CHECK_FAILED: ("bad", "Held by its checks", "bad"),
    State.IN_REVIEW: ("quiet", "Checks passed, waiting for review", ""),
    State.APPROVED: ("quiet", "Approved", ""),
    State.SCHEDULED: ("waiting", "Scheduled", ""),
    State.BAKING: ("running", "In force, baking", ""),
    State.HELD: ("warn", "Held", "warn"),
    State.APPLYING: ("running", "Started", ""),
    State.VERIFYING: ("running", "Reading Azure back", ""),
    State.DRIFTED: ("drift", "Stopped: Azure shows traffic that nobody here ordered", "warn"),
    State.SUCCEEDED: ("done", "Done: Azure reports the ordered split", "done"),
    State.FAILED: ("bad", "Failed", "bad"),
    State.REJECTED: ("off", "Rejected", ""),
    State.WITHDRAWN: ("off", "Withdrawn", ""),
    State.EXPIRED: ("off", "Expired", ""),
    State.SUPERSEDED: ("back", "Superseded by a rollback", ""),
}

_CAPACITY_MOVES: dict[State, tuple[str, str, str]] = {
    State.BAKING: ("running", "In force, watched", ""),
    State.DRIFTED: ("drift", "Stopped: Azure shows what nobody here ordered", "warn"),
    State.SUCCEEDED: ("done", "Done: Azure reports what was ordered", "done"),
}

_SENT = {
    State.APPLYING: "Left out; going on",
    State.VERIFYING: "Sending it again",
    State.BAKING: "Next step",
    State.HELD: "Going on",
}


def events(detail: ChangeProgress) -> list[Event]:
    """The change's life, newest first."""
    return events_of(detail.moved, detail.row.kind)


def events_of(moves: Sequence[Moved], kind: Kind) -> list[Event]:
    """These moves of a change, newest first."""
    names = of_refs(moved.actor for moved in moves)
    titles = _MOVES | _CAPACITY_MOVES if kind is Kind.CAPACITY else _MOVES
    found = []
    for moved in reversed(moves):
        icon, title, tone = titles[State(moved.after)]
        if not moved.before and kind is Kind.ROLLBACK:
            icon, title = "back", "Rollback ordered"
        elif moved.after == State.CHECKING and moved.before:
            title = "Edited and checked again"
        elif moved.after == State.APPLYING:
            title = _SENT.get(State(moved.before), title) if moved.before else title
        elif moved.after == State.BAKING and moved.before == State.HELD:
            title = "Resumed"
        elif moved.after == State.IN_REVIEW and moved.before == State.IN_REVIEW:
            title = "Approved by one more"
        found.append(Event(icon, title, moved.at, names.get(moved.actor, ""), moved.reason, tone))
    return found


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One step as reviewers read it; `forecast` None where nothing was simulated.

    `title` "": it is a step of traffic, and its split says all; `shows_split`: there is a split to draw.
    """

    split: traffic.Split
    mirror: traffic.Split
    note: str
    forecast: Line | None = None
    title: str = ""
    shows_split: bool = True


def plan_lines(steps: tuple[Step, ...], terms: Terms, forecast: tuple[Line, ...] = ()) -> list[PlanLine]:
    """The plan, step by step."""
    by_number = {line.number: line for line in forecast}
    return [_plan_line(steps, terms, place, by_number.get(place + 1)) for place in range(len(steps))]


def _plan_line(steps: tuple[Step, ...], terms: Terms, place: int, forecast: Line | None) -> PlanLine:
    step = steps[place]
    if step.verb != "put_split":
        return PlanLine(
            step.split, step.mirror, words.note(step), forecast, words.label(step), shows_split=False
        )
    if words.is_scream(steps, place):
        return PlanLine(
            step.split,
            step.mirror,
            "a request to it holds the change until a person decides",
            forecast,
            words.scream_words(steps, place),
            shows_split=bool(step.split),
        )
    return PlanLine(step.split, step.mirror, _step_note(steps, terms, place), forecast)


def _step_note(steps: tuple[Step, ...], terms: Terms, place: int) -> str:
    step, last = steps[place], place + 1 == len(steps)
    parts = [f"bakes {length(step.bake)}" if step.bake else ""]
    parts.append("then a person clicks" if step.click else "")
    parts.append(f"then {length(terms.watch)} of watching" if last and terms.watch else "")
    return ", ".join(filter(None, parts)) or ("in one step" if len(steps) == 1 else "no bake")


def terms_words(terms: Terms) -> list[str]:
    """What holds for the whole plan, in short sentences."""
    found = [f"{ON_FAILURE[terms.on_failure].capitalize()}."] if terms.gates else []
    if terms.longest:
        found.append(f"It is held when it takes longer than {length(terms.longest)}.")
    if terms.warm:
        hours = f"{terms.warm}\u00a0h"
        found.append(f"What loses its traffic is kept for {hours} as a target to roll back to.")
    return found


def edited(seen: Content, detail: ChangeDetail) -> list[Compared]:
    """What an edit made of the content that somebody had before them."""
    terms = detail.rollout.terms
    rows = [
        Compared("Written against", split_words(seen.base.split), split_words(detail.base.split)),
        Compared("Plan", _plan_words(seen.steps, seen.terms), _plan_words(detail.steps, terms)),
        Compared("Gates", _gates_words(seen.terms), _gates_words(terms)),
        Compared("Terms", _terms_line(seen.terms), _terms_line(terms)),
    ]
    return [row for row in rows if row.changed]


def _plan_words(steps: tuple[Step, ...], terms: Terms) -> str:
    return "; ".join(f"{_line_words(line)} ({line.note})" for line in plan_lines(steps, terms))


def _line_words(line: PlanLine) -> str:
    mirrors = f", mirrors {split_words(line.mirror)}" if line.mirror and not line.title else ""
    return line.title or f"{split_words(line.split)}{mirrors}"


def _gates_words(terms: Terms) -> str:
    return "; ".join(gate_words(gate) for gate in terms.gates) or "none"


def _terms_line(terms: Terms) -> str:
    return " ".join(terms_words(terms)) or "none"


def approvals(detail: ChangeDetail, names: Mapping[int | None, str]) -> dict[str, Any]:
    """Who decided, who still may, and who never can."""
    given = [
        {
            "name": names.get(one.reviewer_id, "unknown"),
            "at": one.at,
            "approved": one.approved,
            "current": one.current,
            "accepted": one.accepted,
        }
        for one in detail.decided
    ]
    if detail.row.kind is Kind.ROLLBACK:
        note = _ROLLBACK_NOTE if detail.row.author_id else _AUTOMATIC_NOTE
        return {"title": "Approvals", "given": [], "required": 0, "waiting": "", "notes": [note]}
    quorum = detail.quorum
    counted = quorum.given if quorum else sum(1 for one in given if one["approved"] and one["current"])
    needed = quorum.needed if quorum else max(1, counted)
    waits = quorum is not None and not quorum.met
    missing = list(quorum.missing) if quorum else []
    return {
        "title": "Nobody approved it" if detail.row.emergency else f"Approvals, {counted} of {needed}",
        "given": given,
        "required": needed,
        "waiting": _awaited(detail) if waits else "",
        "notes": [*missing, _authors_note(detail, names)],
    }


_ROLLBACK_NOTE = (
    "A rollback needs no approval. It goes back to a split that the portal offered, and is recorded."
)
_AUTOMATIC_NOTE = "The portal ordered it by itself, as the approved plan says. It is recorded."


def _awaited(detail: ChangeDetail) -> str:
    """Whose approval would do, by name."""
    said = {one.reviewer_id for one in detail.decided if one.current}
    able = [
        one.display_name
        for one in access.holders(detail.row.workspace_id, Role.REVIEWER)
        if one.id not in detail.editors and one.id not in said
    ]
    if not able:
        return "Nobody who could approve this is a release reviewer here; ask a platform administrator."
    return able[0] if len(able) == 1 else f"Any of {', '.join(able)}"


def _authors_note(detail: ChangeDetail, names: Mapping[int | None, str]) -> str:
    writers = ", ".join(sorted(names.get(user_id, "unknown") for user_id in detail.editors))
    return f"{writers} wrote it and cannot approve it."


def people(detail: ChangeDetail) -> dict[int | None, str]:
    """Names of everybody who had a hand in it."""
    said, decided = {one.author_id for one in detail.said}, {one.reviewer_id for one in detail.decided}
    after = {detail.after_review.reviewer_id} if detail.after_review else set()
    return access.users_by_ids(
        {detail.row.author_id, detail.rollout.scheduled_by, *detail.editors, *said, *decided, *after}
    )


def sign(detail: ChangeDetail, *, mine_to_review: bool = False) -> Any:
    """The state's sign for this reader."""
    rollout = detail.rollout
    return sign_of(
        detail.row.state,
        kind=detail.row.kind,
        mine_to_review=mine_to_review,
        hold=rollout.hold,
        watching=rollout.bake is not None and rollout.bake.watch,
        scream=words.deletes(detail.steps),
    )
