"""The room's tasks. Rows say what is due: a task that comes twice, late or never changes nothing but delay.

Rollouts and rollbacks need none of them: the executor is a process of its own.
"""

from __future__ import annotations

from celery import shared_task

from endpoints.changes.services import drills, probe, readiness, recheck
from endpoints.changes.services.sample import PROBE_ENDPOINT
from endpoints.changes.services.writing import PROBE_CHANGE


@shared_task(name="changes.refresh_readiness")
def refresh_readiness() -> None:
    """Look anew at the lights that are older than some minutes."""
    readiness.refresh()


@shared_task(name="changes.observe_drills")
def observe_drills() -> None:
    """Say how drills ended, and when requests followed their rollbacks."""
    drills.observe_drills()


@shared_task(name="changes.probe_due")
def probe_due() -> None:
    """Ask for a probe of what was not asked directly for some time."""
    for change_id in recheck.due_changes():
        probe_change.apply_async(args=(change_id,), expires=60, retry=False)
    for endpoint_id in recheck.due_endpoints():
        probe_endpoint.apply_async(args=(endpoint_id,), expires=60, retry=False)


@shared_task(name=PROBE_CHANGE)
def probe_change(change_id: int) -> None:
    """Ask the deployments of a change, and judge it again."""
    recheck.probe_change(change_id=change_id)


@shared_task(name=PROBE_ENDPOINT)
def probe_endpoint(endpoint_id: int) -> None:
    """Ask every deployment of an endpoint."""
    probe.probe_endpoint(endpoint_id=endpoint_id)
