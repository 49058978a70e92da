"""LISTEN on one connection of its own, outside the pool. Lost connections come back; polling covers the gap."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import psycopg
import structlog
from django.db import connection
from psycopg import sql

log = structlog.get_logger(__name__)


def connection_arguments() -> dict[str, object]:
    """What psycopg needs to reach the same database as Django."""
    values = connection.settings_dict
    return {
        "host": values["HOST"],
        "port": values["PORT"],
        "user": values["USER"],
        "password": values["PASSWORD"],
        "dbname": values["NAME"],
        "connect_timeout": 5,
    }


async def listen(channel: str, hear: Callable[[str], None], *, pause: float = 1.0) -> None:
    """Call `hear` with each payload, and with "" after each (re)connect, until cancelled."""
    while True:
        try:
            await _listen_once(channel, hear)
        except psycopg.Error as error:
            log.warning("listening_interrupted", channel=channel, cause=str(error).strip())
        await asyncio.sleep(pause)


async def _listen_once(channel: str, hear: Callable[[str], None]) -> None:
    arguments = connection_arguments()
    async with await psycopg.AsyncConnection.connect(autocommit=True, **arguments) as live:  # type: ignore[arg-type]
        await live.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        hear("")
        async for notification in live.notifies():
            hear(notification.payload)
