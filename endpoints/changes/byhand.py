"""The commands that do by hand what the portal does: for the day on which it can't."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

from endpoints.core.ids import WorkspaceId
from endpoints.core.traffic import as_argument, with_zeros


def traffic_command(
    workspace: WorkspaceId, endpoint: str, split: Mapping[str, int], deployments: Iterable[str]
) -> str:
    """`az ml online-endpoint update --traffic` with every deployment named, zeros included."""
    weights = as_argument(with_zeros(split, deployments))
    return f'az ml online-endpoint update --name {shlex.quote(endpoint)} --traffic "{weights}" {_where(workspace)}'


def show_command(workspace: WorkspaceId, endpoint: str) -> str:
    """What Azure reports now."""
    return f"az ml online-endpoint show --name {shlex.quote(endpoint)} --query traffic {_where(workspace)}"


def _where(workspace: WorkspaceId) -> str:
    return (
        f"--workspace-name {shlex.quote(workspace.name)} --resource-group {shlex.quote(workspace.resource_group)} "
        f"--subscription {workspace.subscription}"
    )
