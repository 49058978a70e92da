"""Many event streams on a real server with a small pool: everybody else is served as before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import psycopg
import pytest

from opsportal.embedded.processes import wait_until
from opsportal.embedded.throwaway import Servers
from tests.e2e.stage import PASSWORD, seed
from tests.support import processes
from tests.support.databases import Database

pytestmark = pytest.mark.processes

STREAMS = 20
POOL = 4


@pytest.fixture
def address(committed_db: Database, tmp_path: Path) -> Iterator[str]:
    told = processes.environment(committed_db, OPSPORTAL_DATABASE_POOL_SIZE=str(POOL))
    with processes.web(told, tmp_path) as (url, _):
        yield url


def signed_in(address: str) -> httpx.Client:
    client = httpx.Client(base_url=address, timeout=15, follow_redirects=True)
    form = client.get("/login").text
    token = form.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    answer = client.post(
        "/login", data={"username": "vera", "password": PASSWORD, "csrfmiddlewaretoken": token}
    )
    assert answer.url.path == "/fleet"
    return client


def connections(servers: Servers, database: Database) -> tuple[int, int]:
    """Connections that listen, and other ones."""
    with psycopg.connect(servers.admin_url) as server:
        rows = server.execute(
            "SELECT query LIKE 'LISTEN%%' FROM pg_stat_activity WHERE datname = %s AND application_name = ''",
            [database.name],
        ).fetchall()
    listening = sum(1 for (listens,) in rows if listens)
    return listening, len(rows) - listening


def test_streams__many_times_the_pool__share_one_connection_and_starve_nobody(
    servers: Servers, committed_db: Database, address: str
) -> None:
    number, *_ = seed()
    with ExitStack() as opened:
        client = opened.enter_context(closing(signed_in(address)))
        for _ in range(STREAMS):
            events = opened.enter_context(client.stream("GET", f"/changes/CR-{number}/events"))
            assert events.headers["Content-Type"] == "text/event-stream"
            lines = events.iter_lines()
            assert any(line.startswith("event: ") for line in lines)
        assert client.get("/fleet").status_code == 200
        assert connections(servers, committed_db)[0] == 1
    assert wait_until(lambda: connections(servers, committed_db)[0] == 0, seconds=15)
