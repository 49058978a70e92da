"""The three tables of online endpoints, with the columns that Azure documents. A contract test holds them to it."""

from __future__ import annotations

from collections.abc import Mapping

TRAFFIC = "AmlOnlineEndpointTrafficLog"
CONSOLE = "AmlOnlineEndpointConsoleLog"
EVENTS = "AmlOnlineEndpointEventLog"

_STANDARD = {
    "TenantId": "string",
    "TimeGenerated": "datetime",
    "_ResourceId": "string",
    "_SubscriptionId": "string",
    "_BilledSize": "real",
    "_IsBillable": "string",
    "SourceSystem": "string",
    "Type": "string",
}
_TRAFFIC = {
    "Method": "string",
    "Path": "string",
    "SubscriptionId": "string",
    "AzureMLWorkspaceId": "string",
    "AzureMLWorkspaceName": "string",
    "EndpointName": "string",
    "DeploymentName": "string",
    "Location": "string",
    "OperationName": "string",
    "Protocol": "string",
    "AuthType": "string",
    "IdentityData": "string",
    "ResponseCode": "int",
    "ResponseCodeReason": "string",
    "ModelStatusCode": "int",
    "ModelStatusReason": "string",
    "RequestPayloadSize": "int",
    "ResponsePayloadSize": "int",
    "UserAgent": "string",
    "XRequestId": "string",
    "XMSClientRequestId": "string",
    "TotalDurationMs": "int",
    "RequestDurationMs": "int",
    "ResponseDurationMs": "int",
    "RequestThrottlingDelayMs": "int",
    "ResponseThrottlingDelayMs": "int",
}
_INSTANCE = {"OperationName": "string", "InstanceId": "string", "DeploymentName": "string"}

TABLES: Mapping[str, Mapping[str, str]] = {
    TRAFFIC: {**_STANDARD, **_TRAFFIC},
    CONSOLE: {**_STANDARD, **_INSTANCE, "ContainerName": "string", "Message": "string"},
    EVENTS: {**_STANDARD, **_INSTANCE, "Name": "string", "Message": "string"},
}
"""Columns and their types, by table."""
