"""Key Vault: who may read which secret, and how it refuses."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from emulator.reading import ScenarioError
from emulator.scenario import parse
from emulator.tokens import VAULT_AUDIENCE
from emulator.vault.secrets import Secret, Vault, Vaults
from tests.emulator.arm import CHECKOUT, Answer, Arm, answer

KEY = "/secrets/checkout-risk-key"
WORKSPACES = {"w": {"subscription": "s", "group": "g", "location": "westeurope"}}


async def read(
    arm: Arm,
    path: str = KEY,
    *,
    audience: str | None = VAULT_AUDIENCE,
    version: str | None = "7.4",
    **headers: str,
) -> Answer:
    sent = dict(headers)
    if audience is not None:
        sent["Authorization"] = f"Bearer {arm.token(audience)}"
    query = {} if version is None else {"api-version": version}
    return await answer(await arm.client.get(path, params=query, headers=sent))


@pytest.mark.asyncio
async def test_secret__with_a_token_and_the_role__is_the_endpoints_key(arm: Arm) -> None:
    keys = (await arm("POST", f"{CHECKOUT}/listKeys")).body

    found = await read(arm)

    assert (found.status, found.body["value"]) == (200, keys["primaryKey"])
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/secrets/checkout-risk-key/[0-9a-f]{32}", found.body["id"])
    assert found.body["attributes"]["enabled"] is True
    assert set(found.body) == {"value", "contentType", "id", "attributes", "tags"}


@pytest.mark.asyncio
async def test_secret__by_its_version__is_that_one_and_no_older(arm: Arm) -> None:
    current = "/" + (await read(arm)).body["id"].split("/", 3)[3]
    same = await read(arm, current.upper().replace("/SECRETS", "/secrets"))
    await arm("POST", f"{CHECKOUT}/regenerateKeys", {"keyType": "Primary"})
    arm.clock.tick(1)
    old, new = await read(arm, current), await read(arm)

    assert same.status == 200
    assert (old.status, old.code) == (404, "SecretNotFound")
    assert new.body["value"] == (await arm("POST", f"{CHECKOUT}/listKeys")).body["primaryKey"]
    assert new.body["value"] != same.body["value"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("audience", "number"), [(None, "AKV10000"), ("https://management.azure.com", "AKV10022")]
)
async def test_secret__without_a_token_for_the_vault__is_401_with_a_challenge(
    arm: Arm, audience: str | None, number: str
) -> None:
    found = await read(arm, audience=audience)

    assert (found.status, found.code) == (401, "Unauthorized")
    assert found.message.startswith(number)
    challenge = found.headers["WWW-Authenticate"]
    assert re.fullmatch(
        r'Bearer authorization="http://[^"]+/login/[0-9a-f-]{36}", resource="https://vault\.azure\.net"',
        challenge,
    )


@pytest.mark.asyncio
async def test_secret__with_a_token_that_has_ended_or_is_wrong__is_401(arm: Arm) -> None:
    late = arm.token(VAULT_AUDIENCE)
    arm.clock.tick(3601)
    ended = await answer(
        await arm.client.get(f"{KEY}?api-version=7.4", headers={"Authorization": f"Bearer {late}"})
    )
    wrong = await answer(
        await arm.client.get(f"{KEY}?api-version=7.4", headers={"Authorization": "Bearer a.b.c"})
    )

    assert (ended.status, wrong.status) == (401, 401)


@pytest.mark.asyncio
async def test_secret__without_the_role__is_403_that_names_the_action(arm: Arm) -> None:
    found = await read(replace(arm, identity="reader"))
    missing = await read(replace(arm, identity="reader"), "/secrets/not-there")

    assert (found.status, found.code) == (403, "Forbidden")
    assert found.body["error"]["innererror"] == {"code": "ForbiddenByRbac"}
    assert "Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'" in found.message
    assert missing.status == 403  # who may not read learns nothing of what there is


@pytest.mark.asyncio
async def test_secret__that_is_missing_disabled_or_of_a_deleted_endpoint__is_refused(arm: Arm) -> None:
    missing, disabled = await read(arm, "/secrets/not-there"), await read(arm, "/secrets/RETIRED")
    await arm("DELETE", CHECKOUT)
    arm.clock.tick(1)
    gone = await read(arm)

    assert (missing.status, missing.code) == (404, "SecretNotFound")
    assert (disabled.status, disabled.body["error"]["innererror"]["code"]) == (403, "SecretDisabled")
    assert gone.status == 404


@pytest.mark.asyncio
@pytest.mark.parametrize("version", [None, "2016-10-01", "latest"])
async def test_secret__by_an_unknown_version_of_the_api__is_400(arm: Arm, version: str | None) -> None:
    found = await read(arm, version=version)

    assert (found.status, found.code) == (400, "BadParameter")


@pytest.mark.asyncio
async def test_vault__of_several__is_chosen_by_the_hosts_first_label(arm: Arm) -> None:
    def vault(name: str) -> Vault:
        return Vault(
            name,
            f"/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/{name}",
            {"a": Secret("a", name)},
        )

    arm.cloud.vaults = Vaults((vault("kv-one"), vault("kv-two")))

    plain = await read(arm, "/secrets/a")
    named = await read(arm, "/secrets/a", Host="KV-Two.vault.emulator:8643")

    assert (plain.body["value"], named.body["value"]) == ("kv-one", "kv-two")
    assert named.body["id"].startswith("http://KV-Two.vault.emulator:8643/secrets/a/")


@pytest.mark.asyncio
async def test_vault__of_a_scenario_without_one__has_no_secrets(arm: Arm) -> None:
    arm.cloud.vaults = Vaults()

    assert (await read(arm)).status == 404


@pytest.mark.asyncio
async def test_vault__with_an_ordered_fault__is_throttled(arm: Arm) -> None:
    arm.cloud.faults.add(
        {"kind": "status", "match": {"plane": "vault"}, "status": 429, "retry_after": 7, "times": 1}
    )

    throttled, then = await read(arm), await read(arm)

    assert (throttled.status, throttled.headers["Retry-After"]) == (429, "7")
    assert then.status == 200


@pytest.mark.asyncio
async def test_request_log__of_a_secret__names_the_caller_and_holds_no_value(arm: Arm) -> None:
    value = (await read(arm)).body["value"]

    entry = next(item for item in arm.cloud.requests.entries if item.plane == "vault")
    assert (entry.caller, entry.status, entry.path) == ("opsportal", 200, KEY)
    assert value not in json.dumps(entry.to_json())


@pytest.mark.asyncio
async def test_metadata__of_this_cloud__tells_where_vaults_and_scoring_are(arm: Arm) -> None:
    found = (await answer(await arm.client.get("/metadata/endpoints"))).body[0]
    host = f"127.0.0.1:{arm.client.port}"

    assert (found["suffixes"]["keyVaultDns"], found["suffixes"]["scoring"]) == (host, host)
    assert (found["keyVaultAudience"], found["scoringAudience"]) == (VAULT_AUDIENCE, "https://ml.azure.com")


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ({}, "either value or key_of"),
        ({"value": "a", "key_of": "w/e"}, "either value or key_of"),
        ({"key_of": "w/other"}, "there is no endpoint 'w/other'"),
        ({"value": "a", "which": "Third"}, "which is Primary or Secondary"),
        ({"value": "a", "enabled": "no"}, "enabled is true or false"),
        ({"value": "a", "colour": 1}, "unknown colour"),
    ],
)
def test_scenario__with_a_mistake_about_a_secret__says_where(secret: dict[str, Any], said: str) -> None:
    told = {
        "workspaces": WORKSPACES,
        "endpoints": [{"name": "e", "workspace": "w"}],
        "vaults": {"kv": {"subscription": "s", "group": "g", "secrets": {"x": secret}}},
    }

    with pytest.raises(ScenarioError, match=f"secret x of vault kv: {said}"):
        parse(told)


def test_scenario__secret_with_a_name_that_azure_would_not_take__is_refused() -> None:
    told = {"vaults": {"kv": {"subscription": "s", "group": "g", "secrets": {"a_b": {"value": "x"}}}}}

    with pytest.raises(ScenarioError, match="letters, digits and dashes"):
        parse(told)
