"""Everything that the review page and the live page of one change show."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Subquery

from endpoints.access.policies import Action, Decision, Principal, decide, visible_workspaces
from endpoints.changes import checks, progress
from endpoints.changes.decide import AttemptOutcome
from endpoints.changes.lifecycle import EDITABLE, OPEN, Kind, State
from endpoints.changes.models import Attempt, Change, ChangeRevision, Check, Note, Transition
from endpoints.changes.models import Decision as DecisionRow
from endpoints.changes.plan import Base, Step, base_from_json, steps_from_json
from endpoints.changes.quorum import Quorum
from endpoints.changes.selectors.after_review import AfterReviewView, after_review_of
from endpoints.changes.selectors.holding import holds_against
from endpoints.changes.selectors.quorum import quorum_of
from endpoints.changes.selectors.rollback import may_undo
from endpoints.changes.selectors.rollout import Rollout, rollout_of
from endpoints.changes.selectors.rows import ChangeRow, row_of
from endpoints.changes.selectors.sight import EndpointSight, endpoint_sight, live_split
from endpoints.changes.selectors.situation import situation
from endpoints.changes.verdict import Outcome, Verdict, worst_first
from endpoints.core import traffic
from endpoints.core.errors import NotFound
from endpoints.holds.selectors import Hold
from endpoints.inventory.selectors import CurrentSplit, DeploymentState, deployment_states


@dataclass(frozen=True, slots=True)
class Weight:
    """One deployment in the plan: its share by now, at the end, and what stands behind it (None: gone)."""

    name: str
    live: int
    base: int
    after: int
    deployment: DeploymentState | None


@dataclass(frozen=True, slots=True)
class Said:
    """A person's words. `kind`: reason, approval, rejection or comment."""

    kind: str
    author_id: int
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """A reviewer's decision, with the warnings accepted. `current` is False when it was voided by an edit."""

    reviewer_id: int
    approved: bool
    at: datetime
    current: bool
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """One move in the change's life, by an opaque actor. `step` is the one at work after it."""

    before: str
    after: str
    step: int
    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Call:
    """One call to Azure, of a step's `verb`. `instances` is what `deployment` is brought to by one that scales."""

    step: int
    sent_at: datetime
    ended_at: datetime | None
    outcome: str
    status: int | None
    split: traffic.Split
    azure_request_id: str
    error: str
    deployment: str = ""
    instances: int = 0
    verb: str = "put_split"


@dataclass(frozen=True, slots=True)
class ChangeProgress:
    """How far one change has come. `live` is None when the endpoint is gone."""

    row: ChangeRow
    steps: tuple[Step, ...]
    base: Base
    live: CurrentSplit | None
    weights: list[Weight]
    moved: list[Moved]
    calls: list[Call]
    way: list[progress.ProgressStep]
    confirmed_at: datetime | None
    reverted_by: int | None
    rollout: Rollout


@dataclass(frozen=True, slots=True)
class ChangeDetail(ChangeProgress):
    """One change. `content_hash` is what a decision must name; `sight` what its endpoint was read as.

    `quorum` while approvals count, `holds` while it was not started: what stands against a start now.
    """

    revision: int
    content_hash: str
    checks: list[Verdict]
    said: list[Said]
    decided: list[Decided]
    approval_expires_at: datetime | None
    cause: str
    editors: frozenset[int]
    sight: EndpointSight
    may: dict[str, Decision] = field(default_factory=dict)
    quorum: Quorum | None = None
    holds: tuple[Hold, ...] = ()
    after_review: AfterReviewView | None = None

    @property
    def drifted(self) -> bool:
        """Whether live traffic is not what the plan was written against, while that still matters."""
        if self.live is None or self.row.state not in EDITABLE:
            return False
        same_live = traffic.same(self.live.traffic, self.base.split)
        return not (same_live and traffic.same(self.live.mirror_traffic, self.base.mirror))

    @property
    def blocking(self) -> list[Verdict]:
        return [check for check in self.checks if check.blocks]


MAY = (
    Action.CREATE_TRAFFIC,
    Action.CREATE_CAPACITY,
    Action.APPROVE,
    Action.START,
    Action.OVERRIDE_GATE,
    Action.BREAK_GLASS,
    Action.COMMENT,
    Action.FREEZE_OVERRIDE,
)


def change_detail(principal: Principal, change_id: int) -> ChangeDetail:
    """The change, or NotFound when it is none that the principal may see."""
    revisions = _revisions(principal, change_id)
    revision = revisions[-1]
    change = revision.change
    sight = endpoint_sight(change.endpoint_id)
    common = _progress(revision, sight.live, sight.deployments)
    writers = {change.author_id, *(item.editor_id for item in revisions)}
    editors = frozenset(writer for writer in writers if writer is not None)
    return ChangeDetail(
        row=common.row,
        steps=common.steps,
        base=common.base,
        live=common.live,
        weights=common.weights,
        moved=common.moved,
        calls=common.calls,
        way=common.way,
        confirmed_at=common.confirmed_at,
        reverted_by=common.reverted_by,
        rollout=common.rollout,
        revision=revision.number,
        content_hash=revision.content_hash,
        checks=worst_first(_checks(revision, sight)),
        said=[
            Said(n.kind, n.author_id, n.text, n.at) for n in Note.objects.filter(change=change).order_by("pk")
        ],
        decided=_decided(change),
        approval_expires_at=change.approval_expires_at,
        cause=change.cause,
        editors=editors,
        sight=sight,
        may=_may(principal, change, editors, sight.orders.subject),
        quorum=quorum_of(change, revision) if _judged(change, sight) else None,
        holds=holds_against(change, revision) if change.state in EDITABLE and sight.live else (),
        after_review=after_review_of(change.pk) if change.emergency else None,
    )


def change_progress(principal: Principal, change_id: int) -> ChangeProgress:
    """What moves while a change is carried out, for those who watch; NotFound as with `change_detail`."""
    revision = _revisions(principal, change_id)[-1]
    endpoint_id = revision.change.endpoint_id
    return _progress(revision, live_split(endpoint_id), deployment_states(endpoint_id))


def _revisions(principal: Principal, change_id: int) -> list[Any]:
    """All contents that the change ever had, oldest first, each with the change and who reverted it."""
    reverting = Change.objects.filter(reverts=OuterRef("change")).order_by("pk").values("pk")[:1]
    found = ChangeRevision.objects.filter(
        change=change_id, change__workspace__in=visible_workspaces(principal)
    ).select_related("change__endpoint", "change__workspace")
    revisions = list(found.annotate(reverted_by=Subquery(reverting)).order_by("number"))
    if not revisions:
        raise NotFound(f"There is no CR-{change_id}, or not for you.")
    return revisions


def _progress(
    revision: Any, live: CurrentSplit | None, deployments: tuple[DeploymentState, ...]
) -> ChangeProgress:
    change: Change = revision.change
    base, steps = base_from_json(revision.base), steps_from_json(revision.plan)
    calls = list(Attempt.objects.filter(change=change).order_by("pk"))
    return ChangeProgress(
        row=row_of(revision),
        steps=steps,
        base=base,
        live=live,
        weights=_weights(deployments, live, base, steps),
        moved=_moved(change),
        calls=[_call(attempt) for attempt in calls],
        way=progress.steps(_way(change, [call for call in calls if call.step == change.step])),
        confirmed_at=change.confirmed_at,
        reverted_by=revision.reverted_by,
        rollout=rollout_of(revision, steps, every=settings.OPSPORTAL.gate_seconds),
    )


def _weights(
    deployments: tuple[DeploymentState, ...], live: CurrentSplit | None, base: Base, steps: tuple[Step, ...]
) -> list[Weight]:
    standing = {state.name.lower(): state for state in deployments}
    after, now = steps[-1].split, traffic.normalise(live.traffic) if live else {}
    names = sorted({*standing, *base.split, *after, *now})
    return [
        Weight(name, now.get(name, 0), base.split.get(name, 0), after.get(name, 0), standing.get(name))
        for name in names
    ]


def _checks(revision: ChangeRevision, sight: EndpointSight) -> list[Verdict]:
    """Fresh ones while a decision is still to be made; afterwards those that were kept with the last one."""
    change = revision.change
    waiting = change.state in OPEN and change.started_at is None
    if waiting and sight.live is not None and change.kind != Kind.ROLLBACK:
        return checks.run(situation(revision, sight))
    kept = Check.objects.filter(change=change, revision=change.revision)
    newest = kept.order_by("-pk").values("moment")[:1]
    return [
        Verdict(row.name, Outcome(row.outcome), row.reason, row.acceptable)
        for row in kept.filter(moment=Subquery(newest)).order_by("pk")
    ]


_APPROVED_BY = frozenset({State.IN_REVIEW, State.APPROVED, State.SCHEDULED})


def _judged(change: Change, sight: EndpointSight) -> bool:
    """Whether approvals count now: of an endpoint that is gone nobody can say which rules match."""
    return change.state in _APPROVED_BY and change.kind != Kind.ROLLBACK and sight.live is not None


def _decided(change: Change) -> list[Decided]:
    return [
        Decided(row.reviewer_id, row.approved, row.at, row.revision == change.revision, tuple(row.accepted))
        for row in DecisionRow.objects.filter(change=change).order_by("pk")
    ]


def _moved(change: Change) -> list[Moved]:
    return [
        Moved(row.before, row.after, row.step, row.actor, row.reason, row.at)
        for row in Transition.objects.filter(change=change).order_by("version")
    ]


def _call(attempt: Attempt) -> Call:
    return Call(
        step=attempt.step,
        sent_at=attempt.sent_at,
        ended_at=attempt.ended_at,
        outcome=attempt.outcome,
        status=attempt.status,
        split=traffic.normalise(attempt.intended["split"]),
        azure_request_id=attempt.azure_request_id,
        error=attempt.error,
        deployment=attempt.intended.get("deployment", ""),
        instances=attempt.intended.get("instances", 0),
        verb=attempt.verb,
    )


_TAKEN = (AttemptOutcome.ACCEPTED, AttemptOutcome.CONFIRMED, AttemptOutcome.ADOPTED)


def _way(change: Change, calls: list[Attempt]) -> progress.Way:
    newest = calls[-1] if calls else None
    taken = newest is not None and newest.outcome in _TAKEN
    return progress.Way(
        state=State(change.state),
        started=change.started_at,
        sent=newest.sent_at if newest else None,
        accepted=newest.ended_at if newest and taken else None,
        applied=newest.operation_ended_at if newest and not newest.operation_failure else None,
        confirmed=change.confirmed_at,
        ended=change.ended_at,
        detail=change.waiting_for,
    )


def _may(
    principal: Principal, change: Change, editors: frozenset[int], subject: Change | None
) -> dict[str, Decision]:
    own = principal.is_any_of([change.author_id])
    involved = principal.is_any_of(editors)
    workspace_id, slug = change.workspace_id, change.workspace.slug
    may: dict[str, Decision] = {
        action.value: decide(
            principal, action, workspace_id=workspace_id, workspace=slug, own=own, involved=involved
        )
        for action in MAY
    }
    may[Action.ROLL_BACK.value] = may_undo(principal, subject, workspace_id, slug)
    return may
