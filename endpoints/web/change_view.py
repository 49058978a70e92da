"""One change in the words of its two pages: heading, comparison, events, approvals. No requests here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from endpoints.access import selectors as access
from endpoints.access.roles import Role
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.selectors import ChangeDetail
from endpoints.changes.selectors.page import Weight
from endpoints.core import traffic
from endpoints.inventory.assets import short
from endpoints.inventory.selectors import DeploymentState
from endpoints.web.bars import order_of
from endpoints.web.names import of_refs
from endpoints.web.states import sign_of
from endpoints.web.wording import split as split_words

NOT_REPORTED = "not reported"


@dataclass(frozen=True, slots=True)
class Compared:
    """One field before and after."""

    field: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        return self.before != self.after


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
    """`CR-413: checkout-risk to green 100 %`."""
    row = detail.row
    if row.kind is Kind.ROLLBACK:
        return f"{row.number}: roll back {row.endpoint} to {split_words(row.after)}"
    if row.kind is Kind.DRILL:
        return f"{row.number}: practise a rollback of {row.endpoint} from {split_words(row.after)}"
    return f"{row.number}: send {row.endpoint} traffic to {split_words(row.after)}"


def order(detail: ChangeDetail) -> list[str]:
    """One order of patterns for every bar of the page."""
    return order_of(detail.base.split, detail.row.after, names=[one.name for one in detail.weights])


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

_SENT = {
    State.APPLYING: "Left out; going on",
    State.VERIFYING: "Sending it again",
    State.BAKING: "Next step",
    State.HELD: "Going on",
}


def events(detail: ChangeDetail) -> list[Event]:
    """The change's life, newest first."""
    names = of_refs(moved.actor for moved in detail.moved)
    found = []
    for moved in reversed(detail.moved):
        icon, title, tone = _MOVES[State(moved.after)]
        if not moved.before and detail.row.kind is Kind.ROLLBACK:
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


def approvals(detail: ChangeDetail, names: Mapping[int | None, str]) -> dict[str, Any]:
    """Who decided, who still may, and who never can."""
    given = [
        {
            "name": names.get(one.reviewer_id, "unknown"),
            "at": one.at,
            "approved": one.approved,
            "current": one.current,
        }
        for one in detail.decided
    ]
    if detail.row.kind is Kind.ROLLBACK:
        return {"title": "Approvals", "given": [], "required": 0, "waiting": "", "notes": [_ROLLBACK_NOTE]}
    counted = sum(1 for one in given if one["approved"] and one["current"])
    waits = detail.row.state is State.IN_REVIEW
    return {
        "title": f"Approvals, {counted} of 1",
        "given": given,
        "required": 1,
        "waiting": _awaited(detail) if waits else "",
        "notes": [_authors_note(detail, names)],
    }


_ROLLBACK_NOTE = (
    "A rollback needs no approval. It goes back to a split that the portal offered, and is recorded."
)


def _awaited(detail: ChangeDetail) -> str:
    """Whose approval would do, by name."""
    able = [
        one.display_name
        for one in access.holders(detail.row.workspace_id, Role.REVIEWER)
        if one.id not in detail.editors
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
    return access.users_by_ids({detail.row.author_id, *detail.editors, *said, *decided})


def sign(detail: ChangeDetail, *, mine_to_review: bool = False) -> Any:
    """The state's sign for this reader."""
    rollout = detail.rollout
    return sign_of(
        detail.row.state,
        kind=detail.row.kind,
        mine_to_review=mine_to_review,
        hold=rollout.hold,
        watching=rollout.bake is not None and rollout.bake.watch,
    )
