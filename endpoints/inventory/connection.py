"""How this installation reaches Azure: the portal's settings in the gateway's terms."""

from __future__ import annotations

import json
from dataclasses import replace

from django.conf import settings

from endpoints.azure_gateway.settings import CLOUDS, CloudSettings, CredentialKind, GatewaySettings

_BY_HAND = {
    "resource_manager": "azure_resource_manager",
    "portal": "azure_portal_url",
    "studio": "azure_studio_url",
    "metrics": "azure_metrics_endpoint",
    "logs": "azure_logs_endpoint",
    "prices": "azure_prices_endpoint",
}


def gateway_settings() -> GatewaySettings:
    """Equal settings for equal configurations: connections of one process then share their token buckets."""
    config = settings.OPSPORTAL
    return GatewaySettings(
        cloud=cloud_settings(),
        credential=CredentialKind(config.azure_credential),
        client_id=config.azure_client_id,
        tenant_id=config.azure_tenant_id,
        deadline=config.remote_call_seconds,
    )


def cloud_settings() -> CloudSettings:
    """The cloud by name, or by its metadata document; addresses that are set by hand win over both."""
    config = settings.OPSPORTAL
    document = config.azure_cloud_metadata.strip()
    if document.startswith("{"):
        cloud = CloudSettings.from_metadata(json.loads(document))
    else:
        # Where the logs and prices of a cloud are that nobody knows is for the settings to say.
        cloud = CLOUDS.get(config.azure_cloud) or CloudSettings(name=config.azure_cloud, logs="", prices="")
    by_hand = {
        name: str(getattr(config, setting)).rstrip("/")
        for name, setting in _BY_HAND.items()
        if getattr(config, setting) != type(config).model_fields[setting].default
    }
    return replace(cloud, **by_hand, ca_bundle=str(config.azure_ca_bundle or ""))
