"""Managed identity, bearer tokens, role actions, ARM's buckets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulator import permissions
from emulator.errors import ArmError
from emulator.throttle import Buckets
from emulator.tokens import Identity
from tests.emulator.arm import CHECKOUT, PROD, PROD_WORKSPACE, TEST_WORKSPACE, Arm, answer

READ = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/read"
WRITE = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write"


async def msi(arm: Arm, path: str, headers: dict[str, str]) -> Any:
    return await answer(await arm.client.get(path, headers=headers))


@pytest.mark.asyncio
async def test_identity__app_service__gives_a_token_that_arm_takes(arm: Arm) -> None:
    told = await msi(arm, "/msi/token?resource=https://management.azure.com", {"X-IDENTITY-HEADER": "secret"})
    headers = {"Authorization": f"Bearer {told.body['access_token']}"}
    found = await answer(await arm.client.get(CHECKOUT, headers=headers))

    assert (told.status, told.body["token_type"], found.status) == (200, "Bearer", 200)
    assert int(told.body["expires_on"]) == int(arm.clock().timestamp()) + 86_400


@pytest.mark.asyncio
async def test_identity__virtual_machine__gives_a_token_for_a_named_client(arm: Arm) -> None:
    reader = "11111111-0000-4000-8000-000000000002"
    path = f"/metadata/identity/oauth2/token?resource=https://management.azure.com&client_id={reader}"
    told = await msi(arm, path, {"Metadata": "true"})

    assert told.body["client_id"] == reader


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/msi/token?resource=x", {}, 401),
        ("/msi/token?resource=x", {"X-IDENTITY-HEADER": "wrong"}, 401),
        ("/msi/token", {"X-IDENTITY-HEADER": "secret"}, 400),
        ("/msi/token?resource=x&client_id=nobody", {"X-IDENTITY-HEADER": "secret"}, 400),
        ("/metadata/identity/oauth2/token?resource=x", {}, 400),
    ],
)
async def test_identity__wrong_question__gets_no_token(
    arm: Arm, path: str, headers: dict[str, str], status: int
) -> None:
    told = await msi(arm, path, headers)

    assert told.status == status
    assert "access_token" not in told.body


@pytest.mark.asyncio
async def test_arm__without_a_valid_token__is_401_with_a_challenge(arm: Arm) -> None:
    good = arm.token()
    for sent in (None, "", "Basic abc", "Bearer", "Bearer nonsense", f"Bearer {good[:-3]}AAA"):
        headers = {} if sent is None else {"Authorization": sent}
        found = await answer(await arm.client.get(CHECKOUT, headers=headers))
        assert found.status == 401, sent
        assert found.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.asyncio
async def test_arm__token_that_has_ended__is_401(arm: Arm) -> None:
    token = arm.token()
    arm.clock.tick(3601)
    found = await answer(await arm.client.get(CHECKOUT, headers={"Authorization": f"Bearer {token}"}))

    assert (found.status, found.code) == (401, "InvalidAuthenticationToken")


@pytest.mark.asyncio
async def test_arm__token_for_another_audience__is_401(arm: Arm) -> None:
    token = arm.token("https://ml.azure.com")
    found = await answer(await arm.client.get(CHECKOUT, headers={"Authorization": f"Bearer {token}"}))

    assert (found.status, found.code) == (401, "InvalidAuthenticationTokenAudience")


@pytest.mark.asyncio
async def test_arm__identity_without_the_action__is_403_that_names_it(arm: Arm) -> None:
    reader = replace(arm, identity="reader")

    read = await reader("GET", CHECKOUT)
    refused = await reader("PUT", CHECKOUT, read.body)

    assert (read.status, refused.status, refused.code) == (200, 403, "AuthorizationFailed")
    assert f"perform action '{WRITE}'" in refused.message
    assert f"over scope '{CHECKOUT}'" in refused.message


@pytest.mark.asyncio
async def test_permissions__of_an_identity__are_listed_for_a_scope(arm: Arm) -> None:
    reader = replace(arm, identity="reader")

    found = await reader.get(f"{PROD_WORKSPACE}/providers/Microsoft.Authorization/permissions")

    assert found == {
        "value": [{"actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": []}]
    }


@pytest.mark.parametrize(
    ("identity", "action", "scope", "may"),
    [
        ({"actions": ("*",)}, WRITE, CHECKOUT, True),
        ({"actions": ("*/read",)}, READ.upper(), CHECKOUT, True),
        ({"actions": ("*/read",)}, WRITE, CHECKOUT, False),
        ({"actions": ("*",), "not_actions": ("*/write",)}, WRITE, CHECKOUT, False),
        ({"scopes": (PROD_WORKSPACE,)}, WRITE, CHECKOUT.upper(), True),
        ({"scopes": (PROD_WORKSPACE,)}, WRITE, TEST_WORKSPACE, False),
        ({"scopes": (f"/subscriptions/{PROD}",)}, WRITE, f"/subscriptions/{PROD}0", False),
    ],
)
def test_permissions__actions_and_scopes__decide(
    identity: dict[str, Any], action: str, scope: str, may: bool
) -> None:
    assert permissions.allows(Identity("client", "object", "name", **identity), action, scope) is may


def test_buckets__reads_beyond_the_burst__are_429_until_refilled() -> None:
    now = [0.0]
    buckets = Buckets(lambda: now[0])
    left = [buckets.take("s", "caller", "GET") for _ in range(250)]

    assert left[0] == {"x-ms-ratelimit-remaining-subscription-reads": "249"}
    with pytest.raises(ArmError) as refused:
        buckets.take("s", "caller", "GET")
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "1")
    now[0] = 2.0
    assert buckets.take("s", "caller", "GET") == {"x-ms-ratelimit-remaining-subscription-reads": "49"}


def test_buckets__of_others__are_separate() -> None:
    buckets = Buckets(lambda: 0.0)
    for _ in range(200):
        buckets.take("s", "caller", "PUT")

    assert buckets.take("s", "caller", "DELETE") == {"x-ms-ratelimit-remaining-subscription-deletes": "199"}
    assert buckets.take("s", "other", "PUT") == {"x-ms-ratelimit-remaining-subscription-writes": "199"}
    assert buckets.take("other", "caller", "PUT") == {"x-ms-ratelimit-remaining-subscription-writes": "199"}
    with pytest.raises(ArmError):
        buckets.take("s", "caller", "PUT")


@pytest.mark.asyncio
async def test_arm__with_buckets_enforced__tells_what_is_left(arm: Arm) -> None:
    arm.cloud.settings.change({"arm_buckets": True})

    found = [await arm("GET", CHECKOUT) for _ in range(2)]

    assert [f.headers["x-ms-ratelimit-remaining-subscription-reads"] for f in found] == ["249", "248"]


@pytest.mark.asyncio
async def test_metadata__of_the_cloud__points_back_at_the_caller(arm: Arm) -> None:
    found = await answer(await arm.client.get("/metadata/endpoints?api-version=2019-05-01"))

    base = str(arm.client.make_url("")).rstrip("/")
    assert found.body[0]["resourceManager"] == base
    assert set(found.body[0]) >= {"name", "portal", "authentication", "suffixes"}
    assert found.body[0]["metrics"] == f"{base}/metrics/{{region}}"
    assert found.body[0]["metricsAudience"] == "https://metrics.monitor.azure.com"
