"""Sessions: another key at sign-in, and an end for every copy of the cookie, open streams included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import AsyncClient, Client

from endpoints.access import services as access
from endpoints.access import sessions
from endpoints.access.models import User
from endpoints.changes.services.request import request_change
from endpoints.web import live
from tests.support.databases import Database
from tests.support.people import PASSWORD, browser, make_endpoint, make_person, make_workspace, principal
from tests.web.conftest import SignIn

SOON = 5.0


def copy_of(client: Client) -> Client:
    """What a thief of the cookie has."""
    other = Client()
    other.cookies["sessionid"] = client.cookies["sessionid"].value
    return other


def is_in(client: Client) -> bool:
    return client.get("/settings/profile").status_code == 200


def test_sign_in__with_a_key_that_somebody_else_chose__gives_it_no_powers(requester: User) -> None:
    victim, thief = Client(), Client()
    for client in (victim, thief):
        client.cookies["sessionid"] = "a" * 32
    victim.post("/login", {"username": requester.username, "password": PASSWORD})
    assert is_in(victim)
    assert victim.cookies["sessionid"].value != "a" * 32
    assert not is_in(thief)


def test_sign_in__over_somebody_elses_session__keeps_nothing_of_it(
    sign_in: SignIn, requester: User, reviewer: User
) -> None:
    client = sign_in(requester)
    former = copy_of(client)
    client.post("/login", {"username": reviewer.username, "password": PASSWORD})
    assert "Vera" in client.get("/fleet").content.decode()
    assert not is_in(former)


def test_sign_out__ends_every_copy_of_the_cookie(sign_in: SignIn, requester: User) -> None:
    client = sign_in(requester)
    thief = copy_of(client)
    client.post("/logout")
    assert not is_in(thief)


def test_sign_out__followed_as_a_link__ends_nothing(sign_in: SignIn, requester: User) -> None:
    client = sign_in(requester)
    assert client.get("/logout").status_code == 405
    assert is_in(client)


def test_password__changed__ends_all_sessions_but_this_one(sign_in: SignIn, requester: User) -> None:
    here, elsewhere = sign_in(requester), sign_in(requester)
    thief = copy_of(here)
    new = "another long pass phrase"
    here.post("/settings/profile", {"form": "password", "current": PASSWORD, "password": new})
    assert is_in(here)
    assert not is_in(elsewhere)
    assert not is_in(thief)


def test_password__given_by_an_administrator__ends_all_sessions(
    sign_in: SignIn, requester: User, admin: User
) -> None:
    client = sign_in(requester)
    access.give_password(principal=principal(admin), user_id=requester.pk, password="a phrase of the admin's")
    assert not is_in(client)


def test_account__disabled_and_enabled_again__has_no_session_left(
    sign_in: SignIn, requester: User, admin: User
) -> None:
    client = sign_in(requester)
    access.disable_user(principal=principal(admin), user_id=requester.pk)
    access.enable_user(principal=principal(admin), user_id=requester.pk)
    assert not is_in(client)


def test_session__eight_hours_old_and_in_use__is_over_for_pages_and_api(requester: User) -> None:
    client, now = browser(requester), datetime.now(UTC)
    session = client.session
    sessions.begin(session, now - timedelta(hours=8, seconds=1))
    session["access_seen"] = now.timestamp()
    session.save()
    assert client.get("/api/v1/me").status_code == 401
    assert not is_in(client)


@pytest.mark.parametrize(
    "cookie",
    ['"abc\\000defghijkl"', '"\\377\\376"', "%00" * 16, "x" * 8000, "", "'; DROP TABLE x; --", "é" * 32],
)
@pytest.mark.parametrize("path", ["/fleet", "/login", "/api/v1/me"])
def test_cookie__that_is_no_key__is_no_session(path: str, cookie: str, db: None) -> None:
    """A quoted cookie can spell a NUL, which PostgreSQL refuses to compare."""
    answer = Client(raise_request_exception=False).get(
        path, headers={"Cookie": f"sessionid={cookie}; csrftoken={cookie}; zone={cookie}; theme={cookie}"}
    )
    assert answer.status_code in (200, 302, 401)
    assert not Session.objects.exists()


async def left(events: AsyncIterator[bytes]) -> list[bytes]:
    """What still comes until the stream ends."""
    async with asyncio.timeout(SOON):
        return [event async for event in events]


def _change() -> tuple[int, User]:
    workspace = make_workspace("mlw-prod-weu")
    author = make_person("rosa", {workspace.slug: ["requester"]})
    number = request_change(
        principal=principal(author),
        endpoint_id=make_endpoint(workspace).pk,
        split={"green": 100},
        reason="Try",
    )
    return number, author


@pytest.mark.asyncio
@pytest.mark.parametrize("end", ["signed out", "password changed", "eight hours"])
async def test_event_stream__whose_session_ends__ends_too(
    end: str, committed_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.1)
    number, author = await sync_to_async(_change)()
    client = AsyncClient()
    await client.post("/login", {"username": "rosa", "password": PASSWORD})
    key = client.cookies["sessionid"].value
    answer = await client.get(f"/changes/CR-{number}/events")
    events = aiter(answer.streaming_content)
    assert b"retry" in await anext(events)
    assert b"Waiting for review" in await anext(events)

    def finish() -> None:
        if end == "signed out":
            Session.objects.filter(pk=key).delete()
        elif end == "password changed":
            access.change_password(principal=principal(author), current=PASSWORD, new="another pass phrase")
        else:
            row = Session.objects.get(pk=key)
            data = row.get_decoded() | {"access_began": 0.0}
            row.session_data = Session.objects.encode(data)
            row.save()
        connection.close()

    await sync_to_async(finish)()
    assert b"event: end" not in b"".join(await left(events))
