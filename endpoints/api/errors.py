"""What rooms, Django and DRF raise, as problem documents. Bad input is never a 500."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests
from rest_framework import exceptions as drf
from rest_framework.response import Response

from endpoints.api.problems import MEDIA_TYPE, NOTHING_CHANGED, NOTHING_SENT, Problem, also
from endpoints.core.errors import Conflict, Invalid, NotFound, OpsportalError, Refused, Unavailable

log = structlog.get_logger(__name__)

DATABASE_GONE = (OperationalError, InterfaceError, PoolTimeout, PoolClosed, TooManyRequests)
RETRY_SECONDS = "5"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

# Status of a DRF exception to the kind and title of its problem.
_FRAMEWORK = {
    400: ("unreadable", "The request can't be read"),
    401: ("unauthenticated", "Who calls is not known"),
    403: ("refused", "You may not do this"),
    404: ("not-found", "Nothing is here"),
    405: ("method", "The address does not take this method"),
    406: ("unreadable", "The request can't be read"),
    413: ("too-large", "The body is too large"),
    415: ("media-type", "The body is not JSON"),
    429: ("too-many", "Too many changes in a short time"),
}
_UNSURE = (
    "The portal's database does not answer. Whether this request took effect is not known: look before you "
    "repeat it, or repeat it with the same Idempotency-Key."
)


class PreconditionFailed(OpsportalError):
    """If-Match names a content that the object no longer has."""


class PreconditionRequired(OpsportalError):
    """An operation that seals a content was called without saying which."""


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler."""
    request = context["request"]
    problem = problem_of(error, safe=request.method in _SAFE)
    if problem.status >= 500 and not isinstance(error, OpsportalError):
        log.error("request_failed", path=request.path, status=problem.status, exc_info=error)
    return answer(problem, request.path)


def answer(problem: Problem, instance: str) -> Response:
    """The problem as a response."""
    return Response(
        problem.document(instance),
        status=problem.status,
        headers=dict(problem.headers),
        content_type=MEDIA_TYPE,
    )


def problem_of(error: BaseException, *, safe: bool) -> Problem:
    """The problem for an error; one that nobody foresaw is a 500. `safe`: the method changes nothing anyway."""
    undone = "" if safe else NOTHING_CHANGED
    if isinstance(error, OpsportalError):
        return _of_room(error, undone)
    if isinstance(error, drf.APIException):
        return _of_framework(error, undone)
    return _of_django(error, undone, safe)


def _of_room(error: OpsportalError, undone: str) -> Problem:
    text = also(error.message, undone)
    match error:
        case NotFound():
            return Problem(404, "not-found", "Nothing is here", text)
        case Refused():
            return Problem(403, "refused", "You may not do this", text)
        case Conflict():
            sent = also(error.message, NOTHING_SENT if undone else "")
            return Problem(409, "conflict", "The world moved on", sent)
        case Invalid():
            return Problem(422, "invalid", "The input can't be used", text, errors=error.fields)
        case PreconditionFailed():
            return Problem(412, "precondition-failed", "The content is another by now", text)
        case PreconditionRequired():
            return Problem(428, "precondition-required", "The content must be named", text)
        case Unavailable():
            retry = {"Retry-After": RETRY_SECONDS}
            return Problem(503, "unavailable", "A part that this needs does not answer", text, headers=retry)
    return _broken(safe=not undone)


def _of_framework(error: drf.APIException, undone: str) -> Problem:
    if isinstance(error, drf.ValidationError):
        fields = flat(error.detail)
        text = " ".join(sentence for texts in fields.values() for sentence in texts)
        return Problem(422, "invalid", "The input can't be used", also(text, undone), errors=fields)
    kind, title = _FRAMEWORK.get(error.status_code, ("unreadable", "The request can't be read"))
    headers: dict[str, str] = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if isinstance(error, drf.Throttled):
        headers["Retry-After"] = _seconds(error)
    text = also(_sentence(error), undone)
    return Problem(error.status_code, kind, title, text, headers=headers)


def _seconds(error: drf.Throttled) -> str:
    return str(int(getattr(error, "wait", None) or 0) + 1)


def _sentence(error: drf.APIException) -> str:
    match error:
        case drf.NotAuthenticated():
            return "Sign in, or send an API token as “Authorization: Bearer opt_…”."
        case drf.UnsupportedMediaType():
            return "Send the body as application/json."
        case drf.MethodNotAllowed():
            return "This address does not take this method; the header Allow names those that it takes."
        case drf.NotFound():
            return "There is no such address."
        case drf.Throttled():
            return f"At most 30 changes a minute; wait {_seconds(error)} s. Rollbacks are not limited."
    return str(error.detail)


def _of_django(error: BaseException, undone: str, safe: bool) -> Problem:
    match error:
        case Http404():
            return Problem(404, "not-found", "Nothing is here", also("There is no such address.", undone))
        case PermissionDenied():
            return Problem(403, "refused", "You may not do this", also("Your roles do not allow it.", undone))
        case RequestDataTooBig():
            return Problem(413, *_FRAMEWORK[413], also("The body is larger than 1 MiB.", undone))
        case SuspiciousOperation() | UnreadablePostError():
            return Problem(400, *_FRAMEWORK[400], also("A part of it is missing or malformed.", undone))
        case DataError():
            return Problem(
                422, "invalid", "The input can't be used", also("A value is out of range.", undone)
            )
        case _ if isinstance(error, DATABASE_GONE):
            text = "The portal's database does not answer. Try again in some seconds." if safe else _UNSURE
            retry = {"Retry-After": RETRY_SECONDS}
            return Problem(503, "database", "The portal's database does not answer", text, headers=retry)
    return _broken(safe=safe)


def _broken(*, safe: bool) -> Problem:
    text = "The fault is ours and was written to the log under this request's id."
    if not safe:
        text += " Whether this request took effect is not known: look before you repeat it."
    return Problem(500, "broken", "Something broke in the portal", text)


def flat(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """DRF's nested messages as one map: `{"split.blue": ["…"]}`; "" is the whole body."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            found |= flat(inner, ".".join(filter(None, (prefix, own))))
        return found
    if isinstance(detail, list) and any(isinstance(item, Mapping | list) for item in detail):
        found = {}
        for place, inner in enumerate(detail):
            found |= flat(inner, f"{prefix}.{place}" if inner else prefix) if inner else {}
        return found
    return {prefix: [str(text) for text in (detail if isinstance(detail, list) else [detail])]}
