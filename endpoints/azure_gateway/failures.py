"""An answer, or the lack of one, to an error of our tree.

The one question that costs money when answered wrongly is "may this write have taken effect?". Only a
refusal by Azure, or a connection that never stood, is a no.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from endpoints.azure_gateway.errors import (
    Busy,
    CallIds,
    Forbidden,
    GatewayError,
    NotFoundInAzure,
    Rejected,
    ServerError,
    Throttled,
    Unauthenticated,
    Unreachable,
)

_MISSING_ACTION = re.compile(
    r"perform action '(?P<action>[^']+)'(?:.{0,40}?over scope '(?P<scope>[^']*)')?", re.DOTALL
)
# Key Vault has a text of its own, on lines of their own.
_MISSING_IN_VAULT = re.compile(r"Action: '(?P<action>[^']+)'(?:\s+Resource: '(?P<scope>[^']*)')?")
# What other operations on the same resource look like when Azure does not say 409.
_BUSY_WORDS = re.compile(
    r"updating provisioning state|another operation|operation (is )?in progress", re.IGNORECASE
)
_BUSY_CODES = frozenset({"conflict", "anotheroperationinprogress", "operationinprogress", "resourcenotready"})
_CLOCK_TIME = re.compile(r"(\d{1,3}):(\d\d):(\d\d)(?:\.\d+)?")
_TEXT_LIMIT = 600
_DEEPEST_CAUSE = 5


def from_answer(
    status: int, headers: Mapping[str, str], content: bytes, ids: CallIds, *, write: bool
) -> GatewayError:
    """The error that a status of 300 or more means."""
    code, text = error_of(content)
    said = f"Azure answered {status}" + (f" {code}" if code else "") + (f": {text}" if text else "")
    if throttles(status, write=write):
        wait = retry_after(headers)
        return Throttled(said, retry_after=wait, status=status, code=code, ids=ids)
    if status == 403:
        action, scope = missing_action(text)
        return Forbidden(said, action=action, scope=scope, status=status, code=code, ids=ids)
    if status >= 500:
        return ServerError(said, status=status, code=code, ids=ids, applied_unknown=write)
    if status == 408:
        return Unreachable(said, status=status, code=code, ids=ids, applied_unknown=write)
    return _kind(status, code, text)(said, status=status, code=code, ids=ids)


def throttles(status: int, *, write: bool) -> bool:
    """Whether a status means "too many calls". A write that met 529 may have been applied: that is a failure."""
    return status == 429 or (status == 529 and not write)


def _kind(status: int, code: str, text: str) -> type[GatewayError]:
    if status == 401:
        return Unauthenticated
    if status == 404:
        return NotFoundInAzure
    if status == 409 or (status in (400, 412) and (code.lower() in _BUSY_CODES or _BUSY_WORDS.search(text))):
        return Busy
    return Rejected


def from_exception(error: Exception, ids: CallIds, *, write: bool, deadline: float) -> GatewayError:
    """The error that a failure below HTTP means. Imports the SDK, which is loaded by then."""
    import aiohttp
    from azure.core import exceptions

    if isinstance(error, exceptions.ClientAuthenticationError):
        return Unauthenticated(f"There is no token to speak to Azure with: {_short(error)}", ids=ids)
    if isinstance(error, asyncio.TimeoutError):
        return Unreachable(f"Azure did not answer within {deadline:g} s.", ids=ids, applied_unknown=write)
    cause = error.__cause__ or error
    # The SDK calls every aiohttp error a request that was not sent. Only a failure to connect is.
    never_sent = isinstance(cause, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError))
    return Unreachable(
        f"Azure could not be reached: {_short(cause)}", ids=ids, applied_unknown=write and not never_sent
    )


def error_of(content: bytes) -> tuple[str, str]:
    """Code and message of ARM's error document; ("", start of the text) of anything else."""
    try:
        document = json.loads(content)
    except ValueError:
        return "", cut(content.decode("utf-8", errors="replace"))
    error = document.get("error", document) if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return "", cut(str(document) if document else "")
    said, cause = str(error.get("message") or ""), _innermost(error)
    return str(error.get("code") or ""), cut(f"{said} ({cause})" if cause and cause not in said else said)


def _innermost(error: Mapping[str, Any]) -> str:
    """What the last of nested `innererror`s says: Log Analytics has nothing but commonplaces around it."""
    said = ""
    for _ in range(_DEEPEST_CAUSE):
        inner = error.get("innererror")
        if not isinstance(inner, dict):
            break
        error, said = inner, str(inner.get("message") or said)
    return said


def missing_action(text: str) -> tuple[str, str]:
    """The role action and scope that Azure's AuthorizationFailed text names; empty where it names none."""
    found = _MISSING_ACTION.search(text) or _MISSING_IN_VAULT.search(text)
    return (found["action"], found["scope"] or "") if found else ("", "")


def retry_after(headers: Mapping[str, Any]) -> float | None:
    """Seconds to wait, from a number or an HTTP date; None when absent or unreadable.

    Resource Graph says instead when its window of queries ends, as hh:mm:ss.
    """
    value = str(headers.get("Retry-After") or "").strip()
    if not value:
        return _clock_time(str(headers.get("x-ms-user-quota-resets-after") or ""))
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _clock_time(text: str) -> float | None:
    """Seconds out of hh:mm:ss; None for anything else."""
    found = _CLOCK_TIME.fullmatch(text)
    return int(found[1]) * 3600.0 + int(found[2]) * 60 + int(found[3]) if found else None


def _short(error: BaseException) -> str:
    return cut(str(error).strip().split("\n", 1)[0] or type(error).__name__)


def cut(text: str) -> str:
    return text if len(text) <= _TEXT_LIMIT else text[: _TEXT_LIMIT - 1] + "…"
