"""The files that a change keeps of what it deletes: those that are kept, and those that still have to be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from endpoints.changes.models import KeptFile
from endpoints.changes.plan import Base, Step
from endpoints.changes.release import File, deployment_file, endpoint_file
from endpoints.changes.selectors.releases import certain, newest_state, why_not
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import (
    DeploymentThen,
    deployment_states,
    deployments_as_of,
    endpoint_facts,
)
from endpoints.inventory.timeline import Gap

ENDPOINT_FILE = "endpoint.yml"


@dataclass(frozen=True, slots=True)
class ToKeep:
    """`files` that can be kept now. `unsure`: in sentences, those that can't, and why."""

    files: tuple[File, ...]
    unsure: tuple[str, ...]


def kept_files(change_id: int) -> tuple[File, ...]:
    """By name; none for a change that deletes nothing, or did not come so far. Of a change that the caller may see."""
    rows = KeptFile.objects.filter(change=change_id).order_by("name")
    return tuple(File(row.name, row.text, tuple(row.left_out)) for row in rows)


def missing_files(change_id: int, endpoint_id: int, step: Step) -> frozenset[str]:
    """Names of files without which `step` must not delete; none where it deletes nothing."""
    wanted = {file_name(name) for name in _going(endpoint_id, step)}
    wanted |= {ENDPOINT_FILE} if step.verb == "delete_endpoint" else set()
    if not wanted:
        return frozenset()
    return frozenset(wanted) - set(KeptFile.objects.filter(change=change_id).values_list("name", flat=True))


def to_keep(number: str, endpoint_id: int, base: Base, step: Step) -> ToKeep:
    """What `step` deletes, as Azure was last read to have it; the endpoint with the traffic of the change's base."""
    name, now = endpoint_facts(endpoint_id).name, db_now()
    files: list[File] = []
    unsure: list[str] = []
    if step.verb == "delete_endpoint":
        then, at = newest_state(endpoint_id, now)
        state = certain(then)
        if state is None:
            unsure.append(f"{ENDPOINT_FILE}: {why_not(then)}")
        else:
            before = {**state, "traffic": base.split, "mirror_traffic": base.mirror}
            files.append(endpoint_file(number, at, name, before, ended=False))
    for deployment, at in _newest(endpoint_id, _going(endpoint_id, step), now):
        its, named = certain(deployment), file_name(deployment.name)
        if its is None:
            unsure.append(f"{named}: {why_not(deployment)}")
            continue
        file = deployment_file(number, at, name, deployment.name, its, ended=False)
        files.append(replace(file, name=named))
    return ToKeep(tuple(files), tuple(unsure))


def file_name(deployment: str) -> str:
    """`blue.yml`; a deployment called endpoint must not take the endpoint's file."""
    name = deployment.lower()
    return "endpoint-deployment.yml" if name == "endpoint" else f"{name}.yml"


def _going(endpoint_id: int, step: Step) -> list[str]:
    standing = [state.name.lower() for state in deployment_states(endpoint_id)]
    if step.verb == "delete_endpoint":
        return standing
    return [name for name in standing if step.verb == "delete_deployment" and name == step.deployment]


def _newest(endpoint_id: int, names: Iterable[str], now: datetime) -> list[tuple[DeploymentThen, datetime]]:
    """Each as it is now, or as the last reading had it."""
    wanted = set(names)
    found = [one for one in deployments_as_of(endpoint_id, now) if one.name.lower() in wanted]
    return [_last_read(endpoint_id, one, now) for one in found if not one.is_gone]


def _last_read(endpoint_id: int, one: DeploymentThen, now: datetime) -> tuple[DeploymentThen, datetime]:
    if one.why is None or one.why.gap is not Gap.NOT_READ_AFTER or one.why.moment is None:
        return one, now
    moment = one.why.moment
    then = deployments_as_of(endpoint_id, moment)
    return next(other for other in then if other.deployment_id == one.deployment_id), moment
