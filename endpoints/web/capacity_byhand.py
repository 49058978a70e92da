"""The commands that do a change of capacity by hand: for the day on which the portal can't. Pure.

None says --yes: az asks once more before it deletes.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence

from endpoints.changes.byhand import traffic_command
from endpoints.changes.plan import Step
from endpoints.core.ids import WorkspaceId
from endpoints.web.capacity_words import label

AUTOSCALE_API = "2022-10-01"
BY_HAND = "They are in the order of the plan; a scream test is yours to wait out. az asks once more before it deletes."


def capacity_commands(
    workspace: WorkspaceId, endpoint: str, steps: Sequence[Step], names: Iterable[str]
) -> list[tuple[str, str]]:
    """Look, then each step in its order. `names`: the deployments that stand, whose weights are to be named."""
    named = list(names)
    found = [("Look", _list(workspace, endpoint))]
    for step in steps:
        found += _step(workspace, endpoint, step, named)
    return found


def _step(workspace: WorkspaceId, endpoint: str, step: Step, names: list[str]) -> list[tuple[str, str]]:
    where = (
        f"--endpoint-name {shlex.quote(endpoint)} --name {shlex.quote(step.deployment)} {_place(workspace)}"
    )
    match step.verb:
        case "put_split":
            return [("Set the split", traffic_command(workspace, endpoint, step.split, names))]
        case "patch_capacity":
            scaled = f"az ml online-deployment update {where} --set instance_count={step.instances}"
            return [(label(step), scaled)]
        case "put_autoscale":
            return _autoscale(step)
        case "delete_deployment":
            return [(label(step), f"az ml online-deployment delete {where}")]
        case _:
            whole = f"--name {shlex.quote(endpoint)} {_place(workspace)}"
            return [(label(step), f"az ml online-endpoint delete {whole}")]


def _autoscale(step: Step) -> list[tuple[str, str]]:
    """`az rest` takes the setting's ARM id for an address of Azure Resource Manager."""
    address = shlex.quote(f"{step.setting}?api-version={AUTOSCALE_API}")
    if step.document is None:
        return [("Take the autoscale setting away", f"az rest --method delete --url {address}")]
    body = json.dumps(step.document, indent=2, sort_keys=True, ensure_ascii=False, default=str)
    return [
        ("autoscale.json", body),
        ("Put the autoscale setting", f"az rest --method put --url {address} --body @autoscale.json"),
    ]


def _list(workspace: WorkspaceId, endpoint: str) -> str:
    return (
        f"az ml online-deployment list --endpoint-name {shlex.quote(endpoint)} -o table {_place(workspace)}"
    )


def _place(workspace: WorkspaceId) -> str:
    return (
        f"--workspace-name {shlex.quote(workspace.name)} --resource-group {shlex.quote(workspace.resource_group)} "
        f"--subscription {workspace.subscription}"
    )
