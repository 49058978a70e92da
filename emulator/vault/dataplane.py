"""`GET https://{vault}/secrets/{name}[/{version}]`: one secret, with the refusals that Key Vault words.

A real vault has a host name of its own; which one is meant here is told in `secrets.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from emulator import permissions
from emulator.arm.keys import key_of
from emulator.cloud import Cloud
from emulator.control import Fate
from emulator.errors import ArmError
from emulator.listener import base_url
from emulator.requestlog import Entry
from emulator.tokens import VAULT_AUDIENCE, Identity
from emulator.values import Json, guid, moment, new_guid
from emulator.vault.secrets import Secret, Vault, content, version

GET_SECRET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
_VERSIONS = frozenset({"7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6"})


class VaultError(ArmError):
    """Key Vault's own form: a code, a message, and perhaps a narrower code inside."""

    def __init__(self, status: int, code: str, message: str, inner: str | None = None) -> None:
        super().__init__(status, code, message)
        self.inner = inner

    def body(self) -> Json:
        told: Json = {"code": self.code, "message": self.message}
        if self.inner is not None:
            told["innererror"] = {"code": self.inner}
        return {"error": told}


@dataclass(slots=True)
class Secrets:
    cloud: Cloud

    async def answer(self, request: web.Request, entry: Entry, _fate: Fate | None) -> web.Response:
        headers = {"x-ms-request-id": new_guid(), "x-ms-keyvault-service-version": "1.9.0"}
        try:
            body = self._answer(request, entry)
        except VaultError as error:
            if error.status == 401:
                headers["WWW-Authenticate"] = self._challenge(request)
            return web.json_response(error.body(), status=error.status, headers=headers)
        return web.json_response(body, headers={**headers, "Cache-Control": "no-cache"})

    def _answer(self, request: web.Request, entry: Entry) -> Json:
        self.cloud.control.advance()
        identity = self._caller(request)
        entry.caller = identity.name
        told = request.query.get("api-version")
        if told not in _VERSIONS:
            raise VaultError(400, "BadParameter", f"The specified version ({told}) is not recognized.")
        name = request.match_info["name"]
        vault = self.cloud.vaults.at(request.host.rpartition(":")[0] or request.host)
        if vault is None:
            raise _missing(name)
        _permit(identity, vault, name)
        secret = vault.secrets.get(name.lower())
        value = None if secret is None else content(secret, self._key_of)
        if secret is None or value is None:
            raise _missing(name)
        return self._shown(request, vault, secret, value)

    def _shown(self, request: web.Request, vault: Vault, secret: Secret, value: str) -> Json:
        current = version(self.cloud.settings.seed, vault, secret, value)
        asked = request.match_info.get("version")
        if asked and asked.lower() != current:
            raise _missing(f"{secret.name}/{asked}")
        if not secret.enabled:
            raise VaultError(
                403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled"
            )
        since = int(moment(self.cloud.control.log.records[0].at).timestamp())
        return {
            "value": value,
            "contentType": "text/plain",
            "id": f"{base_url(request)}/secrets/{secret.name}/{current}",
            "attributes": {
                "enabled": True,
                "created": since,
                "updated": since,
                "recoveryLevel": "Recoverable+Purgeable",
                "recoverableDays": 90,
            },
            "tags": {},
        }

    def _key_of(self, endpoint: str, which: str) -> str | None:
        found = self.cloud.control.world.find(endpoint)
        return None if found is None else key_of(self.cloud, found, which)

    def _caller(self, request: web.Request) -> Identity:
        authorization = request.headers.get("Authorization")
        if not authorization:
            raise _unauthorized("AKV10000: Request is missing a Bearer or PoP token.")
        try:
            return self.cloud.tokens.caller(authorization, frozenset({VAULT_AUDIENCE}))
        except ArmError as error:
            number = "AKV10022" if "Audience" in error.code else "AKV10001"
            raise _unauthorized(f"{number}: {error.message}") from None

    def _challenge(self, request: web.Request) -> str:
        """Where a token is to be had, and for what: clients ask once without one to learn it."""
        tenant = guid(self.cloud.settings.seed, "tenant")
        return f'Bearer authorization="{base_url(request)}/login/{tenant}", resource="{VAULT_AUDIENCE}"'


def _permit(identity: Identity, vault: Vault, name: str) -> None:
    if permissions.allows(identity, GET_SECRET, vault.id):
        return
    raise VaultError(
        403,
        "Forbidden",
        "Caller is not authorized to perform action on resource.\r\n"
        f"Caller: appid={identity.client_id};oid={identity.object_id}\r\nAction: '{GET_SECRET}'\r\n"
        f"Resource: '{vault.id.lower()}/secrets/{name}'\r\nAssignment: (not found)\r\nVault: {vault.name}",
        "ForbiddenByRbac",
    )


def _unauthorized(message: str) -> VaultError:
    return VaultError(401, "Unauthorized", message)


def _missing(name: str) -> VaultError:
    return VaultError(
        404, "SecretNotFound", f"A secret with (name/id) {name} was not found in this key vault."
    )
