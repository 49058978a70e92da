"""Take answers about deployments into the mirror.

The endpoint's row is the lock for all of its deployments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DataError, transaction
from django.db.models import QuerySet

from endpoints.azure_gateway.records import DeploymentRecord, Reading
from endpoints.core.errors import NotFound
from endpoints.core.ids import arm_key
from endpoints.dispatch import db_now
from endpoints.inventory import drift, normalise, succession, timeline
from endpoints.inventory.models import Deployment, DeploymentRevision, Drift, Endpoint
from endpoints.inventory.normalise import Seen
from endpoints.inventory.selectors import covering
from endpoints.inventory.services import documents, drifts, expectations, projection
from endpoints.inventory.services.observation import Answer, Observation
from endpoints.inventory.succession import Step

DRIFT = "drift"


@dataclass(slots=True)
class _Scene:
    """One endpoint, locked, while answers about its deployments are taken in."""

    endpoint: Endpoint
    answer: Answer
    now: datetime
    drifts: list[Drift] = field(default_factory=list)

    @property
    def is_first_listing(self) -> bool:
        return self.endpoint.deployments_seen_at is None


@dataclass(frozen=True, slots=True)
class ListingOutcome:
    """What came of a list of deployments.

    `stale` and `unreadable` name ARM ids, the latter with the reason.
    """

    changes: int = 0
    stale: tuple[str, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()


@transaction.atomic
def observe_deployment(*, workspace_id: int, reading: Reading[DeploymentRecord]) -> Observation:
    """One answer about one deployment. NotFound when its endpoint is not in the mirror."""
    record = reading.value
    endpoint = (
        _lock()
        .filter(workspace_id=workspace_id, arm_key=arm_key(record.endpoint_arm_id), deleted_at=None)
        .first()
    )
    if endpoint is None:
        raise NotFound(f"The endpoint of {record.name} is not known here; nothing was recorded.")
    scene = _Scene(endpoint, Answer.to(reading), db_now())
    observation = _accept(scene, normalise.deployment(record), record)
    _close(scene)
    return observation


@transaction.atomic
def observe_deployments(
    *, endpoint_id: int, records: Iterable[DeploymentRecord], answer: Answer, is_complete: bool
) -> ListingOutcome:
    """A list of an endpoint's deployments. Only a complete one says that what is not in it is gone."""
    scene = _Scene(_lock().get(pk=endpoint_id), answer, db_now())
    if scene.endpoint.deleted_at is not None:
        return ListingOutcome()
    changes, stale, unreadable, listed = 0, [], [], set()
    for record in records:
        listed.add(record.name.lower())
        try:
            with transaction.atomic():
                observation = _accept(scene, normalise.deployment(record), record)
        except (ValueError, DataError) as error:
            unreadable.append((record.arm_id, f"it can't be kept ({type(error).__name__})"))
            continue
        changes += observation.changed
        stale += [record.arm_id] if observation.stale else []
    if is_complete and not unreadable:
        changes += _bury_absent(scene, listed)
        scene.endpoint.deployments_seen_at = scene.endpoint.deployments_seen_at or scene.now
    _close(scene)
    return ListingOutcome(changes, tuple(stale), tuple(unreadable))


def bury(row: Deployment, answer: Answer, now: datetime, *, cause: str = DRIFT) -> DeploymentRevision:
    """It is gone: the newest state is that there is none."""
    earliest, latest = timeline.interval(covering.of_newest_run(row).began, answer.ended)
    revision = DeploymentRevision.objects.create(
        deployment=row,
        earliest=earliest,
        latest=latest,
        known_at=now,
        state_hash="",
        state={},
        deleted=True,
        cause=cause,
        azure_request_id=answer.azure_request_id,
    )
    row.latest_revision, row.deleted_at, row.state_hash = revision, now, ""
    projection.was_read(row, answer)
    row.save()
    return revision


def _accept(scene: _Scene, seen: Seen, record: DeploymentRecord) -> Observation:
    row = _newest(scene.endpoint, seen)
    covered = covering.of_newest_run(row) if row else None
    if row is None or covered is None:
        return _first(scene, seen, record, None)
    recorded = succession.Recorded(
        row.state_hash, row.azure_created_at, row.deleted_at is not None, covered.ended
    )
    step = succession.step(
        recorded, state_hash=seen.state_hash, created_at=seen.created_at, began=scene.answer.began
    )
    match step:
        case Step.UNCHANGED:
            projection.was_read(row, scene.answer)
            row.save(update_fields=["last_read_began", "last_read_ended"])
            return Observation(scene.endpoint.pk, row.latest_revision_id)
        case Step.STALE:
            return Observation(scene.endpoint.pk, row.latest_revision_id, stale=True)
        case Step.SUCCESSOR:
            if row.deleted_at is None:
                _lose(scene, row)
            return _first(scene, seen, record, covered.began)
    return _changed(scene, row, seen, record, covered.began)


def _first(scene: _Scene, seen: Seen, record: DeploymentRecord, absent_at: datetime | None) -> Observation:
    """A new deployment: by others, unless it was there before the endpoint was ever listed."""
    row = Deployment(
        endpoint=scene.endpoint,
        first_seen_at=scene.now,
        last_read_began=scene.answer.began,
        last_read_ended=scene.answer.ended,
    )
    projection.deployment_columns(row, seen, scene.answer)
    row.save(force_insert=True)
    began = None if scene.is_first_listing else absent_at or _last_seen_absent(scene)
    _, after = drift.watched_change({}, seen.state)
    revision = _add_revision(scene, row, seen, record, began, "" if scene.is_first_listing else DRIFT)
    if not scene.is_first_listing:
        scene.drifts.append(drifts.record_deployment(scene.endpoint, row, revision, {}, after, scene.now))
    return _project(scene, row, seen, revision, drifted=not scene.is_first_listing)


def _changed(
    scene: _Scene, row: Deployment, seen: Seen, record: DeploymentRecord, last_old_read: datetime
) -> Observation:
    old = row.latest_revision.state if row.latest_revision else {}
    before, after = drift.watched_change(old, seen.state) if row.deleted_at is None else ({}, {})
    drifted = bool(before)
    revision = _add_revision(scene, row, seen, record, last_old_read, DRIFT if drifted else "")
    if drifted:
        found = drifts.record_deployment(scene.endpoint, row, revision, before, after, scene.now)
        _raise_alarm(scene, row, found)
    return _project(scene, row, seen, revision, drifted=drifted)


def _lose(scene: _Scene, row: Deployment) -> None:
    began, ended = covering.of_newest_run(row).began, scene.answer.ended
    verb = expectations.DELETE_DEPLOYMENT
    if orders := expectations.open_between(scene.endpoint.pk, began, ended, verb, row.name_key):
        bury(row, scene.answer, scene.now, cause=orders[0].cause)
        expectations.matched(orders[0], None, scene.now)
        return
    before, _ = drift.watched_change(row.latest_revision.state if row.latest_revision else {}, {})
    revision = bury(row, scene.answer, scene.now)
    found = drifts.record_deployment(scene.endpoint, row, revision, before, {}, scene.now)
    _raise_alarm(scene, row, found)


def _raise_alarm(scene: _Scene, row: Deployment, found: Drift) -> None:
    """What takes requests was changed: that needs an explanation.

    Making and removing idle ones is daily work.
    """
    scene.drifts.append(found)
    if row.name_key in scene.endpoint.traffic or row.name_key in scene.endpoint.mirror_traffic:
        scene.endpoint.open_drift = found


def _bury_absent(scene: _Scene, listed: set[str]) -> int:
    count = 0
    rows = Deployment.objects.filter(endpoint=scene.endpoint, deleted_at=None).exclude(name_key__in=listed)
    for row in rows.select_related("latest_revision", "endpoint"):
        covered = covering.of_newest_run(row)
        recorded = succession.Recorded(row.state_hash, row.azure_created_at, False, covered.ended)
        if succession.absent(recorded, began=scene.answer.began) is Step.CHANGED:
            _lose(scene, row)
            count += 1
    return count


def _add_revision(
    scene: _Scene,
    row: Deployment,
    seen: Seen,
    record: DeploymentRecord,
    last_old_read: datetime | None,
    cause: str,
) -> DeploymentRevision:
    earliest, latest = timeline.interval(last_old_read, scene.answer.ended)
    return DeploymentRevision.objects.create(
        deployment=row,
        earliest=earliest,
        latest=latest,
        known_at=scene.now,
        state_hash=seen.state_hash,
        state=seen.state,
        document_id=documents.keep(record.raw),
        cause=cause,
        modified_by=record.last_modified_by,
        azure_request_id=scene.answer.azure_request_id,
    )


def _project(
    scene: _Scene, row: Deployment, seen: Seen, revision: DeploymentRevision, *, drifted: bool
) -> Observation:
    row.latest_revision = revision
    projection.deployment_columns(row, seen, scene.answer)
    row.save()
    return Observation(scene.endpoint.pk, revision.pk, changed=True, drifted=drifted)


def _close(scene: _Scene) -> None:
    """Marks once for all, then the ledger: from there on its other writers wait for the commit."""
    projection.refresh_marks(scene.endpoint)
    scene.endpoint.save()
    for found in scene.drifts:
        drifts.to_ledger(found, scene.answer.azure_request_id)


def _newest(endpoint: Endpoint, seen: Seen) -> Deployment | None:
    named = Deployment.objects.select_related("latest_revision", "endpoint").filter(
        endpoint=endpoint, name_key=seen.name.lower()
    )
    return named.filter(deleted_at=None).first() or named.order_by("-deleted_at").first()


def _last_seen_absent(scene: _Scene) -> datetime | None:
    run = covering.newest_run(scene.endpoint.workspace_id)
    return run.reads_began if run and not run.unreadable else None


def _lock() -> QuerySet[Endpoint]:
    return Endpoint.objects.select_related("open_drift").select_for_update(of=("self",), no_key=True)
