"""Bearer tokens: who is calling, for which audience, until when.

They look like Azure's (three dotted parts, readable claims) but are signed with a key that follows from the
seed, so that a token outlives a restart and a wrong one is refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field

from emulator.errors import ArmError
from emulator.fold import Who
from emulator.values import Clock, Json, guid

ARM_AUDIENCES = frozenset({"https://management.azure.com", "https://management.core.windows.net"})
SCORING_AUDIENCE = "https://ml.azure.com"
VAULT_AUDIENCE = "https://vault.azure.net"
LOGS_AUDIENCE = "https://api.loganalytics.io"


@dataclass(frozen=True, slots=True)
class Identity:
    """A managed identity of the scenario and what it may do."""

    client_id: str
    object_id: str
    name: str
    actions: tuple[str, ...] = ("*",)
    not_actions: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ("/",)

    @property
    def who(self) -> Who:
        return Who(self.object_id, self.name, "Application", app_id=self.client_id)


@dataclass(slots=True)
class Tokens:
    seed: int
    clock: Clock
    identities: list[Identity] = field(default_factory=list)

    def identity(self, client_id: str | None) -> Identity | None:
        """The identity with this client id; without one, the first (the system-assigned one)."""
        if client_id is None:
            return self.identities[0] if self.identities else None
        return next((item for item in self.identities if item.client_id == client_id), None)

    def issue(self, identity: Identity, resource: str, lifetime: float) -> tuple[str, int]:
        """A token for `resource` and the second at which it ends."""
        now = int(self.clock().timestamp())
        claims = {
            "aud": resource.removesuffix("/"),
            "iat": now,
            "nbf": now,
            "exp": now + int(lifetime),
            "oid": identity.object_id,
            "appid": identity.client_id,
            "tid": guid(self.seed, "tenant"),
            "app_displayname": identity.name,
        }
        head = _encode({"alg": "HS256", "typ": "JWT"})
        text = f"{head}.{_encode(claims)}"
        return f"{text}.{self._signature(text)}", now + int(lifetime)

    def claims(self, token: str) -> Json | None:
        """The claims of a token of ours that has not ended, else None."""
        text, _, signature = token.rpartition(".")
        if not text or not hmac.compare_digest(signature.encode(), self._signature(text).encode()):
            return None
        claims = json.loads(_decode(text.split(".")[1]))
        return claims if claims["exp"] > self.clock().timestamp() else None

    def caller(self, authorization: str | None, audiences: frozenset[str]) -> Identity:
        """The identity behind an Authorization header, or a 401 as ARM words it."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized(
                "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
            )
        claims = self.claims(token)
        if claims is None:
            raise _unauthorized("InvalidAuthenticationToken", "The access token is invalid or has expired.")
        if claims["aud"] not in audiences:
            raise _unauthorized(
                "InvalidAuthenticationTokenAudience",
                f"The access token has been obtained for wrong audience or resource '{claims['aud']}'.",
            )
        found = next((item for item in self.identities if item.object_id == claims["oid"]), None)
        if found is None:
            raise _unauthorized(
                "InvalidAuthenticationToken", "The identity of the access token is not known."
            )
        return found

    def _signature(self, text: str) -> str:
        secret = hashlib.blake2b(f"emulator-token-{self.seed}".encode()).digest()
        return _base64(hmac.digest(secret, text.encode(), "sha256"))


def _unauthorized(code: str, message: str) -> ArmError:
    challenge = 'Bearer authorization_uri="https://login.microsoftonline.com/common", error="invalid_token"'
    return ArmError(401, code, message, headers={"WWW-Authenticate": challenge})


def _encode(value: Json) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
