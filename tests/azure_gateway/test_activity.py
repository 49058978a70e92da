"""The activity log: what is asked, what is refused to be asked, and what becomes of odd events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from aiohttp import web

from endpoints.azure_gateway import activity, errors
from endpoints.azure_gateway.client import Azure
from endpoints.azure_gateway.records import ActivityRecord, Listing
from tests.azure_gateway import samples
from tests.azure_gateway.certificates import Certificates
from tests.azure_gateway.fakes import Handler, gateway

WRITE = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write"
SINCE = datetime(2026, 3, 1, 12, 0, 0, 900_000, tzinfo=UTC)
UNTIL = datetime(2026, 3, 1, 13, 0, 0, 1, tzinfo=timezone(timedelta(hours=1)))
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


def event(**fields: Any) -> dict[str, Any]:
    return {
        "eventDataId": "e-1",
        "eventTimestamp": "2026-03-01T11:59:59.1234567Z",
        "caller": "ada@example.com",
        "operationName": {"value": WRITE, "localizedValue": "Update endpoint"},
        "status": {"value": "Succeeded", "localizedValue": "Succeeded"},
        "resourceId": samples.ENDPOINT,
        "correlationId": "c-1",
        "httpRequest": {"clientRequestId": "r-1", "method": "PUT"},
        "claims": {"appid": "app-1", OBJECT_ID: "oid-1"},
        **fields,
    }


def answers(*events: Any) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"value": list(events)})

    return answer


async def ask(azure: Azure, **options: Any) -> Listing[ActivityRecord]:
    until = SINCE + timedelta(hours=1)
    return await azure.list_activity(samples.SUBSCRIPTION, since=SINCE, until=until, **options)


def test_event__of_a_write__says_who_did_what_when_and_under_which_ids() -> None:
    assert activity.event(event()) == ActivityRecord(
        event_id="e-1",
        at=datetime(2026, 3, 1, 11, 59, 59, 123456, tzinfo=UTC),
        caller="ada@example.com",
        operation=WRITE,
        status="Succeeded",
        resource_id=samples.ENDPOINT.lower(),
        correlation_id="c-1",
        client_request_id="r-1",
        app_id="app-1",
        object_id="oid-1",
    )


def test_event__that_does_not_say_who__leaves_it_open() -> None:
    record = activity.event(event(caller=None, claims=None, httpRequest=None, correlationId=None))
    assert (record.caller, record.app_id, record.object_id) == ("", "", "")
    assert (record.client_request_id, record.correlation_id) == ("", "")


def test_event__without_a_resource_id__has_it_from_its_own_id() -> None:
    record = activity.event(event(resourceId=None, id=f"{samples.ENDPOINT}/events/e-1/ticks/6"))
    assert record.resource_id == samples.ENDPOINT.lower()


@pytest.mark.parametrize(
    "fields",
    [
        {"eventDataId": None},
        {"eventTimestamp": "soon"},
        {"eventTimestamp": "0001-01-01T00:00:00+14:00"},
        {"eventTimestamp": 7},
        {"operationName": {}},
        {"resourceId": None},
        {"resourceId": "checkout"},
        {"status": 3},
        {"claims": "x"},
        {"httpRequest": []},
        {"caller": {"value": 3}},
    ],
    ids=str,
)
def test_event__that_can_not_be_understood__is_malformed(fields: dict[str, Any]) -> None:
    with pytest.raises(errors.Malformed):
        activity.event(event(**fields))


def test_filter__about_an_endpoint__widens_the_times_to_whole_seconds() -> None:
    since = UNTIL - timedelta(hours=1)
    assert activity.log_filter(samples.SUBSCRIPTION.upper(), since, UNTIL, samples.ENDPOINT) == (
        "eventTimestamp ge '2026-03-01T11:00:00Z' and eventTimestamp le '2026-03-01T12:00:01Z' "
        f"and resourceUri eq '{samples.ENDPOINT}'"
    )


def test_filter__about_nothing_in_particular__asks_for_azure_machine_learning() -> None:
    text = activity.log_filter(samples.SUBSCRIPTION, SINCE, SINCE, "")
    assert text.endswith("and resourceProvider eq 'Microsoft.MachineLearningServices'")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "resource_id",
    [
        f"{samples.ENDPOINT}' or resourceUri eq '/x",
        "/subscriptions/x",
        "checkout-risk",
        samples.ENDPOINT.replace(samples.SUBSCRIPTION, "22222222-2222-3333-4444-555555555555"),
    ],
)
async def test_list__about_what_is_no_resource_there__sends_nothing(
    certificates: Certificates, resource_id: str
) -> None:
    async with gateway(certificates, answers()) as (fake, azure):
        with pytest.raises(ValueError, match="is not"):
            await ask(azure, resource_id=resource_id)
    assert fake.calls == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("since", "until"), [(SINCE, SINCE - timedelta(seconds=1)), (SINCE.replace(tzinfo=None), SINCE)]
)
async def test_list__of_no_time__sends_nothing(
    certificates: Certificates, since: datetime, until: datetime
) -> None:
    async with gateway(certificates, answers()) as (fake, azure):
        with pytest.raises(ValueError, match="to a later one"):
            await azure.list_activity(samples.SUBSCRIPTION, since=since, until=until)
    assert fake.calls == []


@pytest.mark.asyncio
async def test_list__of_an_endpoint__asks_for_it_and_sets_odd_events_aside(
    certificates: Certificates,
) -> None:
    odd = event(eventTimestamp=None)
    async with gateway(certificates, answers(event(), odd, None)) as (fake, azure):
        listing = await ask(azure, resource_id=samples.ENDPOINT)
    assert [item.event_id for item in listing] == ["e-1"]
    assert [item.reason for item in listing.unreadable] == ["it has no eventTimestamp", "it is not an object"]
    call = fake.calls[0]
    assert call.path == (
        f"/subscriptions/{samples.SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values"
    )
    assert call.query == (
        "api-version=2015-04-01&$filter=eventTimestamp ge '2026-03-01T12:00:00Z' and "
        f"eventTimestamp le '2026-03-01T13:00:01Z' and resourceUri eq '{samples.ENDPOINT}'"
    )


@pytest.mark.asyncio
async def test_list__of_some_operations__keeps_those_in_any_case(certificates: Certificates) -> None:
    other = event(eventDataId="e-2", operationName={"value": f"{WRITE}/other"})
    plain = event(eventDataId="e-3", operationName=WRITE.upper())
    async with gateway(certificates, answers(event(), other, plain)) as (_fake, azure):
        listing = await ask(azure, operations=[WRITE.lower()])
    assert [item.event_id for item in listing] == ["e-1", "e-3"]


@pytest.mark.asyncio
async def test_list__of_several_pages__is_one(certificates: Certificates) -> None:
    async def answer(request: web.Request) -> web.Response:
        number = int(request.query.get("$skiptoken", "0"))
        following = str(request.url.update_query({"$skiptoken": str(number + 1)})) if number < 2 else None
        return web.json_response({"value": [event(eventDataId=f"e-{number}")], "nextLink": following})

    async with gateway(certificates, answer) as (_fake, azure):
        listing = await ask(azure)
    assert [item.event_id for item in listing] == ["e-0", "e-1", "e-2"]
    assert listing.calls == 3


@pytest.mark.asyncio
async def test_list__of_more_pages_than_are_read__asks_to_ask_for_less(certificates: Certificates) -> None:
    async def answer(request: web.Request) -> web.Response:
        number = int(request.query.get("$skiptoken", "0"))
        following = str(request.url.update_query({"$skiptoken": str(number + 1)}))
        return web.json_response({"value": [], "nextLink": following})

    async with gateway(certificates, answer) as (fake, azure):
        with pytest.raises(errors.Malformed, match="longer than 50 pages: ask for less of it"):
            await ask(azure)
    assert len(fake.calls) == 50


@pytest.mark.asyncio
async def test_list__throttled__holds_up_no_other_read(certificates: Certificates) -> None:
    async def answer(request: web.Request) -> web.Response:
        if "eventtypes" in request.path:
            return web.json_response({}, status=429, headers={"Retry-After": "30"})
        return web.json_response(samples.endpoint())

    async with gateway(certificates, answer, patience=0.2) as (fake, azure):
        with pytest.raises(errors.Throttled) as caught:
            await ask(azure)
        with pytest.raises(
            errors.Throttled, match=r"activity log queries for subscription .*nothing was sent"
        ):
            await ask(azure)
        assert (await azure.get_endpoint(samples.ENDPOINT)).value.name == "checkout-risk"
    assert caught.value.retry_after == 30.0
    assert len(fake.calls) == 2
