"""Server-sent events: one LISTEN connection per process, fanned out to every open stream.

A notification only wakes: the stream then reads what really is, so a lost one costs a poll and no more. No stream
holds a database connection: each look is one short function that gives its connection back, because twenty
streams that each kept one would starve the pool.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from asgiref.sync import sync_to_async
from django.db import connection
from psycopg import sql

from endpoints.changes.wake import CHANNEL, parse

log = structlog.get_logger(__name__)
HEARTBEAT_SECONDS = 15.0
RECONNECT_SECONDS = 2.0
CONNECT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a stream compares: a version that grows with each move, words to announce, and whether it is over."""

    version: str
    text: str = ""
    over: bool = False


class Hub:
    """The listener of one event loop. It starts with the first stream and stops with the last."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._watchers: dict[asyncio.Event, int] = {}
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watch(self, change_id: int) -> AsyncIterator[asyncio.Event]:
        """An event that is set when the change may have moved, and after every reconnect."""
        woken = asyncio.Event()
        self._watchers[woken] = change_id
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen(), name="listen-changes")
        try:
            yield woken
        finally:
            del self._watchers[woken]
            if not self._watchers and self._task is not None:
                self._task.cancel()
                self._task = None

    def wake(self, change_id: int | None = None) -> None:
        """Wake the streams of one change, or all."""
        for woken, watched in self._watchers.items():
            if change_id is None or change_id == watched:
                woken.set()

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (psycopg.Error, OSError) as error:
                log.warning("listen_lost", cause=type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        listener = await self._connect()
        async with listener:
            await listener.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
            self.wake()
            async for notification in listener.notifies():
                wake = parse(notification.payload)
                if wake is not None:
                    self.wake(wake.change_id)


async def _connect() -> psycopg.AsyncConnection[Any]:
    """Outside the pool and for ever: a LISTEN belongs to its connection."""
    params = connection.get_connection_params()
    wanted = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert", "service")
    known = {key: params[key] for key in wanted if params.get(key)}
    return await psycopg.AsyncConnection.connect(autocommit=True, connect_timeout=CONNECT_SECONDS, **known)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """This event loop's hub."""
    loop = asyncio.get_running_loop()
    for old in [one for one in _hubs if one.is_closed()]:
        del _hubs[old]
    return _hubs.setdefault(loop, Hub(_connect))


async def stream(change_id: int, look: Callable[[], Pulse | None], last_id: str = "") -> AsyncIterator[bytes]:
    """Events of one change until it is over, the person may no longer look, or the reader leaves.

    "change" when it moved, "beat" when it did not, "end" when it is over.
    `look` reads the database in a thread; None ends the stream. `last_id` is what a returning reader saw last.
    """
    yield b"retry: 2000\n\n"
    async with hub().watch(change_id) as woken:
        seen = last_id
        while True:
            moved = woken.is_set()
            woken.clear()
            pulse = await look_once(look)
            if pulse is None:
                return
            yield message("change" if moved or pulse.version != seen else "beat", pulse)
            seen = pulse.version
            if pulse.over:
                yield message("end", pulse)
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), HEARTBEAT_SECONDS)


def message(event: str, pulse: Pulse) -> bytes:
    """One event as it goes over the wire."""
    data = json.dumps({"text": pulse.text})
    return f"id: {pulse.version}\nevent: {event}\ndata: {data}\n\n".encode()


async def look_once(look: Callable[[], Any]) -> Any:
    """Run a database read in a thread and give its connection back at once."""

    def read() -> Any:
        try:
            return look()
        finally:
            connection.close()

    return await sync_to_async(read)()
