"""What a change left behind: the endpoint's and its deployments' state when it ended, as files and as a record.

A state that nobody can be sure of makes no file: the record says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from endpoints.access.policies import Principal
from endpoints.access.selectors import workspace
from endpoints.changes.byhand import traffic_command
from endpoints.changes.models import Change
from endpoints.changes.release import File, Version, deployment_file, endpoint_file, version
from endpoints.changes.selectors.change_asof import ChangeThen, change_then
from endpoints.core.errors import Conflict
from endpoints.core.ids import parse_workspace_id
from endpoints.core.traffic import Split
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import DeploymentThen, EndpointThen, deployments_as_of, endpoint_as_of
from endpoints.inventory.selectors.asof import Answer
from endpoints.inventory.timeline import Certainty, Gap


@dataclass(frozen=True, slots=True)
class Release:
    """A change that reached Azure and ended. `read_at`: when the state was read, which may be before the end.

    `unsure` says in sentences which files are missing, and why. `command` brings the split about by hand; "" where
    that is not certain.
    """

    change: ChangeThen
    at: datetime
    read_at: datetime
    traffic: Split | None
    mirror_traffic: Split | None
    versions: tuple[Version, ...]
    files: tuple[File, ...]
    unsure: tuple[str, ...]
    command: str

    @property
    def number(self) -> str:
        return self.change.number

    def file(self, name: str) -> File | None:
        return next((one for one in self.files if one.name == name), None)


def release_of(principal: Principal, change_id: int) -> Release:
    """The record. NotFound as ever; Conflict while there is none: it is not over, or never reached Azure."""
    row = Change.objects.filter(pk=change_id).values_list("started_at", "ended_at").first()
    started_at, ended_at = row or (None, None)
    if started_at is None or ended_at is None:
        raise Conflict(_why_none(principal, change_id, ended=ended_at is not None))
    change = change_then(principal, change_id, ended_at)
    endpoint, read_at = _newest(change.endpoint_id, ended_at)
    deployments = [one for one in deployments_as_of(change.endpoint_id, read_at) if not one.is_gone]
    return _release(change, ended_at, read_at, endpoint, deployments)


def _why_none(principal: Principal, change_id: int, *, ended: bool) -> str:
    """Who may not see the change hears that it is not there."""
    found = change_then(principal, change_id, db_now())
    why = "it never reached Azure" if ended else "it is not over"
    return f"{found.number} has no release record: {why}."


def _newest(endpoint_id: int, at: datetime) -> tuple[EndpointThen, datetime]:
    """The state at the end, or as the last reading before it had it where none came after."""
    then = endpoint_as_of(endpoint_id, at)
    if then.why is not None and then.why.gap is Gap.NOT_READ_AFTER and then.why.moment is not None:
        return endpoint_as_of(endpoint_id, then.why.moment), then.why.moment
    return then, at


def _release(
    change: ChangeThen,
    at: datetime,
    read_at: datetime,
    endpoint: EndpointThen,
    deployments: list[DeploymentThen],
) -> Release:
    state, unsure = _certain(endpoint), []
    files: list[File] = []
    split: Split | None = None
    if state is None:
        unsure.append(f"endpoint.yml: {_why_not(endpoint)}")
    else:
        split = dict(state.get("traffic") or {})
        files.append(endpoint_file(change.number, read_at, change.endpoint, state))
    versions = []
    for one in deployments:
        its = _certain(one)
        if its is None:
            unsure.append(f"{one.name}.yml: {_why_not(one)}")
            continue
        files.append(deployment_file(change.number, read_at, change.endpoint, one.name, its))
        versions.append(version(one.name, its, split))
    return Release(
        change=change,
        at=at,
        read_at=read_at,
        traffic=split,
        mirror_traffic=None if state is None else dict(state.get("mirror_traffic") or {}),
        versions=tuple(sorted(versions, key=lambda one: (-(one.weight or 0), one.deployment))),
        files=tuple(files),
        unsure=tuple(unsure),
        command="" if split is None else _command(change, split, [one.name for one in deployments]),
    )


def _certain(answer: Answer) -> Mapping[str, Any] | None:
    sure = answer.certainty is Certainty.CERTAIN and not answer.states[0].deleted
    return answer.states[0].state if sure else None


def _why_not(answer: Answer) -> str:
    if answer.is_gone:
        return "it was deleted."
    if answer.certainty is Certainty.ONE_OF_TWO:
        return "it was being changed at that moment, and was one of two."
    return "what it was at that moment was never read."


def _command(change: ChangeThen, split: Split, names: list[str]) -> str:
    place = parse_workspace_id(workspace(change.workspace_id).arm_id)
    return traffic_command(place, change.endpoint, split, names)
