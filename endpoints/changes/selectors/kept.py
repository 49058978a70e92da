"""The files that a change keeps of what it deletes: those that are kept, and those that still have to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings

from endpoints.changes.models import KeptFile
from endpoints.changes.plan import Base, Step
from endpoints.changes.release import File, deployment_file, endpoint_file
from endpoints.dispatch import db_now
from endpoints.inventory.models import DeploymentRevision, EndpointRevision
from endpoints.inventory.selectors import (
    DeploymentState,
    current_split,
    deployment_states,
    endpoint_facts,
)

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
    wanted = {file_name(one.name) for one in _going(endpoint_id, step)}
    wanted |= {ENDPOINT_FILE} if step.verb == "delete_endpoint" else set()
    if not wanted:
        return frozenset()
    return frozenset(wanted) - set(KeptFile.objects.filter(change=change_id).values_list("name", flat=True))


def to_keep(number: str, endpoint_id: int, base: Base, step: Step) -> ToKeep:
    """What `step` deletes, as Azure was read to have it; the endpoint with the traffic of the change's base.

    A state that was not read for a while may not be the newest, and makes no file.
    """
    endpoint, making = endpoint_facts(endpoint_id).name, _Making(db_now())
    if step.verb == "delete_endpoint":
        live = current_split(endpoint_id)
        state = EndpointRevision.objects.get(pk=live.revision_id).state
        state = {**state, "traffic": base.split, "mirror_traffic": base.mirror}
        make = partial(endpoint_file, number, live.read_ended, endpoint, state, ended=False)
        making.add(ENDPOINT_FILE, live.read_ended, make)
    going = _going(endpoint_id, step)
    documents = _documents(going)
    for one in going:
        document = documents[one.revision_id]
        make = partial(deployment_file, number, one.read_ended, endpoint, one.name, document, ended=False)
        making.add(file_name(one.name), one.read_ended, make)
    return ToKeep(tuple(making.files), tuple(making.unsure))


def file_name(deployment: str) -> str:
    """`blue.yml`; a deployment called endpoint must not take the endpoint's file."""
    name = deployment.lower()
    return "endpoint-deployment.yml" if name == "endpoint" else f"{name}.yml"


class _Making:
    """Files in the making: what was read lately makes one."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.files: list[File] = []
        self.unsure: list[str] = []

    def add(self, name: str, read_ended: datetime, make: Callable[[], File]) -> None:
        age = (self._now - read_ended).total_seconds()
        if age > settings.OPSPORTAL.stale_read_seconds:
            self.unsure.append(f"{name}: it was last read {age:,.0f}\u00a0s ago, and may have changed since.")
            return
        self.files.append(replace(make(), name=name))


def _going(endpoint_id: int, step: Step) -> list[DeploymentState]:
    standing = deployment_states(endpoint_id)
    if step.verb == "delete_endpoint":
        return list(standing)
    if step.verb == "delete_deployment":
        return [one for one in standing if one.name.lower() == step.deployment]
    return []


def _documents(states: list[DeploymentState]) -> dict[int, dict[str, Any]]:
    wanted = [one.revision_id for one in states]
    return dict(DeploymentRevision.objects.filter(pk__in=wanted).values_list("pk", "state"))
