"""What every listener does around a handler: records, lets faults at it, turns refusals into answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from emulator import wire
from emulator.cloud import Cloud
from emulator.control import Fate
from emulator.errors import ArmError
from emulator.requestlog import Entry
from emulator.values import stamp

Handler = Callable[[web.Request, Entry, Fate | None], Awaitable[web.Response]]


async def serve(cloud: Cloud, plane: str, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer one request of `plane` (arm, metrics, logs, retail, scoring, vault or identity)."""
    entry = cloud.requests.open(
        plane=plane, method=request.method, path=request.path, started=stamp(cloud.control.clock())
    )
    entry.query = dict(request.query)
    entry.api_version = entry.query.get("api-version")
    entry.client_request_id = request.headers.get("x-ms-client-request-id")
    entry.user_agent = request.headers.get("User-Agent")
    fault = cloud.faults.hit(plane=plane, method=request.method, path=request.path)

    async def answer() -> web.Response:
        try:
            response = await handler(request, entry, fault.fate if fault is not None else None)
        except ArmError as error:
            response = web.json_response(error.body(), status=error.status, headers=error.headers)
        entry.status, entry.ended = response.status, stamp(cloud.control.clock())
        return response

    if fault is None:
        return await answer()
    entry.fault = fault.id
    response = await wire.through(fault, request, answer)
    entry.ended = stamp(cloud.control.clock())
    if fault.kind in {"status", "batch_refused"}:
        entry.status = response.status
    return response


def base_url(request: web.Request) -> str:
    """The URL under which this client knows us: what nextLink, operation and scoring URLs point back to."""
    return f"{request.scheme}://{request.host}"
