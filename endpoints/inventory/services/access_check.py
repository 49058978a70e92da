"""Ask Azure what the portal's identity may do with a workspace, before or after it is connected."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from endpoints.azure_gateway.client import Azure, connect
from endpoints.azure_gateway.errors import Forbidden, GatewayError
from endpoints.azure_gateway.permissions import OF_GROUP, OF_SUBSCRIPTION, Action, Verdict, judge
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.core.ids import WorkspaceId, parse_workspace_id
from endpoints.inventory.connection import gateway_settings


@dataclass(frozen=True, slots=True)
class AccessReport:
    """`failure` says why Azure could not be asked; then nothing is known of the permissions."""

    arm_id: str
    region: str = ""
    failure: str = ""
    sufficient: bool = False
    missing: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()

    @property
    def role_command(self) -> str:
        """What an owner of the workspace runs to grant what is missing; "" when nothing is."""
        if self.sufficient:
            return ""
        return (
            'az role assignment create --assignee-object-id "<object id of the portal\'s identity>" '
            f'--assignee-principal-type ServicePrincipal --role "opsportal operator" --scope "{self.arm_id}"'
        )


def check_access(arm_id: str, *, settings: GatewaySettings | None = None) -> AccessReport:
    """The report for one workspace. ValueError when `arm_id` names none."""
    workspace = str(parse_workspace_id(arm_id))
    return asyncio.run(_check(workspace, settings or gateway_settings()))


async def _check(arm_id: str, settings: GatewaySettings) -> AccessReport:
    try:
        async with connect(settings) as azure:
            workspace = await azure.get_workspace(arm_id)
            permissions = await azure.list_permissions(arm_id)
            beyond = await _beyond(azure, parse_workspace_id(arm_id))
    except Forbidden as error:
        missing = (error.action,) if error.action else ()
        return AccessReport(arm_id, failure=error.message, missing=missing)
    except GatewayError as error:
        return AccessReport(arm_id, failure=error.message)
    return _report(arm_id, workspace.value.location, judge(permissions), beyond)


async def _beyond(azure: Azure, workspace: WorkspaceId) -> tuple[str, ...]:
    """What is missing above the workspace, none of which is needed to operate it."""
    subscription = f"/subscriptions/{workspace.subscription}"
    group = f"{subscription}/resourceGroups/{workspace.resource_group}"
    return (
        *await _missing(azure, "subscription", subscription, OF_SUBSCRIPTION),
        *await _missing(azure, "resource group", group, OF_GROUP),
    )


async def _missing(azure: Azure, place: str, scope: str, required: tuple[Action, ...]) -> tuple[str, ...]:
    try:
        granted = await azure.list_permissions(scope)
    except GatewayError as error:
        return (f"What is granted on the {place} is not known: {error.message}",)
    verdict = judge(granted, required=required, unwanted=())
    return tuple(f"On the {place}: {sentence}" for sentence in verdict.sentences())


def _report(arm_id: str, region: str, verdict: Verdict, beyond: tuple[str, ...]) -> AccessReport:
    return AccessReport(
        arm_id,
        region=region,
        sufficient=verdict.sufficient,
        missing=tuple(action.name for action in verdict.missing if action.essential),
        sentences=(*verdict.sentences(), *beyond),
    )
