"""Where logs and metrics are exported to, and what is not taken for an export."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from endpoints.azure_gateway import diagnostics, errors
from endpoints.azure_gateway.records import DiagnosticSetting
from tests.azure_gateway import samples
from tests.azure_gateway.certificates import Certificates
from tests.azure_gateway.fakes import gateway

LOGS = (
    f"/subscriptions/{samples.SUBSCRIPTION}/resourceGroups/rg"
    "/providers/Microsoft.OperationalInsights/workspaces/logs"
)


def setting(**properties: Any) -> dict[str, Any]:
    return {
        "id": f"{samples.ENDPOINT}/providers/microsoft.insights/diagnosticSettings/to-logs",
        "name": "to-logs",
        "type": "Microsoft.Insights/diagnosticSettings",
        "properties": {
            "workspaceId": LOGS,
            "logs": [
                {"category": "AmlOnlineEndpointTrafficLog", "enabled": True},
                {"category": "AmlOnlineEndpointConsoleLog", "enabled": False},
                {"category": None, "categoryGroup": "audit", "enabled": True},
            ],
            "metrics": [{"category": "AllMetrics", "enabled": True}],
            **properties,
        },
    }


def test_setting__with_logs_and_metrics__names_the_enabled_ones() -> None:
    assert diagnostics.setting(setting()) == DiagnosticSetting(
        name="to-logs",
        log_categories=("AmlOnlineEndpointTrafficLog",),
        log_groups=("audit",),
        metrics=True,
        workspace_id=LOGS,
    )


@pytest.mark.parametrize(
    "metrics", [None, [], [{"category": "AllMetrics", "enabled": False}], [{"enabled": "yes"}]]
)
def test_setting__whose_metrics_are_not_enabled__exports_none(metrics: Any) -> None:
    assert not diagnostics.setting(setting(metrics=metrics)).metrics


def test_setting__to_a_storage_account__names_no_workspace() -> None:
    assert diagnostics.setting(setting(workspaceId=None, storageAccountId="/x")).workspace_id == ""


@pytest.mark.parametrize(
    "document", [None, [], {}, {"properties": 1}, setting(logs="x"), setting(metrics=["x"])]
)
def test_setting__of_a_wrong_shape__is_malformed(document: Any) -> None:
    with pytest.raises(errors.Malformed):
        diagnostics.setting(document)


@pytest.mark.asyncio
async def test_list__of_an_endpoint__gives_its_settings(certificates: Certificates) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"value": [setting()]})

    async with gateway(certificates, answer) as (fake, azure):
        (found,) = await azure.list_diagnostic_settings(samples.ENDPOINT)
    assert found.name == "to-logs"
    assert fake.calls[0].path == f"{samples.ENDPOINT}/providers/Microsoft.Insights/diagnosticSettings"
    assert fake.calls[0].query == "api-version=2021-05-01-preview"


@pytest.mark.asyncio
async def test_list__with_one_unreadable_setting__is_an_error_not_a_shorter_list(
    certificates: Certificates,
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"value": [setting(), {"id": "/x"}]})

    async with gateway(certificates, answer) as (_fake, azure):
        with pytest.raises(errors.Malformed, match="no properties"):
            await azure.list_diagnostic_settings(samples.ENDPOINT)


@pytest.mark.asyncio
async def test_list__of_what_is_no_resource_of_ours__sends_nothing(certificates: Certificates) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"value": []})

    async with gateway(certificates, answer) as (fake, azure):
        with pytest.raises(ValueError, match="not the ARM id of a workspace, endpoint or deployment"):
            await azure.list_diagnostic_settings(f"/subscriptions/{samples.SUBSCRIPTION}")
    assert fake.calls == []
