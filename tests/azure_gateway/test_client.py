"""Calls against a small server over real TLS: what is sent, what comes back, how it ends."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from endpoints.azure_gateway import errors
from endpoints.azure_gateway.client import connect
from endpoints.azure_gateway.credentials import TokenCache
from endpoints.azure_gateway.limiter import Buckets
from tests.azure_gateway import samples
from tests.azure_gateway.certificates import Certificates
from tests.azure_gateway.fakes import Handler, TickingClock, connected, gateway, serve, settings_for

pytestmark = pytest.mark.asyncio


def answers(status: int = 200, body: Any = None, **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(
            body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    return answer


def arm_error(status: int, code: str, message: str, **headers: str) -> Handler:
    return answers(status, {"error": {"code": code, "message": message}}, **headers)


async def resets(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    raise asyncio.CancelledError


async def test_import__of_every_module__loads_neither_sdk_nor_http_client() -> None:
    code = (
        "import sys, pkgutil, importlib, endpoints.azure_gateway as room\n"
        "for module in pkgutil.iter_modules(room.__path__, room.__name__ + '.'):\n"
        "    importlib.import_module(module.name)\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'azure', 'aiohttp', 'msal', 'django'}))"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


async def test_get_endpoint__over_tls__gives_record_times_and_azures_request_id(
    certificates: Certificates,
) -> None:
    answer = answers(body=samples.endpoint(), x_ms_request_id="azure-1")
    async with gateway(certificates, answer) as (fake, azure):
        reading = await azure.get_endpoint(samples.ENDPOINT)
    assert reading.value.traffic == {"blue": 90, "green": 10}
    assert reading.azure_request_id == "azure-1"
    assert reading.request_began <= reading.response_ended
    assert reading.request_began.tzinfo is not None
    call = fake.calls[0]
    assert (call.method, call.path, call.query) == ("GET", samples.ENDPOINT, "api-version=2022-02-01-preview")
    assert call.headers["Authorization"] == "Bearer a-token"
    assert call.headers["User-Agent"] == "opsportal"
    assert len(call.headers["x-ms-client-request-id"]) == 32


async def test_get_endpoint__wall_clock_set_back_meanwhile__ends_after_it_began(
    certificates: Certificates,
) -> None:
    clock = TickingClock()

    async def answer(_: web.Request) -> web.Response:
        clock.advance(2)
        clock.wall = clock.wall.replace(year=2020)
        return web.json_response(samples.endpoint())

    async with serve(certificates, answer) as fake:
        settings = settings_for(fake.url, certificates)
        async with connected(settings, clock=clock) as azure:
            reading = await azure.get_endpoint(samples.ENDPOINT)
    assert (reading.response_ended - reading.request_began).total_seconds() == 2


@pytest.mark.parametrize(
    ("answer", "expected", "code"),
    [
        (
            arm_error(401, "ExpiredAuthenticationToken", "expired"),
            errors.Unauthenticated,
            "ExpiredAuthenticationToken",
        ),
        (arm_error(403, "AuthorizationFailed", "no"), errors.Forbidden, "AuthorizationFailed"),
        (arm_error(404, "ResourceNotFound", "gone"), errors.NotFoundInAzure, "ResourceNotFound"),
        (arm_error(409, "Conflict", "busy"), errors.Busy, "Conflict"),
        (arm_error(400, "UserError", "it is in Updating provisioning state"), errors.Busy, "UserError"),
        (arm_error(400, "UserError", "traffic must sum to 100"), errors.Rejected, "UserError"),
        (arm_error(412, "PreconditionFailed", "changed"), errors.Rejected, "PreconditionFailed"),
        (arm_error(422, "Unprocessable", "bad"), errors.Rejected, "Unprocessable"),
        (arm_error(429, "TooManyRequests", "slow", Retry_After="7"), errors.Throttled, "TooManyRequests"),
        (arm_error(503, "ServerBusy", "later"), errors.ServerError, "ServerBusy"),
        (answers(302, None, Location="https://elsewhere.example/"), errors.Rejected, ""),
    ],
)
async def test_get_endpoint__azure_refuses__raises_its_kind_with_status_code_and_ids(
    certificates: Certificates, answer: Handler, expected: type[errors.GatewayError], code: str
) -> None:
    async with gateway(certificates, answer) as (fake, azure):
        with pytest.raises(errors.GatewayError) as caught:
            await azure.get_endpoint(samples.ENDPOINT)
    assert type(caught.value) is expected
    assert caught.value.code == code
    assert caught.value.status is not None
    assert caught.value.client_request_id == fake.calls[0].headers["x-ms-client-request-id"]
    assert not caught.value.applied_unknown
    assert len(fake.calls) == 1


async def test_get_endpoint__authorization_failed__names_the_missing_action(
    certificates: Certificates,
) -> None:
    action = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/read"
    answer = arm_error(
        403,
        "AuthorizationFailed",
        f"The client 'a' with object id 'b' does not have authorization to perform action '{action}' "
        f"over scope '{samples.ENDPOINT}' or the scope is invalid.",
    )
    async with gateway(certificates, answer) as (_fake, azure):
        with pytest.raises(errors.Forbidden) as caught:
            await azure.get_endpoint(samples.ENDPOINT)
    assert (caught.value.action, caught.value.scope) == (action, samples.ENDPOINT)


async def test_get_endpoint__body_is_no_json__is_malformed(certificates: Certificates) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="<html>proxy</html>", content_type="text/html")

    async with gateway(certificates, answer) as (_fake, azure):
        with pytest.raises(errors.Malformed, match="not JSON"):
            await azure.get_endpoint(samples.ENDPOINT)


async def test_get_endpoint__dripping_answer__ends_at_the_deadline(certificates: Certificates) -> None:
    async def drips(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    async with gateway(certificates, drips, deadline=0.4) as (_fake, azure):
        with pytest.raises(errors.Unreachable, match=r"within 0\.4 s"):
            await azure.get_endpoint(samples.ENDPOINT)


async def test_get_endpoint__unknown_authority__is_unreachable(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tests.azure_gateway import certificates as authority

    other = authority.make(tmp_path_factory.mktemp("other"))
    async with (
        serve(certificates, answers(body={})) as fake,
        connected(settings_for(fake.url, other)) as azure,
    ):
        with pytest.raises(errors.Unreachable, match=r"(?i)certificate"):
            await azure.get_endpoint(samples.ENDPOINT)
    assert fake.calls == []


@pytest.mark.parametrize(
    "arm_id", ["", "/", "/subscriptions/../x", f"{samples.ENDPOINT}?a=b", samples.WORKSPACE]
)
async def test_get_endpoint__id_of_no_endpoint__sends_nothing(
    certificates: Certificates, arm_id: str
) -> None:
    async with gateway(certificates, answers(body={})) as (fake, azure):
        with pytest.raises(ValueError, match="not the ARM id of an endpoint"):
            await azure.get_endpoint(arm_id)
    assert fake.calls == []


async def put(azure: Any) -> Any:
    return await azure.put_endpoint_split(samples.endpoint(), traffic={"blue": 100}, request_id="attempt-1")


async def test_put__accepted__gives_operation_and_ids(certificates: Certificates) -> None:
    uri = f"https://localhost{samples.OPERATION_PATH}"
    answer = answers(
        201, None, Azure_AsyncOperation=uri, x_ms_request_id="a", x_ms_correlation_request_id="c"
    )
    async with gateway(certificates, answer) as (fake, azure):
        accepted = await put(azure)
    assert (accepted.status, accepted.operation_uri) == (201, uri)
    assert (accepted.azure_request_id, accepted.correlation_id) == ("a", "c")
    assert accepted.client_request_id == "attempt-1"
    assert fake.calls[0].headers["x-ms-client-request-id"] == "attempt-1"
    assert fake.calls[0].body["properties"]["traffic"] == {"Blue": 100}


async def test_put__connection_reset_after_it_was_read__is_sent_once_and_its_fate_unknown(
    certificates: Certificates,
) -> None:
    async with gateway(certificates, answers(body=samples.endpoint())) as (fake, azure):
        await azure.get_endpoint(samples.ENDPOINT)
        fake.answer = resets
        with pytest.raises(errors.Unreachable) as caught:
            await put(azure)
    assert caught.value.applied_unknown
    assert [call.method for call in fake.calls] == ["GET", "PUT"]


@pytest.mark.parametrize("status", [429, 500, 503, 409])
async def test_put__refused__is_sent_once(certificates: Certificates, status: int) -> None:
    async with gateway(certificates, arm_error(status, "X", "x")) as (fake, azure):
        with pytest.raises(errors.GatewayError) as caught:
            await put(azure)
    assert len(fake.calls) == 1
    assert caught.value.applied_unknown == (status >= 500)


async def test_put__no_answer_in_time__has_an_unknown_fate(certificates: Certificates) -> None:
    async def hangs(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with gateway(certificates, hangs, deadline=0.3) as (_fake, azure):
        with pytest.raises(errors.Unreachable) as caught:
            await put(azure)
    assert caught.value.applied_unknown


async def test_put__slow_token_and_slow_answer__share_one_deadline(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/token":
            await asyncio.sleep(0.6)
            token = {"access_token": "t", "expires_on": "4102444800", "token_type": "Bearer", "resource": "r"}
            return web.json_response(token)
        await asyncio.sleep(0.8)
        return web.json_response({})

    async with serve(certificates, answer) as fake:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{fake.url}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        settings = settings_for(fake.url, certificates, deadline=1.0)
        async with connect(settings, tokens=TokenCache(), buckets=Buckets(settings.rates)) as azure:
            with pytest.raises(errors.Unreachable, match="within 1 s"):
                await put(azure)


async def test_put__nothing_listens__was_certainly_not_applied(certificates: Certificates) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"https://localhost:{free.getsockname()[1]}"
    async with connected(settings_for(url, certificates)) as azure:
        with pytest.raises(errors.Unreachable) as caught:
            await put(azure)
    assert not caught.value.applied_unknown


async def test_put__no_token_to_be_had__is_unauthenticated_and_not_sent(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "secret")
    async with serve(certificates, answers(body={})) as fake:
        settings = settings_for(fake.url, certificates, deadline=1.0)
        async with connect(settings, tokens=TokenCache(), buckets=Buckets(settings.rates)) as azure:
            with pytest.raises((errors.Unauthenticated, errors.Unreachable)) as caught:
                await put(azure)
    assert not caught.value.applied_unknown
    assert fake.calls == []


async def test_operation__of_the_resource_manager__gives_its_status(certificates: Certificates) -> None:
    body = {
        "status": "Failed",
        "percentComplete": 50.0,
        "error": {"code": "OutOfQuota", "message": "no cores"},
    }
    async with gateway(certificates, answers(body=body, Retry_After="3")) as (fake, azure):
        status = await azure.get_operation(f"{fake.url}{samples.OPERATION_PATH}?api-version=x&s=a%2Bb")
    assert (status.status, status.ended, status.succeeded) == ("Failed", True, False)
    assert (status.error_code, status.error_message, status.percent) == ("OutOfQuota", "no cores", 50.0)
    assert status.retry_after == 3.0
    assert fake.calls[0].query == "api-version=x&s=a%2Bb"


RESULT_PATH = samples.OPERATION_PATH.replace("mfeOperationsStatus", "mfeOperationResults")


async def test_patch__that_names_only_where_its_result_will_be__is_followed_there(
    certificates: Certificates,
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.method == "PATCH":
            return web.json_response(None, status=202, headers={"Location": f"{fake.url}{RESULT_PATH}?t=1"})
        return web.json_response(None, status=202, headers={"Retry-After": "2"})

    async with gateway(certificates, answer) as (fake, azure):
        accepted = await azure.patch_deployment_capacity(samples.DEPLOYMENT, 3, request_id="attempt-7")
        running = await azure.get_operation(accepted.operation_uri)
        fake.answer = answers(body=samples.deployment())
        done = await azure.get_operation(accepted.operation_uri)
        fake.answer = arm_error(400, "OutOfQuota", "no cores")
        with pytest.raises(errors.Rejected) as caught:
            await azure.get_operation(accepted.operation_uri)
    assert accepted.client_request_id == fake.calls[0].headers["x-ms-client-request-id"] == "attempt-7"
    assert (running.ended, running.retry_after) == (False, 2.0)
    assert (done.ended, done.succeeded) == (True, True)
    assert caught.value.code == "OutOfQuota"


async def test_put__whose_location_is_the_resource_itself__names_no_operation(
    certificates: Certificates,
) -> None:
    answer = answers(200, None, Location=f"https://localhost{samples.ENDPOINT}")
    async with gateway(certificates, answer) as (_fake, azure):
        assert (await put(azure)).operation_uri == ""


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/steal",
        "http://localhost/{port}",
        "https://localhost.evil.example:{port}/x",
        "https://localhost:1/x",
        "https://user@evil.example/x",
        "https://localhost:no/x",
        "file:///etc/passwd",
        "",
    ],
)
async def test_operation__elsewhere__is_refused_and_no_token_leaves(
    certificates: Certificates, uri: str
) -> None:
    async with gateway(certificates, answers(body={"status": "Succeeded"})) as (fake, azure):
        with pytest.raises(errors.Malformed, match="nothing was sent"):
            await azure.get_operation(uri.replace("{port}", fake.url.rsplit(":", 1)[1]))
    assert fake.calls == []


async def test_operation__without_status__is_malformed_not_done(certificates: Certificates) -> None:
    async with gateway(certificates, answers(body={})) as (fake, azure):
        with pytest.raises(errors.Malformed, match="no status"):
            await azure.get_operation(f"{fake.url}{samples.OPERATION_PATH}")


def pages(*chunks: list[Any], link: Callable[[web.Request, int], Any]) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        number = int(request.query.get("$skip", "0"))
        return web.json_response({"value": chunks[number % len(chunks)], "nextLink": link(request, number)})

    return answer


def next_page(request: web.Request, number: int, *, last: int = 1) -> str | None:
    return str(request.url.update_query({"$skip": str(number + 1)})) if number < last else None


async def test_list__several_pages_with_one_bad_item__gives_the_rest_and_names_it(
    certificates: Certificates,
) -> None:
    bad = samples.endpoint(f"{samples.ENDPOINT}-2", traffic={"blue": "many"})
    answer = pages([samples.endpoint()], [bad, "nonsense"], link=next_page)
    async with gateway(certificates, answer) as (_fake, azure):
        listing = await azure.list_endpoints(samples.WORKSPACE)
    assert [item.name for item in listing] == ["checkout-risk"]
    assert listing.unreadable[0].item == f"{samples.ENDPOINT}-2"
    assert "whole number" in listing.unreadable[0].reason
    assert listing.unreadable[1].item == f"item 1 of page 2 of {samples.WORKSPACE}/onlineEndpoints"
    assert listing.calls == 2
    assert listing.request_began <= listing.response_ended


async def test_list__item_with_a_nul__spoils_only_itself(certificates: Certificates) -> None:
    odd = samples.endpoint(f"{samples.ENDPOINT}-2", description="a\x00b")
    async with gateway(certificates, answers(body={"value": [odd, samples.endpoint()]})) as (_, azure):
        listing = await azure.list_endpoints(samples.WORKSPACE)
    assert [item.name for item in listing] == ["checkout-risk"]
    assert [item.item for item in listing.unreadable] == [f"{samples.ENDPOINT}-2"]


async def test_get_endpoint__ca_bundle_missing__says_which_file(
    certificates: Certificates, tmp_path: Path
) -> None:
    settings = settings_for("https://localhost:1", certificates)
    settings = replace(settings, cloud=replace(settings.cloud, ca_bundle=str(tmp_path / "missing.pem")))
    async with connected(settings) as azure:
        with pytest.raises(errors.Unreachable, match=r"missing\.pem"):
            await azure.get_endpoint(samples.ENDPOINT)


async def test_get_endpoint__token_refused__is_asked_for_anew_next_time(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = iter(["first", "second"])

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/token":
            token = {"access_token": next(issued), "expires_on": "4102444800", "token_type": "Bearer"}
            return web.json_response(token | {"resource": "r"})
        if request.headers["Authorization"] == "Bearer first":
            return web.json_response(
                {"error": {"code": "InvalidAuthenticationToken", "message": ""}}, status=401
            )
        return web.json_response(samples.endpoint())

    async with serve(certificates, answer) as fake:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{fake.url}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        settings = settings_for(fake.url, certificates)
        async with connect(settings, tokens=TokenCache(), buckets=Buckets(settings.rates)) as azure:
            with pytest.raises(errors.Unauthenticated):
                await azure.get_endpoint(samples.ENDPOINT)
            assert (await azure.get_endpoint(samples.ENDPOINT)).value.name == "checkout-risk"


@pytest.mark.parametrize(
    "link",
    [
        lambda request, number: "https://evil.example/next",
        lambda request, number: str(request.url),
        lambda request, number: next_page(request, number, last=10_000),
        lambda request, number: 7,
    ],
    ids=["foreign", "itself", "endless", "number"],
)
async def test_list__next_link_that_leads_nowhere_good__fails_whole(
    certificates: Certificates, link: Callable[[web.Request, int], Any]
) -> None:
    async with gateway(certificates, pages([samples.endpoint()], link=link), page_limit=5) as (fake, azure):
        with pytest.raises(errors.Malformed):
            await azure.list_endpoints(samples.WORKSPACE)
    assert len(fake.calls) <= 5


async def test_list__second_page_fails__is_an_error_not_a_short_list(certificates: Certificates) -> None:
    async def answer(request: web.Request) -> web.Response:
        if "$skip" in request.query:
            return web.json_response({}, status=500)
        return web.json_response({"value": [], "nextLink": next_page(request, 0)})

    async with gateway(certificates, answer) as (_fake, azure):
        with pytest.raises(errors.ServerError):
            await azure.list_endpoints(samples.WORKSPACE)


async def test_list__too_slow_in_all__ends_at_its_own_deadline(certificates: Certificates) -> None:
    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(0.1)
        number = int(request.query.get("$skip", "0"))
        return web.json_response({"value": [], "nextLink": next_page(request, number, last=1000)})

    async with gateway(certificates, answer, listing_deadline=0.35) as (_fake, azure):
        with pytest.raises(errors.Unreachable, match="not complete"):
            await azure.list_deployments(samples.ENDPOINT)


async def test_list_permissions__grants__come_as_records(certificates: Certificates) -> None:
    body = {
        "value": [{"actions": ["*/read"], "notActions": ["a/read"], "dataActions": [], "notDataActions": []}]
    }
    async with gateway(certificates, answers(body=body)) as (fake, azure):
        (granted,) = await azure.list_permissions(samples.WORKSPACE)
    assert (granted.actions, granted.not_actions) == (("*/read",), ("a/read",))
    assert fake.calls[0].path == f"{samples.WORKSPACE}/providers/Microsoft.Authorization/permissions"


async def test_patch_capacity__three__sends_the_sku_only(certificates: Certificates) -> None:
    async with gateway(certificates, answers(202, None)) as (fake, azure):
        accepted = await azure.patch_deployment_capacity(samples.DEPLOYMENT, 3)
    assert (accepted.status, accepted.operation_uri) == (202, "")
    call = fake.calls[0]
    assert (call.method, call.path, call.body) == ("PATCH", samples.DEPLOYMENT, {"sku": {"capacity": 3}})
    assert call.query == "api-version=2023-04-01-preview"
