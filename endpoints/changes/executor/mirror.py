"""Whoever reads a new state records it: what the executor reads, the mirror sees first."""

from __future__ import annotations

import structlog
from django.db import DataError

from endpoints.changes.executor.jobs import Job
from endpoints.changes.executor.reading import Sight
from endpoints.dispatch import db_now
from endpoints.inventory.services import (
    Answer,
    Observation,
    observe_deployments,
    observe_endpoint,
    observe_endpoint_deleted,
)

log = structlog.get_logger(__name__)


def observe(job: Job, sight: Sight) -> Observation | None:
    """What the mirror made of it; None when it can't keep such an answer, which holds nobody up."""
    last = job.facts.last
    try:
        observed = observe_endpoint(
            workspace_id=job.workspace_id,
            reading=sight.endpoint,
            operation_ended=last.operation_ended_at if last else None,
        )
        if job.facts.beside and observed.endpoint_id == job.endpoint_id and not observed.stale:
            _observe_deployments(job, sight)
    except (ValueError, DataError) as error:
        log.warning("answer_not_kept", endpoint=job.endpoint_id, cause=type(error).__name__)
        return None
    return observed


def _observe_deployments(job: Job, sight: Sight) -> None:
    """What a step does to a deployment is told at once, and while the portal's own order explains it."""
    listing = sight.deployments
    if listing is None:
        return
    observe_deployments(
        endpoint_id=job.endpoint_id,
        records=listing.items,
        answer=Answer.to(listing),
        is_complete=not listing.unreadable,
    )


def observe_gone(job: Job) -> None:
    """Azure has no such endpoint any more. Told where its delete was ordered; of any other the sync tells."""
    if job.facts.deletes_endpoint:
        observe_endpoint_deleted(endpoint_id=job.endpoint_id, answer=Answer(job.now, db_now()))
