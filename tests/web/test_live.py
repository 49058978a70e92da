"""Event streams: woken by NOTIFY, right without it, and holding no database connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.test import AsyncClient

from endpoints.access.models import User
from endpoints.access.services import end_grant
from endpoints.changes.selectors import change_detail
from endpoints.changes.services.approve import approve_change
from endpoints.changes.services.request import request_change
from endpoints.changes.services.withdraw import withdraw_change
from endpoints.changes.wake import CHANNEL, Wake
from endpoints.dispatch import notify
from endpoints.web import live
from endpoints.web.live import Pulse, stream
from opsportal.embedded.throwaway import Servers
from tests.support.databases import Database
from tests.support.people import PASSWORD, make_endpoint, make_person, make_workspace, principal

SOON = 10.0


async def take(events: AsyncIterator[bytes], kind: str, with_text: str = "") -> str:
    """The next event of this kind that has this text; other ones are passed over."""
    async with asyncio.timeout(SOON):
        async for event in events:
            if f"event: {kind}\n" in event.decode() and with_text in event.decode():
                return event.decode()
    raise AssertionError(f"the stream ended without {kind}")


@pytest.fixture
def quick_heartbeat() -> Iterator[None]:
    before = live.HEARTBEAT_SECONDS
    live.HEARTBEAT_SECONDS = 0.05
    yield
    live.HEARTBEAT_SECONDS = before


@pytest.mark.asyncio
async def test_stream__without_any_notification__still_tells_what_moved(
    committed_db: Database, quick_heartbeat: None
) -> None:
    versions = iter(["1", "1", "2"])
    events = stream(7, lambda: Pulse(next(versions, "2"), "CR-7: Done."), last_id="1")
    assert "id: 2\n" in await take(events, "change", with_text="id: 2")
    await events.aclose()  # type: ignore[attr-defined]  # an async generator


@pytest.mark.asyncio
async def test_stream__for_a_reader_who_returns_and_missed_nothing__says_no_change(
    committed_db: Database, quick_heartbeat: None
) -> None:
    events = stream(7, lambda: Pulse("5"), last_id="5")
    assert "id: 5\n" in await take(events, "beat")
    await events.aclose()  # type: ignore[attr-defined]


@pytest.mark.asyncio
async def test_stream__of_a_change_that_is_over__ends(committed_db: Database) -> None:
    events = stream(7, lambda: Pulse("9", "CR-7: Done.", over=True))
    seen = [event.decode() async for event in events]
    assert "event: end" in seen[-1]
    data = next(line for line in seen[-1].splitlines() if line.startswith("data: "))
    assert json.loads(data.removeprefix("data: ")) == {"text": "CR-7: Done."}


@pytest.mark.asyncio
async def test_stream__of_somebody_who_may_no_longer_look__ends_without_a_word(
    committed_db: Database,
) -> None:
    events = stream(7, lambda: None)
    assert [event.decode() async for event in events] == ["retry: 2000\n\n"]


@pytest.mark.asyncio
async def test_notification__wakes_the_streams_of_its_change_only(committed_db: Database) -> None:
    async with live.hub().watch(7) as mine, live.hub().watch(8) as other:
        await _listening(mine, other)
        await sync_to_async(_notify)(Wake(7, 1).encode())
        await asyncio.wait_for(mine.wait(), SOON)
        assert not other.is_set()


async def _listening(*woken: asyncio.Event) -> None:
    """The listener wakes everybody once when it listens."""
    for event in woken:
        await asyncio.wait_for(event.wait(), SOON)
        event.clear()


def _notify(payload: str) -> None:
    with transaction.atomic():
        notify(CHANNEL, payload)
    connection.close()


@pytest.mark.asyncio
async def test_listener__whose_connection_was_cut__comes_back_and_wakes_everybody(
    servers: Servers, committed_db: Database
) -> None:
    before, live.RECONNECT_SECONDS = live.RECONNECT_SECONDS, 0.05
    try:
        async with live.hub().watch(7) as woken:
            await _listening(woken)
            with psycopg.connect(servers.admin_url, autocommit=True) as server:
                cut = server.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = %s AND query LIKE 'LISTEN%%'",
                    [committed_db.name],
                ).fetchall()
            assert cut == [(True,)]
            await asyncio.wait_for(woken.wait(), SOON)
    finally:
        live.RECONNECT_SECONDS = before


@pytest.mark.asyncio
async def test_twenty_streams__hold_one_connection_together(committed_db: Database) -> None:
    looks = asyncio.Event()

    def look() -> Pulse:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        looks.set()
        return Pulse("1")

    async with contextlib.AsyncExitStack() as opened:
        streams = [stream(number, look) for number in range(20)]
        for events in streams:
            opened.push_async_callback(events.aclose)  # type: ignore[attr-defined]
        await asyncio.gather(*(take(events, "change") for events in streams))
        assert await sync_to_async(_connections)(committed_db) == 1


def _connections(database: Database) -> int:
    with psycopg.connect(database.owner_url) as owner:
        found = owner.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert found is not None
    return int(found[0])


def _seed() -> tuple[int, User, User]:
    workspace = make_workspace("mlw-prod-weu")
    author = make_person("rosa", {workspace.slug: ["requester"]})
    reviewer = make_person("vera", {workspace.slug: ["reviewer"]})
    endpoint = make_endpoint(workspace)
    number = request_change(
        principal=principal(author), endpoint_id=endpoint.pk, split={"green": 100}, reason="Try green"
    )
    return number, author, reviewer


@pytest.mark.asyncio
async def test_event_stream__of_a_change__tells_each_move_until_it_ends(committed_db: Database) -> None:
    number, author, reviewer = await sync_to_async(_seed)()
    client = AsyncClient()
    await client.post("/login", {"username": "rosa", "password": PASSWORD})
    answer = await client.get(f"/changes/CR-{number}/events")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
    events = aiter(answer.streaming_content)
    assert "Waiting for review" in await take(events, "change")

    def approve() -> None:
        seen = change_detail(principal(reviewer), number)
        approve_change(
            principal=principal(reviewer),
            change_id=number,
            seen_hash=seen.content_hash,
            accept=[one.name for one in seen.checks if one.needs_acceptance],
        )
        connection.close()

    await sync_to_async(approve)()
    assert "Approved" in await take(events, "change")

    def withdraw() -> None:
        withdraw_change(principal=principal(author), change_id=number)
        connection.close()

    await sync_to_async(withdraw)()
    assert "Withdrawn" in await take(events, "end")


@pytest.mark.asyncio
async def test_event_stream__ends_when_the_role_does(committed_db: Database, quick_heartbeat: None) -> None:
    number, author, _ = await sync_to_async(_seed)()
    client = AsyncClient()
    await client.post("/login", {"username": "rosa", "password": PASSWORD})
    answer = await client.get(f"/changes/CR-{number}/events")
    events = aiter(answer.streaming_content)
    await take(events, "change")

    def leave() -> None:
        admin = make_person("ada", {"": ["admin"]})
        for grant in author.grants.all():
            end_grant(principal=principal(admin), grant_id=grant.pk, reason="left")
        connection.close()

    await sync_to_async(leave)()
    async with asyncio.timeout(SOON):
        async for _ in events:
            pass


@pytest.mark.asyncio
async def test_event_stream__for_a_stranger__is_refused(committed_db: Database) -> None:
    number, _, _ = await sync_to_async(_seed)()
    client = AsyncClient()
    assert (await client.get(f"/changes/CR-{number}/events")).status_code == 302
    assert (await client.post(f"/changes/CR-{number}/events")).status_code == 405

    def stranger() -> None:
        make_person("otto")
        connection.close()

    await sync_to_async(stranger)()
    await client.post("/login", {"username": "otto", "password": PASSWORD})
    assert (await client.get(f"/changes/CR-{number}/events")).status_code == 404
