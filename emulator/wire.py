"""What ordered faults do to a connection: delays, resets, silence, dripping bytes."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from emulator.errors import error_body
from emulator.faults import Fault

Answer = Callable[[], Awaitable[web.Response]]
_SILENCE_LIMIT = 900.0


async def through(fault: Fault, request: web.Request, answer: Answer) -> web.StreamResponse:
    """The answer to a request that a fault has met."""
    options = fault.options
    if fault.kind == "latency":
        await asyncio.sleep(options["milliseconds"] / 1000)
        return await answer()
    if fault.kind in {"status", "batch_refused"}:
        return _status(fault, await answer() if options["apply"] else None)
    if fault.kind in {"reset_before", "reset_after"}:
        response = await answer() if fault.kind == "reset_after" else web.Response(status=500)
        reset(request)
        return response
    if fault.kind == "half_open":
        if options["apply"]:
            await answer()
        await _silence(request)
        return web.Response(status=500)
    if fault.kind == "drip":
        return await _drip(request, await answer(), options["interval_ms"] / 1000)
    return await answer()


def reset(request: web.Request) -> None:
    """Cut the connection so that the other side sees a reset, not a clean end."""
    if request.transport is None:
        return
    sock = request.transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


def _status(fault: Fault, _applied: web.Response | None) -> web.Response:
    options = fault.options
    body = options["body"]
    headers = dict(options["headers"] or {})
    if options["retry_after"] is not None:
        headers["Retry-After"] = str(options["retry_after"])
    return web.json_response(
        error_body(options["code"], options["message"]) if body is None else body,
        status=options["status"],
        headers=headers,
    )


async def _silence(request: web.Request) -> None:
    """Hold the connection open without a byte until the other side gives up."""
    waited = 0.0
    while waited < _SILENCE_LIMIT and request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(0.2)
        waited += 0.2


async def _drip(request: web.Request, answer: web.Response, seconds: float) -> web.StreamResponse:
    body = answer.body if isinstance(answer.body, bytes) else b""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(body)
    await response.prepare(request)
    for i in range(len(body)):
        await response.write(body[i : i + 1])
        await asyncio.sleep(seconds)
    await response.write_eof()
    return response
