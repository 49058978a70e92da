"""Gives every request an id that its log lines, ledger entries and answer carry, and logs it once.

The line has the path without its query: what people search for, and signatures in links, stay out of logs.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from endpoints.core.ids import new_request_id
from endpoints.core.request import current_request_id

HEADER = "X-Request-ID"
log = structlog.get_logger("opsportal.requests")
# Asked every few seconds by machines.
_UNLOGGED = frozenset({"/healthz", "/readyz"})
_ACCEPTED = re.compile(r"^[A-Za-z0-9_-]{8,64}$")


class RequestIdMiddleware:
    """Works in both worlds, so that Django does not move every async request through a thread for it."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._answer_async(request)
        began, number = time.monotonic(), _enter(request)
        return _leave(request, number, began, self.get_response(request))

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        began, number = time.monotonic(), _enter(request)
        response: HttpResponseBase = await self.get_response(request)  # type: ignore[misc]  # async get_response
        return _leave(request, number, began, response)


def _enter(request: HttpRequest) -> str:
    number = _given(request) or new_request_id()
    current_request_id.set(number)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=number)
    return number


def _leave(request: HttpRequest, number: str, began: float, response: HttpResponseBase) -> HttpResponseBase:
    response[HEADER] = number
    if request.path not in _UNLOGGED:
        took = round((time.monotonic() - began) * 1000)
        log.info("answered", method=request.method, path=request.path, status=response.status_code, ms=took)
    # Threads are used again: what runs on this one later must not carry this request's id.
    current_request_id.set("")
    structlog.contextvars.clear_contextvars()
    return response


def _given(request: HttpRequest) -> str:
    """A trusted proxy's id. Anybody else could file their deeds under another request's id."""
    given: str = request.headers.get(HEADER, "") if settings.OPSPORTAL.trust_proxy_headers else ""
    return given if _ACCEPTED.match(given) else ""
