"""Keys and tokens of an endpoint: listKeys, regenerateKeys, token."""

from __future__ import annotations

import hashlib
import hmac

from emulator import names
from emulator.arm import endpoints
from emulator.arm.accepted import accepted, refuse_if_busy
from emulator.arm.call import Call, Reply, reply
from emulator.arm.routes import GROUP, Route, Table, at
from emulator.cloud import Cloud
from emulator.errors import bad_request
from emulator.fold import Resource
from emulator.values import new_guid

_TOKEN_LIFETIME = 8 * 3600


def key_of(cloud: Cloud, endpoint: Resource, which: str) -> str:
    """The endpoint's key in force; until it is regenerated it follows from the seed and the creation time."""
    regenerated = cloud.control.world.keys.get(names.key(endpoint.id), {})
    return regenerated.get(which) or _secret(cloud, endpoint.id, endpoint.created_at, which)


def endpoint_token(cloud: Cloud, endpoint: Resource, ends: int) -> str:
    """A token of auth mode AMLToken: its end, and a proof that it is ours."""
    return f"aml.{ends}.{_secret(cloud, endpoint.id, endpoint.created_at, 'token', ends)}"


def list_keys(cloud: Cloud, call: Call) -> Reply:
    found = _require_mode(cloud, call, "Key")
    return reply(
        {"primaryKey": key_of(cloud, found, "Primary"), "secondaryKey": key_of(cloud, found, "Secondary")}
    )


def token(cloud: Cloud, call: Call) -> Reply:
    found = _require_mode(cloud, call, "AMLToken")
    now = int(cloud.control.clock().timestamp())
    return reply(
        {
            "accessToken": endpoint_token(cloud, found, now + _TOKEN_LIFETIME),
            "tokenType": "Bearer",
            "expiryTimeUtc": now + _TOKEN_LIFETIME,
            "refreshAfterTimeUtc": now + _TOKEN_LIFETIME // 2,
        }
    )


def regenerate(cloud: Cloud, call: Call) -> Reply:
    found = _require_mode(cloud, call, "Key")
    refuse_if_busy(cloud, found.id)
    sent = call.body()
    which = sent.get("keyType")
    if which not in ("Primary", "Secondary"):
        raise bad_request(f"keyType is Primary or Secondary, not {which!r}.")
    value = sent.get("keyValue") if cloud.settings.behaviour.regenerate_uses_sent_value else None
    fresh = str(value or _secret(cloud, found.id, new_guid()))
    operation = cloud.control.begin(
        call.write("regenerate_keys", "endpoint", found.id, {which: fresh}),
        state=found.state,
        seconds=cloud.settings.durations.regenerate_keys,
        fate=call.fate,
    )
    return accepted(cloud, call, found, operation)


def _require_mode(cloud: Cloud, call: Call, mode: str) -> Resource:
    found = endpoints.require(cloud, call)
    actual = str(found.body["properties"]["authMode"])
    if actual.lower() != mode.lower():
        raise bad_request(f"This endpoint's auth mode is {actual}; the request is for {mode} only.")
    return found


def _secret(cloud: Cloud, *parts: object) -> str:
    secret = f"emulator-keys-{cloud.settings.seed}".encode()
    return hmac.digest(secret, "\x1f".join(map(str, parts)).encode(), hashlib.sha256).hex()[:43]


def _action(name: str) -> str:
    return f"{names.ENDPOINT_TYPE}/{name}/action"


_ONE = "workspaces/*/onlineEndpoints/*"
ROUTES: Table = {
    at("POST", GROUP, f"{_ONE}/listKeys"): Route(list_keys, _action("listKeys")),
    at("POST", GROUP, f"{_ONE}/token"): Route(token, _action("token")),
    at("POST", GROUP, f"{_ONE}/regenerateKeys"): Route(regenerate, _action("regenerateKeys")),
}
