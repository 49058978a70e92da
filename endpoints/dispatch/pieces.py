"""A long answer whose pieces are read from the database one after the other, while it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.db import connection


def in_pieces(pieces: Iterator[str], *, waiting: bool) -> Iterator[bytes] | AsyncIterator[bytes]:
    """The pieces as bytes. `waiting`: for a server that waits for each (ASGI).

    Between two pieces it holds no connection then: a slow reader must not keep one from others.
    """
    return _one_by_one(pieces) if waiting else (piece.encode() for piece in pieces)


async def _one_by_one(pieces: Iterator[str]) -> AsyncIterator[bytes]:
    while (piece := await sync_to_async(_next)(pieces)) is not None:
        yield piece.encode()


def _next(pieces: Iterator[str]) -> str | None:
    try:
        return next(pieces, None)
    finally:
        connection.close()
