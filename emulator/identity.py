"""Managed identity: the token endpoints of App Service and of a virtual machine, and the cloud's metadata."""

from __future__ import annotations

from aiohttp import web

from emulator.cloud import Cloud
from emulator.compute.retail import BASE as PRICES
from emulator.control import Fate
from emulator.errors import ArmError
from emulator.listener import base_url
from emulator.monitor.dataplane import AUDIENCE
from emulator.requestlog import Entry
from emulator.tokens import LOGS_AUDIENCE, SCORING_AUDIENCE, VAULT_AUDIENCE
from emulator.values import Json


class ManagedIdentity:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def app_service(self, request: web.Request, entry: Entry, _fate: Fate | None) -> web.Response:
        """`GET /msi/token?resource=…` with the header that only the machine itself knows."""
        if request.headers.get("X-IDENTITY-HEADER") != self._cloud.identity_header:
            raise ArmError(401, "invalid_request", "X-IDENTITY-HEADER is missing or wrong.")
        return self._issue(request, entry)

    async def virtual_machine(self, request: web.Request, entry: Entry, _fate: Fate | None) -> web.Response:
        """`GET /metadata/identity/oauth2/token` with `Metadata: true`."""
        if request.headers.get("Metadata", "").lower() != "true":
            raise ArmError(400, "invalid_request", "The header Metadata: true is missing.")
        return self._issue(request, entry)

    def _issue(self, request: web.Request, entry: Entry) -> web.Response:
        cloud = self._cloud
        resource = request.query.get("resource")
        if not resource:
            raise ArmError(400, "invalid_request", "The query parameter resource is missing.")
        identity = cloud.tokens.identity(request.query.get("client_id"))
        if identity is None:
            raise ArmError(400, "invalid_request", "Identity not found.")
        entry.caller = identity.name
        lifetime = cloud.settings.token_lifetime
        token, ends = cloud.tokens.issue(identity, resource, lifetime)
        return web.json_response(
            {
                "access_token": token,
                "client_id": identity.client_id,
                "expires_in": str(int(lifetime)),
                "expires_on": str(ends),
                "resource": resource,
                "token_type": "Bearer",
            }
        )


def cloud_metadata(request: web.Request) -> list[Json]:
    """`/metadata/endpoints`: this emulator as a cloud of its own, with what Azure's own documents do not name."""
    base = base_url(request)
    return [
        {
            "name": "EmulatedCloud",
            "portal": f"{base}/portal",
            "resourceManager": base,
            "authentication": {
                "loginEndpoint": f"{base}/login",
                "audiences": [base],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "suffixes": {
                "storage": "core.emulated.invalid",
                "keyVaultDns": request.host,
                "scoring": request.host,
            },
            "metrics": f"{base}/metrics/{{region}}",
            "metricsAudience": AUDIENCE,
            "logs": f"{base}/logs",
            "prices": f"{base}{PRICES}",
            "logsAudience": LOGS_AUDIENCE,
            "keyVaultAudience": VAULT_AUDIENCE,
            "scoringAudience": SCORING_AUDIENCE,
        }
    ]
