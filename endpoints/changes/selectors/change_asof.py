"""A change as it stood at a moment: content, state, words, decisions, checks and calls of that time, and no later.

All of it is the portal's own and append-only, so it is certain; only what the endpoint was tagged may not be.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from endpoints.access.policies import Principal, visible_workspaces
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.models import (
    Attempt,
    Change,
    ChangeRevision,
    Check,
    Decision,
    GateOverride,
    Measurement,
    Note,
    Transition,
)
from endpoints.changes.plan import Base, Step, base_from_json, steps_from_json
from endpoints.changes.quorum import Quorum
from endpoints.changes.selectors.after_review import EMERGENCY
from endpoints.changes.selectors.approvals_asof import CouldApprove, could_approve, quorum_then
from endpoints.changes.selectors.page import Call, Decided, Moved, Said
from endpoints.changes.selectors.rollout import MOST_MEASUREMENTS, Measured, Overridden
from endpoints.changes.terms import Terms, terms_from_json
from endpoints.changes.verdict import Outcome, Verdict, worst_first
from endpoints.core import traffic
from endpoints.core.errors import Invalid, NotFound
from endpoints.inventory.selectors import EndpointThen, endpoint_as_of


@dataclass(frozen=True, slots=True)
class ActiveThen:
    """The change that was at work on an endpoint."""

    id: int
    endpoint_id: int
    kind: Kind
    started_at: datetime

    @property
    def number(self) -> str:
        return f"CR-{self.id}"


@dataclass(frozen=True, slots=True)
class ChangeThen:
    """One change at `at`. `quorum` None: approvals did not count then, or `quorum_unknown` says why nobody can tell.

    `checks` are those that were kept with the last request, approval or start by then.
    """

    id: int
    at: datetime
    kind: Kind
    state: State
    step: int
    version: int
    endpoint_id: int
    endpoint: str
    workspace_id: int
    workspace: str
    author_id: int | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    reverts_id: int | None
    emergency: bool
    revision: int
    content_hash: str
    base: Base
    steps: tuple[Step, ...]
    terms: Terms
    editors: frozenset[int]
    checks: tuple[Verdict, ...]
    said: tuple[Said, ...]
    decided: tuple[Decided, ...]
    moved: tuple[Moved, ...]
    calls: tuple[Call, ...]
    measured: tuple[Measured, ...]
    overrides: tuple[Overridden, ...]
    could_approve: tuple[CouldApprove, ...]
    quorum: Quorum | None
    quorum_unknown: str
    endpoint_then: EndpointThen

    @property
    def number(self) -> str:
        return f"CR-{self.id}"

    @property
    def after(self) -> traffic.Split:
        return self.steps[-1].split


def active_then(endpoint_ids: Collection[int], at: datetime) -> dict[int, ActiveThen]:
    """By endpoint, the change that was started and not ended at `at`; of endpoints that the caller may see."""
    rows = Change.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=at), endpoint__in=list(endpoint_ids), started_at__lte=at
    ).order_by("started_at", "pk")
    return {
        row.endpoint_id: ActiveThen(row.pk, row.endpoint_id, Kind(row.kind), row.started_at)
        for row in rows
        if row.started_at is not None
    }


def last_completed_then(endpoint_id: int, at: datetime) -> int | None:
    """The change whose order was the last to be completed by then; of an endpoint that the caller may see."""
    done = Change.objects.filter(endpoint=endpoint_id, state=State.SUCCEEDED, ended_at__lte=at)
    found: int | None = done.order_by("-ended_at").values_list("pk", flat=True).first()
    return found


def change_then(principal: Principal, change_id: int, at: datetime) -> ChangeThen:
    """The change at `at`. NotFound when the principal may not see it, Invalid when it was asked for later."""
    change = Change.objects.filter(pk=change_id, workspace__in=visible_workspaces(principal))
    row = change.select_related("endpoint", "workspace").first()
    if row is None:
        raise NotFound(f"There is no CR-{change_id}, or not for you.")
    revisions = list(row.revisions.filter(created_at__lte=at).order_by("number"))
    moved = _moved(row, at)
    if not revisions or not moved:
        raise Invalid({"at": [f"CR-{change_id} did not exist then: it was asked for later."]})
    revision = revisions[-1]
    endpoint, state = endpoint_as_of(row.endpoint_id, at), State(moved[-1].after)
    editors = frozenset(
        one for one in (row.author_id, *(each.editor_id for each in revisions)) if one is not None
    )
    found, unknown = quorum_then(row, revision, editors, state, at)
    return ChangeThen(
        id=row.pk,
        at=at,
        kind=Kind(row.kind),
        state=state,
        step=moved[-1].step,
        version=len(moved),
        endpoint_id=row.endpoint_id,
        endpoint=row.endpoint.name,
        workspace_id=row.workspace_id,
        workspace=row.workspace.slug,
        author_id=row.author_id,
        created_at=row.created_at,
        started_at=row.started_at if row.started_at and row.started_at <= at else None,
        ended_at=row.ended_at if row.ended_at and row.ended_at <= at else None,
        reverts_id=row.reverts_id,
        emergency=_emergency(row, at),
        revision=revision.number,
        content_hash=revision.content_hash,
        base=base_from_json(revision.base),
        steps=steps_from_json(revision.plan),
        terms=terms_from_json(revision.terms),
        editors=editors,
        checks=_checks(row, revision, at),
        said=_said(row, at),
        decided=_decided(row, revision, at),
        moved=moved,
        calls=_calls(row, at),
        measured=_measured(row, at),
        overrides=_overrides(row, at),
        could_approve=could_approve(row, editors, at),
        quorum=found,
        quorum_unknown=unknown,
        endpoint_then=endpoint,
    )


def _moved(change: Change, at: datetime) -> tuple[Moved, ...]:
    rows = Transition.objects.filter(change=change, at__lte=at).order_by("version")
    return tuple(Moved(row.before, row.after, row.step, row.actor, row.reason, row.at) for row in rows)


def _emergency(change: Change, at: datetime) -> bool:
    return change.emergency and Note.objects.filter(change=change, kind=EMERGENCY, at__lte=at).exists()


def _checks(change: Change, revision: ChangeRevision, at: datetime) -> tuple[Verdict, ...]:
    """Those of the newest moment by then; one moment's are stored together."""
    kept = list(Check.objects.filter(change=change, revision=revision.number, at__lte=at).order_by("pk"))
    newest = [row for row in kept if row.moment == kept[-1].moment]
    return tuple(
        worst_first([Verdict(row.name, Outcome(row.outcome), row.reason, row.acceptable) for row in newest])
    )


def _said(change: Change, at: datetime) -> tuple[Said, ...]:
    rows = Note.objects.filter(change=change, at__lte=at).order_by("pk")
    return tuple(Said(row.kind, row.author_id, row.text, row.at) for row in rows)


def _decided(change: Change, revision: ChangeRevision, at: datetime) -> tuple[Decided, ...]:
    rows = Decision.objects.filter(change=change, at__lte=at).order_by("pk")
    return tuple(
        Decided(row.reviewer_id, row.approved, row.at, row.revision == revision.number, tuple(row.accepted))
        for row in rows
    )


def _calls(change: Change, at: datetime) -> tuple[Call, ...]:
    """Calls sent by then; one whose answer came later had none yet."""
    rows = Attempt.objects.filter(change=change, sent_at__lte=at).order_by("pk")
    return tuple(_call(row, answered=row.ended_at is not None and row.ended_at <= at) for row in rows)


def _call(row: Attempt, *, answered: bool) -> Call:
    return Call(
        step=row.step,
        sent_at=row.sent_at,
        ended_at=row.ended_at if answered else None,
        outcome=row.outcome if answered else "",
        status=row.status if answered else None,
        split=traffic.normalise(row.intended["split"]),
        azure_request_id=row.azure_request_id if answered else "",
        error=row.error if answered else "",
        deployment=row.intended.get("deployment", ""),
        instances=row.intended.get("instances", 0),
        verb=row.verb,
    )


def _measured(change: Change, at: datetime) -> tuple[Measured, ...]:
    """What each gate said last in each step, by then."""
    rows = Measurement.objects.filter(change=change, at__lte=at)
    newest = rows.order_by("step", "gate", "-until").distinct("step", "gate")[:MOST_MEASUREMENTS]
    return tuple(
        Measured(
            id=row.pk,
            step=row.step,
            gate=row.gate,
            outcome=Outcome(row.outcome),
            reason=row.reason,
            value=row.value,
            limit=row.limit,
            requests=row.requests,
            excused=row.excused,
            dry_run=row.dry_run,
            until=row.until,
            at=row.at,
            detail=row.detail,
        )
        for row in newest
    )


def _overrides(change: Change, at: datetime) -> tuple[Overridden, ...]:
    rows = GateOverride.objects.filter(change=change, at__lte=at).order_by("pk")
    return tuple(Overridden(row.gate, row.step, row.by_id, row.reason, row.at) for row in rows)
