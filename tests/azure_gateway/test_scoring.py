"""Probes: one request to one deployment, past the split, with a credential that goes nowhere else."""

from __future__ import annotations

import asyncio
import gzip
import logging
from typing import Any

import pytest
from aiohttp import web

from endpoints.azure_gateway import errors, places
from endpoints.azure_gateway.client import Azure
from endpoints.azure_gateway.records import EntraCredential, KeyFrom, ProbeAnswer
from endpoints.azure_gateway.settings import CloudSettings
from tests.azure_gateway.certificates import Certificates
from tests.azure_gateway.fakes import FakeArm, Handler, gateway

pytestmark = pytest.mark.asyncio

BODY = b'{"input_data": [[1, 2]]}'
LIMIT = 256 * 1024


def scores(status: int = 200, body: bytes = b'{"score": 0.1}', **headers: str) -> Handler:
    told = {"azureml-model-deployment": "green", "x-request-id": "r-1"}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=told)

    return answer


async def probe(fake: FakeArm, azure: Azure, **options: Any) -> ProbeAnswer:
    given = {"deployment": "green", "body": BODY, "credential": EntraCredential(), **options}
    return await azure.probe(f"{fake.url}/scoring/checkout-risk/score", **given)


async def test_probe__of_a_deployment__names_it_and_says_who_answered(certificates: Certificates) -> None:
    async with gateway(certificates, scores()) as (fake, azure):
        answer = await probe(fake, azure)
    assert (answer.status, answer.succeeded, answer.error) == (200, True, "")
    assert (answer.deployment, answer.request_id) == ("green", "r-1")
    assert (answer.body, answer.truncated) == (b'{"score": 0.1}', False)
    assert 0 < answer.seconds < 10
    call = fake.calls[0]
    assert (call.method, call.path, call.query) == ("POST", "/scoring/checkout-risk/score", "")
    assert call.headers["azureml-model-deployment"] == "green"
    assert call.headers["Authorization"] == "Bearer a-scoring-token"
    assert call.headers["Content-Type"] == "application/json"
    assert call.body == {"input_data": [[1, 2]]}


async def test_probe__after_another_of_another_deployment__names_its_own(certificates: Certificates) -> None:
    async with gateway(certificates, scores()) as (fake, azure):
        await asyncio.gather(*(probe(fake, azure, deployment=name) for name in ("green", "blue")))
    named = {call.headers["azureml-model-deployment"] for call in fake.calls}
    assert named == {"green", "blue"}


async def test_probe__made_again__needs_no_new_connection(certificates: Certificates) -> None:
    ports: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        return web.json_response({})

    async with gateway(certificates, answer) as (fake, azure):
        for _ in range(3):
            await probe(fake, azure)
    assert len(ports) == 3
    assert len(set(ports)) == 1


async def test_probe__of_a_slow_deployment__says_how_slow(certificates: Certificates) -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(0.3)
        return web.json_response({})

    async with gateway(certificates, slow) as (fake, azure):
        assert 0.3 <= (await probe(fake, azure)).seconds < 5


async def test_probe__of_an_endpoint_with_keys__reads_the_key_for_this_call(
    certificates: Certificates,
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/secrets/key":
            return web.json_response({"value": "the-key\n"})
        return web.json_response({"score": 1})

    async with gateway(certificates, answer) as (fake, azure):
        answered = await probe(fake, azure, credential=KeyFrom(f"{fake.url}/secrets/key"))
    assert answered.succeeded
    assert [call.headers["Authorization"] for call in fake.calls] == [
        "Bearer a-vault-token",
        "Bearer the-key",
    ]


@pytest.mark.parametrize("value", ["two words", "line\r\nX-Evil: 1", "schlüssel", "\t\n\t"])
async def test_probe__with_a_secret_that_is_no_key__sends_it_nowhere_and_shows_it_nowhere(
    certificates: Certificates, value: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"value": value})

    async with gateway(certificates, answer) as (fake, azure):
        with pytest.raises(errors.Malformed, match="can't be an endpoint's key") as caught:
            await probe(fake, azure, credential=KeyFrom(f"{fake.url}/secrets/key"))
    assert value not in str(caught.value)
    assert [call.path for call in fake.calls] == ["/secrets/key"]


async def test_probe__whose_key_can_not_be_read__is_not_made(certificates: Certificates) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"error": {"code": "Forbidden", "message": "no"}}, status=403)

    async with gateway(certificates, answer) as (fake, azure):
        with pytest.raises(errors.Forbidden):
            await probe(fake, azure, credential=KeyFrom(f"{fake.url}/secrets/key"))
    assert len(fake.calls) == 1


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (
            scores(
                424, b"ignored", ms_azureml_model_error_statuscode="503", ms_azureml_model_error_reason="OOM"
            ),
            424,
            "The endpoint answered 424, its model 503: OOM",
        ),
        (scores(401, b'{"error": {"code": 401, "message": "no"}}'), 401, "The endpoint answered 401: no"),
        (scores(404, b""), 404, "The endpoint answered 404."),
        (scores(429, b"busy", Retry_After="1"), 429, "The endpoint answered 429: busy"),
        (scores(500, b"x" * 5000), 500, "The endpoint answered 500: xxx"),
        (scores(302, b"", Location="https://evil.example/"), 302, "The endpoint answered 302."),
    ],
)
async def test_probe__answered_with_a_failure__is_an_answer_not_an_error(
    certificates: Certificates, answer: Handler, status: int, error: str
) -> None:
    async with gateway(certificates, answer) as (fake, azure):
        answered = await probe(fake, azure)
    assert (answered.status, answered.succeeded) == (status, False)
    assert answered.error.startswith(error)
    assert len(answered.error) <= 600
    assert len(fake.calls) == 1


@pytest.mark.parametrize(("size", "truncated"), [(LIMIT, False), (LIMIT + 1, True), (20 * LIMIT, True)])
async def test_probe__answered_at_length__keeps_the_beginning_and_says_so(
    certificates: Certificates, size: int, truncated: bool
) -> None:
    async with gateway(certificates, scores(body=b"x" * size)) as (fake, azure):
        answered = await probe(fake, azure)
        again = await probe(fake, azure)
    assert (len(answered.body), answered.truncated) == (LIMIT, truncated)
    assert again.status == 200


async def test_probe__answered_without_end__stops_reading(certificates: Certificates) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)
            await asyncio.sleep(0)

    async with gateway(certificates, endless) as (fake, azure):
        answered = await probe(fake, azure)
    assert (len(answered.body), answered.truncated) == (LIMIT, True)


async def test_probe__answered_with_a_packed_flood__does_not_unpack_it(certificates: Certificates) -> None:
    packed = gzip.compress(bytes(64 * LIMIT))
    async with gateway(certificates, scores(body=packed, Content_Encoding="gzip")) as (fake, azure):
        answered = await probe(fake, azure)
    assert answered.body == packed
    assert fake.calls[0].headers["Accept-Encoding"] == "identity"


async def test_probe__not_answered_in_time__is_unreachable(certificates: Certificates) -> None:
    async def hangs(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with gateway(certificates, hangs, probe_deadline=0.3) as (fake, azure):
        with pytest.raises(errors.Unreachable, match=r"within 0\.3 s") as caught:
            await probe(fake, azure)
    assert not caught.value.applied_unknown
    assert len(fake.calls) == 1


async def test_probe__cut_off_within_the_answer__is_unreachable_and_made_once(
    certificates: Certificates,
) -> None:
    async def breaks(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"x")
        assert request.transport is not None
        request.transport.abort()
        return response

    async with gateway(certificates, breaks) as (fake, azure):
        with pytest.raises(errors.Unreachable):
            await probe(fake, azure)
    assert len(fake.calls) == 1


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/score",
        "http://localhost/score",
        "https://localhost:1/score",
        "https://checkout.westeurope.inference.ml.azure.com/score",
        "",
    ],
)
async def test_probe__of_a_place_that_scores_for_nobody_here__sends_nothing(
    certificates: Certificates, uri: str
) -> None:
    async with gateway(certificates, scores()) as (fake, azure):
        with pytest.raises(errors.Malformed, match="nothing was sent"):
            await azure.probe(uri, "green", BODY, credential=EntraCredential())
    assert fake.calls == []


@pytest.mark.parametrize("name", ["", "green\r\nX: 1", "a b", "../x", "grün"])
async def test_probe__of_what_can_be_no_deployment__sends_nothing(
    certificates: Certificates, name: str
) -> None:
    async with gateway(certificates, scores()) as (fake, azure):
        with pytest.raises(ValueError, match="not the name of a deployment"):
            await probe(fake, azure, deployment=name)
    assert fake.calls == []


async def test_address__that_azure_gives_an_endpoint__is_taken() -> None:
    uri = "https://checkout-risk.eastus2.inference.ml.azure.com/v1/models/risk:predict"
    assert places.scoring_address(CloudSettings(), uri) == uri


async def test_probe__throttled__holds_up_the_next_one_of_that_endpoint_only(
    certificates: Certificates,
) -> None:
    async with gateway(certificates, scores(429, b"", Retry_After="30"), patience=0.2) as (fake, azure):
        assert (await probe(fake, azure)).status == 429
        with pytest.raises(
            errors.Throttled, match=r"budget of probes for https://localhost.*nothing was sent"
        ):
            await probe(fake, azure)
    assert len(fake.calls) == 1


async def test_probe__with_every_log_open__logs_neither_key_nor_answer(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(
            {"value": "the-key"} if request.path == "/secrets/key" else {"v": "an-answer"}
        )

    caplog.set_level(logging.DEBUG)
    async with gateway(certificates, answer) as (fake, azure):
        answered = await probe(fake, azure, credential=KeyFrom(f"{fake.url}/secrets/key"))
        logging.getLogger(__name__).info("got %s", answered)
    assert "ProbeAnswer(status=200" in caplog.text
    assert "the-key" not in caplog.text
    assert "an-answer" not in caplog.text
