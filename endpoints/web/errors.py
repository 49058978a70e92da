"""Errors as people read them: what is wrong, what was not done, and a reference to quote.

Needs no database: this is also what answers when there is none.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from endpoints.core.errors import Conflict, Invalid, NotFound, OpsportalError, Refused, Unavailable
from endpoints.core.request import current_request_id
from endpoints.web.pages import TooMany, WrongMethod, is_partial, plain, private
from endpoints.web.refusals import recorded

log = structlog.get_logger(__name__)
SAFE = ("GET", "HEAD", "OPTIONS")
DATABASE_GONE = (OperationalError, InterfaceError, PoolTimeout, PoolClosed, TooManyRequests)


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error page says. `undone` is the sentence on what did not happen."""

    status: int
    title: str
    text: str
    undone: str = "Nothing was changed."


NOT_FOUND = Problem(
    404,
    "Nothing is here",
    "There is no such page, or nothing by that name that you may see. Names can change and grants can end.",
)
UNREADABLE = Problem(400, "This request can't be read", "A part of it is missing or malformed.")
BROKEN = Problem(
    500,
    "Something broke in the portal",
    "The fault is ours and was written to the log under the reference below.",
    "No traffic was changed by this request unless the change's page says so.",
)
DATABASE = Problem(
    503,
    "The portal's database does not answer",
    "Scoring is not affected by this. Try again in some seconds; changes at work go on by themselves when it is back.",
    "Nothing was recorded and nothing was sent to Azure by this request.",
)


def problem_of(error: BaseException) -> Problem:
    """The page for an error; a fault that nobody foresaw is a 500."""
    match error:
        case NotFound() | Http404():
            text = error.message if isinstance(error, NotFound) and error.message else NOT_FOUND.text
            return Problem(404, NOT_FOUND.title, text)
        case Refused():
            return Problem(403, "You may not do this", error.message)
        case PermissionDenied():
            return Problem(403, "You may not do this", str(error) or "Your roles do not allow it.")
        case Conflict():
            return Problem(409, "The world moved on", error.message)
        case Invalid():
            return Problem(422, "This can't be used", error.message)
        case Unavailable():
            return Problem(503, "A part that this needs does not answer", error.message)
        case TooMany():
            return Problem(429, "Too many orders in a short time", str(error))
        case WrongMethod():
            return Problem(
                405, "This address does not take that", f"It takes {error}, and only from its own pages."
            )
        case BadRequest() | SuspiciousOperation() | DataError():
            # DataError: a number, a moment or a character that PostgreSQL can't hold. Ours never are such.
            return UNREADABLE
        case _:
            return DATABASE if _database_gone(error) else BROKEN


def _database_gone(error: BaseException) -> bool:
    return isinstance(error, DATABASE_GONE)


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The problem as a page, as a note where htmx asked for a piece of one, or as JSON where programs ask."""
    if request.path.startswith("/api/"):
        return _as_json(problem, request.path)
    context = {"problem": problem, "reference": current_request_id.get()}
    template = "partials/problem.html" if is_partial(request) else "errors/problem.html"
    response = plain(request, template, context, status=problem.status)
    if problem.status == 503:
        response["Retry-After"] = "5"
    private(response)
    return response


def _as_json(problem: Problem, path: str) -> HttpResponse:
    """For what goes wrong around the API's own views: no such path, no database, a fault in a middleware."""
    detail = f"{problem.text} {problem.undone}"
    body = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "instance": path,
        "request_id": current_request_id.get(),
    }
    return JsonResponse(body, status=problem.status, content_type="application/problem+json")


class ErrorPages:
    """Answers what views raise. `/api/` has its own answers."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if request.path.startswith("/api/"):
            return None
        if isinstance(error, Refused) and request.method not in SAFE:
            error = recorded(request, error)
        problem = problem_of(error)
        if problem.status >= 500 and not isinstance(error, OpsportalError):
            log.error("request_failed", path=request.path, status=problem.status, exc_info=error)
        response = answer(request, problem)
        if isinstance(error, WrongMethod):
            response["Allow"] = str(error)
        elif isinstance(error, TooMany):
            response["Retry-After"] = str(error.seconds)
        return response


def bad_request(request: HttpRequest, exception: BaseException | None = None) -> HttpResponse:
    """Django's handler400."""
    return answer(request, UNREADABLE)


def forbidden(request: HttpRequest, exception: BaseException | None = None) -> HttpResponse:
    """Django's handler403."""
    return answer(request, problem_of(exception or PermissionDenied()))


def not_found(request: HttpRequest, exception: BaseException | None = None) -> HttpResponse:
    """Django's handler404: no URL matched."""
    return answer(request, NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: middleware failed, most often because the session could not be read or saved."""
    error = sys.exc_info()[1]
    return answer(request, DATABASE if error is not None and _database_gone(error) else BROKEN)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For CSRF_FAILURE_VIEW: mostly a form that was open since before the last sign-in."""
    text = (
        "The form carried no valid proof that it came from this portal. It was probably open since before you last "
        "signed in: go back, reload the page and send it again."
    )
    return answer(request, Problem(403, "This form is too old", text))
