"""What Resource Graph finds, page by page, and what happens where it does not answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from endpoints.azure_gateway import errors
from tests.azure_gateway import samples
from tests.azure_gateway.certificates import Certificates
from tests.azure_gateway.fakes import Handler, gateway

pytestmark = pytest.mark.asyncio


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"{samples.ENDPOINT}-{number}",
        "name": f"checkout-risk-{number}",
        "type": "microsoft.machinelearningservices/workspaces/onlineendpoints",
        "location": "westeurope",
        "tags": {"owner": "risk"},
        **changes,
    }


def page(rows: list[Any], token: Any = None, **changes: Any) -> dict[str, Any]:
    found = {"totalRecords": 9, "count": len(rows), "data": rows, "facets": [], "resultTruncated": "false"}
    return {**found, **({} if token is None else {"$skipToken": token}), **changes}


def answers(*pages: Any, status: int = 200, **headers: str) -> Handler:
    """One page after the other; the last one again and again."""
    left = list(pages)

    async def handler(_: web.Request) -> web.Response:
        body = left.pop(0) if len(left) > 1 else left[0]
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(body, status=status, headers=named)

    return handler


async def test_find__two_pages__gives_all_rows_and_continues_with_the_token(
    certificates: Certificates,
) -> None:
    handler = answers(page([row(1), row(2)], "next"), page([row(3, tags=None)]))
    async with gateway(certificates, handler) as (fake, azure):
        listing = await azure.find_endpoints([samples.SUBSCRIPTION])
    assert [item.name for item in listing] == [f"checkout-risk-{number}" for number in (1, 2, 3)]
    assert listing.items[0].tags == {"owner": "risk"}
    assert listing.items[2].tags == {}
    assert (listing.items[0].arm_id, listing.items[0].location) == (f"{samples.ENDPOINT}-1", "westeurope")
    assert (listing.calls, listing.unreadable) == (2, ())
    first, second = fake.calls
    assert (first.method, first.path) == ("POST", "/providers/Microsoft.ResourceGraph/resources")
    assert first.query == "api-version=2021-03-01"
    assert first.headers["Authorization"] == "Bearer a-token"
    assert first.body["subscriptions"] == [samples.SUBSCRIPTION]
    assert first.body["options"] == {"resultFormat": "objectArray", "$top": 1000}
    assert second.body["options"] == {**first.body["options"], "$skipToken": "next"}
    assert second.body["query"] == first.body["query"]


async def test_find__deployments__asks_for_their_type(certificates: Certificates) -> None:
    async with gateway(certificates, answers(page([]))) as (fake, azure):
        assert len(await azure.find_deployments([samples.SUBSCRIPTION])) == 0
    assert (
        "=~ 'microsoft.machinelearningservices/workspaces/onlineendpoints/deployments'"
        in (fake.calls[0].body["query"])
    )


async def test_find__rows_that_can_not_be_understood__spoil_only_themselves(
    certificates: Certificates,
) -> None:
    rows = [row(1), "nonsense", row(2, id=None), row(3, tags="x"), row(4, name="a\x00b")]
    async with gateway(certificates, answers(page(rows))) as (_fake, azure):
        listing = await azure.find_endpoints([samples.SUBSCRIPTION])
    assert [item.name for item in listing] == ["checkout-risk-1"]
    assert [item.item for item in listing.unreadable] == [
        "item 1 of page 1 of Resource Graph",
        "item 2 of page 1 of Resource Graph",
        f"{samples.ENDPOINT}-3",
        f"{samples.ENDPOINT}-4",
    ]


@pytest.mark.parametrize("status", [403, 404, 500, 503])
async def test_find__resource_graph_does_not_answer__is_refused(
    certificates: Certificates, status: int
) -> None:
    body = {"error": {"code": "X", "message": "not here"}}
    async with gateway(certificates, answers(body, status=status)) as (fake, azure):
        with pytest.raises(errors.DiscoveryRefused, match="not here") as caught:
            await azure.find_endpoints([samples.SUBSCRIPTION])
    assert (caught.value.status, caught.value.code) == (status, "X")
    assert len(fake.calls) == 1


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        page([], data=None),
        page([row(1)], 7),
        page([row(1)], "same"),
        page([row(1)], resultTruncated="true"),
    ],
    ids=["list", "empty", "no rows", "token is a number", "token repeats", "cut"],
)
async def test_find__list_that_can_not_be_whole__fails_whole(certificates: Certificates, body: Any) -> None:
    async with gateway(certificates, answers(body)) as (_fake, azure):
        with pytest.raises(errors.Malformed):
            await azure.find_endpoints([samples.SUBSCRIPTION])


async def test_find__too_slow_in_all__ends_at_its_own_deadline(certificates: Certificates) -> None:
    numbers = iter(range(1000))

    async def handler(_: web.Request) -> web.Response:
        await asyncio.sleep(0.1)
        return web.json_response(page([], str(next(numbers))))

    async with gateway(certificates, handler, listing_deadline=0.35) as (_fake, azure):
        with pytest.raises(errors.Unreachable, match="did not answer whole"):
            await azure.find_endpoints([samples.SUBSCRIPTION])


async def test_find__last_query_of_the_window__waits_for_the_next_window(certificates: Certificates) -> None:
    quota = {"x_ms_user_quota_remaining": "0", "x_ms_user_quota_resets_after": "00:00:05"}
    async with gateway(certificates, answers(page([]), **quota), patience=0.1) as (fake, azure):
        await azure.find_endpoints([samples.SUBSCRIPTION])
        with pytest.raises(
            errors.Throttled, match="Resource Graph queries is spent; nothing was sent"
        ) as caught:
            await azure.find_endpoints([samples.SUBSCRIPTION])
    assert caught.value.retry_after == pytest.approx(5, abs=1)
    assert len(fake.calls) == 1


async def test_find__throttled__says_when_the_window_ends(certificates: Certificates) -> None:
    headers = {"x_ms_user_quota_remaining": "0", "x_ms_user_quota_resets_after": "00:01:03"}
    async with gateway(certificates, answers({}, status=429, **headers)) as (_fake, azure):
        with pytest.raises(errors.Throttled) as caught:
            await azure.find_endpoints([samples.SUBSCRIPTION])
    assert caught.value.retry_after == 63.0


@pytest.mark.parametrize("subscriptions", [[], ["x'y"], [samples.SUBSCRIPTION] * 1001])
async def test_find__subscriptions_that_can_not_be_searched__sends_nothing(
    certificates: Certificates, subscriptions: list[str]
) -> None:
    async with gateway(certificates, answers(page([]))) as (fake, azure):
        with pytest.raises(ValueError, match="subscription"):
            await azure.find_endpoints(subscriptions)
    assert fake.calls == []
