"""What a worker holds while it works: one active change, the facts for `decide`, and the fence it may act under."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from endpoints.changes.decide import (
    AttemptOutcome,
    Autoscale,
    Blocked,
    Capacity,
    Facts,
    LastAttempt,
    Limits,
    Split,
)
from endpoints.changes.executor.bakes import bake_of
from endpoints.changes.lifecycle import EXECUTING, Kind, State
from endpoints.changes.models import Attempt, Change, ChangeRevision, Lease
from endpoints.changes.plan import Step, base_from_json, before_step, steps_from_json
from endpoints.changes.services.lease import lock_lease
from endpoints.changes.services.preflight import before_next_step
from endpoints.changes.terms import terms_from_json
from endpoints.changes.undo import essential
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import endpoint_facts

POISON = 5
"""After this many unexpected errors in a row a change is set aside, so that it can't hold up anything else."""
UNANSWERED = ("", AttemptOutcome.UNKNOWN)
_REFUSED_US = (401, 403)


class Fenced(Exception):
    """The endpoint's goal or its lease is no longer the one that this was decided under."""


@dataclass(frozen=True, slots=True)
class Job:
    """One active change as a worker holds it, with the fence under which it may act."""

    change_id: int
    endpoint_id: int
    workspace_id: int
    arm_id: str
    step: Step
    step_number: int
    steps: int
    facts: Facts
    holder: str
    epoch: int
    generation: int
    version: int
    stumbled: bool
    now: datetime

    @property
    def target_arm_id(self) -> str:
        """What the step's call is made on."""
        if self.step.verb == "put_autoscale":
            return self.step.setting
        if self.step.verb in ("patch_capacity", "delete_deployment"):
            return f"{self.arm_id}/deployments/{self.step.deployment}"
        return self.arm_id


@dataclass(frozen=True, slots=True)
class Due:
    """A change to work on, as the rows name it; `version` grows with each of its moves."""

    endpoint_id: int
    change_id: int
    version: int


def scaled(seconds: float) -> float:
    """A wait of the executor, as the settings scale it."""
    return float(seconds * settings.OPSPORTAL.poll_scale)


def limits() -> Limits:
    """The decider's limits out of the settings."""
    config = settings.OPSPORTAL
    return Limits(
        in_flight=config.in_flight_bound_seconds,
        second_read=config.second_read_seconds,
        scale_first=config.scale_first_seconds,
        bake_read=scaled(15),
        bake_gap=max(scaled(60), 5.0),
        grace=config.gate_grace_seconds,
        settle=scaled(30),
        busy_wait=scaled(3),
        slow_wait=scaled(15),
        attention_after=config.attention_after_seconds,
        poll=scaled(1),
    )


def due() -> list[Due]:
    """Every active change that somebody should work on now; what was set aside comes back when its pause is over."""
    return [Due(*row) for row in _workable().values_list("endpoint_id", "pk", "version")]


def _workable() -> QuerySet[Change]:
    active = Change.objects.filter(started_at__isnull=False, ended_at__isnull=True, state__in=EXECUTING)
    return active.filter(Q(failures__lt=POISON) | Q(next_check_at__lte=db_now()))


def load_job(endpoint_id: int, holder: str, epoch: int) -> Job | None:
    """The active change of this endpoint, or None when there is nothing to do.

    The lease is read first: whatever takes the endpoint from this change afterwards raises its generation, and
    the fence then finds the difference.
    """
    lease = Lease.objects.get(endpoint_id=endpoint_id)
    if lease.holder != holder or lease.epoch != epoch:
        raise Fenced
    change = _workable().filter(endpoint_id=endpoint_id).first()
    if change is None:
        return None
    revision = ChangeRevision.objects.get(change=change, number=change.revision)
    steps = steps_from_json(revision.plan)
    endpoint = endpoint_facts(endpoint_id)
    return Job(
        change_id=change.pk,
        endpoint_id=endpoint_id,
        workspace_id=change.workspace_id,
        arm_id=endpoint.arm_id,
        step=steps[change.step],
        step_number=change.step,
        steps=len(steps),
        facts=_facts(change, revision, steps, lease.generation),
        holder=holder,
        epoch=epoch,
        generation=lease.generation,
        version=change.version,
        stumbled=change.failures > 0,
        now=db_now(),
    )


def _facts(change: Change, revision: ChangeRevision, steps: tuple[Step, ...], generation: int) -> Facts:
    step = steps[change.step]
    before = before_step(base_from_json(revision.base), steps, change.step)
    assert change.step_since is not None
    return Facts(
        kind=Kind(change.kind),
        state=State(change.state),
        target=Split(step.split, step.mirror),
        before=None if change.kind == Kind.ROLLBACK else Split(*before),
        step_since=change.step_since,
        last=_last_attempt(change, generation),
        confirmed_at=change.confirmed_at,
        rival_sent_at=_rival_sent_at(change, generation),
        capacity=Capacity(step.deployment, step.instances) if step.verb == "patch_capacity" else None,
        autoscale=_autoscale(step),
        deletes=step.deployment if step.verb == "delete_deployment" else "",
        deletes_endpoint=step.verb == "delete_endpoint",
        essential=essential(steps, change.step),
        planned_at=revision.created_at,
        bake=bake_of(change, terms_from_json(revision.terms), steps),
        blocked=_blocked(change, revision, steps),
        hold_wanted=change.hold_wanted,
        waiting_for=change.waiting_for,
        attention=change.attention,
    )


def _autoscale(step: Step) -> Autoscale | None:
    if step.verb != "put_autoscale":
        return None
    return Autoscale(step.deployment, step.setting, step.document, step.previous)


def _blocked(change: Change, revision: ChangeRevision, steps: tuple[Step, ...]) -> Blocked | None:
    """What says "not now" to a step that was not ordered yet; a rollback is held by nothing."""
    if change.kind == Kind.ROLLBACK or change.state != State.APPLYING:
        return None
    return before_next_step(change, revision, steps)


def _last_attempt(change: Change, generation: int) -> LastAttempt | None:
    attempt = (
        Attempt.objects.filter(change=change, step=change.step, generation=generation).order_by("-pk").first()
    )
    if attempt is None:
        return None
    return LastAttempt(
        sent_at=attempt.sent_at,
        outcome=AttemptOutcome(attempt.outcome) if attempt.outcome else None,
        retry_at=attempt.retry_at,
        refusal=attempt.error,
        needs_person=attempt.status in _REFUSED_US,
        operation_uri=attempt.operation_uri,
        operation_ended_at=attempt.operation_ended_at,
        operation_failure=attempt.operation_failure,
    )


def _rival_sent_at(change: Change, generation: int) -> datetime | None:
    """When the newest call on this endpoint went out that is not this goal's and has no answer."""
    bound = timedelta(seconds=settings.OPSPORTAL.in_flight_bound_seconds)
    recent = Attempt.objects.filter(
        change__endpoint_id=change.endpoint_id, outcome__in=UNANSWERED, sent_at__gt=db_now() - bound
    )
    # A rollback's own calls order one split. A forward change's earlier steps order other ones.
    own = {} if change.kind == Kind.ROLLBACK else {"step": change.step}
    others = recent.exclude(change=change, generation=generation, **own)
    return others.order_by("-sent_at").values_list("sent_at", flat=True).first()


def fence(job: Job) -> Change:
    """Lock lease and change, in this order; Fenced unless both are as they were when the job was loaded."""
    lease = lock_lease(job.endpoint_id)
    if (lease.holder, lease.epoch, lease.generation) != (job.holder, job.epoch, job.generation):
        raise Fenced
    if lease.goal_id != job.change_id:
        raise Fenced
    if lease.expires_at is None or lease.expires_at <= db_now():
        raise Fenced
    change = Change.objects.select_for_update(no_key=True).get(pk=job.change_id)
    if change.state != job.facts.state or change.ended_at is not None:
        raise Fenced
    return change
