"""Secrets: read from vaults of this cloud only, and shown by nothing."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from aiohttp import web

from endpoints.azure_gateway import errors, places
from endpoints.azure_gateway.records import Secret
from endpoints.azure_gateway.settings import CloudSettings
from tests.azure_gateway.certificates import Certificates
from tests.azure_gateway.fakes import Handler, gateway

MARKER = "s3cr3t-marker"


def answers(status: int = 200, body: Any = None, **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(
            body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    return answer


def secret(value: Any = MARKER) -> dict[str, Any]:
    return {
        "value": value,
        "id": "https://kv.vault.azure.net/secrets/key/0a1b",
        "attributes": {"enabled": True},
    }


def refusal(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def test_secret__shown_in_any_way__hides_its_value() -> None:
    held = Secret(MARKER, "0a1b")
    assert [MARKER in text for text in (repr(held), str(held), f"{held}", f"{[held]}")] == 4 * [False]


@pytest.mark.parametrize(
    "uri",
    [
        "https://kv-risk.vault.azure.net/secrets/scoring-key",
        "https://kv-risk.vault.azure.net/secrets/scoring-key/",
        "https://kv-risk.vault.azure.net:443/secrets/scoring-key/0123456789abcdef0123456789abcdef",
        "https://KV-risk.Vault.Azure.net/Secrets/scoring-key",
    ],
)
def test_address__of_a_secret_in_a_vault__is_taken(uri: str) -> None:
    assert places.secret_address(CloudSettings(), uri) == uri.rstrip("/")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "kv-risk/scoring-key",
        "http://kv.vault.azure.net/secrets/key",
        "https://kv.vault.azure.net.evil.example/secrets/key",
        "https://evilvault.azure.net/secrets/key",
        "https://vault.azure.net@evil.example/secrets/key",
        "https://evil.example/secrets/key?x=.vault.azure.net",
        "https://evil.example#.vault.azure.net/secrets/key",
        "https://evil.example\\.vault.azure.net/secrets/key",
        "https://kv.vault.azure.net./secrets/key",
        "https://kv.vault.azure.net:8443/secrets/key",
        "https://kv_1.vault.azure.net/secrets/key",
        "https://kv.vault.azure.net/secrets/key?api-version=7.4",
        "https://kv.vault.azure.net/secrets/key#x",
        "https://kv.vault.azure.net/secrets/",
        "https://kv.vault.azure.net/keys/key",
        "https://kv.vault.azure.net/secrets/../keys/key",
        "https://kv.vault.azure.net/secrets/key/version/more",
        "https://kv.vault.azure.net/secrets/ke%79",
        "https://kv.vault.azure.net/secrets/key\n",
        " https://kv.vault.azure.net/secrets/key",
        "https://kv.vault.azure.nеt/secrets/key",
    ],
)
def test_address__of_anything_else__is_refused(uri: str) -> None:
    with pytest.raises(errors.Malformed, match="nothing was sent"):
        places.secret_address(CloudSettings(), uri)


def test_address__in_a_cloud_without_vaults__is_refused() -> None:
    with pytest.raises(errors.Malformed, match="nothing was sent"):
        places.secret_address(CloudSettings(key_vault_suffix=""), "https://kv.vault.azure.net/secrets/key")


@pytest.mark.asyncio
async def test_read__by_its_uri__asks_the_vault_with_a_token_for_vaults(certificates: Certificates) -> None:
    async with gateway(certificates, answers(body=secret())) as (fake, azure):
        found = await azure.read_secret(f"{fake.url}/secrets/key")
    assert (found.value, found.version) == (MARKER, "0a1b")
    call = fake.calls[0]
    assert (call.method, call.path, call.query) == ("GET", "/secrets/key", "api-version=7.4")
    assert call.headers["Authorization"] == "Bearer a-vault-token"


@pytest.mark.asyncio
async def test_read__of_another_host__sends_nothing(certificates: Certificates) -> None:
    async with gateway(certificates, answers(body=secret())) as (fake, azure):
        with pytest.raises(errors.Malformed, match="a vault of this cloud"):
            await azure.read_secret("https://kv.vault.azure.net/secrets/key")
    assert fake.calls == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, refusal("Unauthorized", "AKV10000: missing token"), errors.Unauthenticated),
        (403, refusal("Forbidden", "The user does not have secrets get permission"), errors.Forbidden),
        (404, refusal("SecretNotFound", "A secret with name key was not found"), errors.NotFoundInAzure),
        (429, refusal("Throttled", "slow"), errors.Throttled),
        (503, None, errors.ServerError),
        (200, secret(None), errors.Malformed),
        (200, secret(""), errors.Malformed),
        (200, secret({"nested": MARKER}), errors.Malformed),
        (200, [MARKER], errors.Malformed),
        (302, secret(), errors.Rejected),
    ],
)
async def test_read__refused_or_odd__raises_its_kind_and_shows_nothing(
    certificates: Certificates, status: int, body: Any, expected: type[errors.GatewayError]
) -> None:
    answer = answers(status, body, Location="https://evil.example/")
    async with gateway(certificates, answer) as (fake, azure):
        with pytest.raises(errors.GatewayError) as caught:
            await azure.read_secret(f"{fake.url}/secrets/key")
    assert type(caught.value) is expected
    assert MARKER not in str(caught.value)
    assert len(fake.calls) == 1


@pytest.mark.asyncio
async def test_read__of_an_endless_answer__ends(certificates: Certificates) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"[" * 65536)
            await asyncio.sleep(0)

    async with gateway(certificates, endless) as (fake, azure):
        with pytest.raises(errors.Malformed, match="not JSON"):
            await azure.read_secret(f"{fake.url}/secrets/key")


@pytest.mark.asyncio
async def test_read__with_every_log_open__logs_no_secret(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with gateway(certificates, answers(body=secret())) as (fake, azure):
        found = await azure.read_secret(f"{fake.url}/secrets/key")
        logging.getLogger(__name__).info("read %s", found)
    assert "Secret(hidden)" in caplog.text
    assert MARKER not in caplog.text
    assert "a-vault-token" not in caplog.text
