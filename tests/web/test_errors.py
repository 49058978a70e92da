"""Errors as pages: the right status, what was not done, a reference; nothing about the fault's inside."""

from __future__ import annotations

import psycopg_pool
import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from endpoints.access.models import User
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from endpoints.core.request import current_request_id
from endpoints.web import errors
from tests.web.conftest import SignIn
from tests.web.reading import read, words


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("There is no CR-7, or not for you."), 404),
        (Http404("inside"), 404),
        (Refused("Needs the role operator on mlw."), 403),
        (PermissionDenied(), 403),
        (Conflict("CR-7 is done by now."), 409),
        (Invalid({"split": ["The weights sum to 90 %."]}), 422),
        (Unavailable("The ledger does not answer."), 503),
        (SuspiciousOperation("inside"), 400),
        (OperationalError("connection to server at 10.0.0.4 failed"), 503),
        (InterfaceError("connection already closed"), 503),
        (psycopg_pool.PoolTimeout("couldn't get a connection"), 503),
        (ZeroDivisionError("inside"), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_error__becomes_a_page_that_says_what_was_not_done(error: Exception, status: int) -> None:
    token = current_request_id.set("req-12345678")
    try:
        answer = _through_the_middleware(error)
    finally:
        current_request_id.reset(token)
    text = words(read(answer.content).one("main").text)
    assert answer.status_code == status
    assert "req-12345678" in text
    assert any(word in text for word in ("Nothing was", "No traffic was changed"))
    assert "inside" not in text
    assert "10.0.0.4" not in text
    assert "no-store" in answer["Cache-Control"]


def _through_the_middleware(error: Exception, **headers: str) -> HttpResponse:
    def never(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    request = RequestFactory().get("/fleet", headers=headers)
    answer = errors.ErrorPages(never).process_exception(request, error)
    assert answer is not None
    return answer


@pytest.mark.parametrize("error", [Refused("No."), Conflict("Moved."), OperationalError()])
def test_error__of_a_partial__is_a_note_without_a_page_around_it(error: Exception) -> None:
    answer = _through_the_middleware(error, HX_Request="true")
    assert b"<html" not in answer.content
    assert b'class="note bad"' in answer.content


def test_database_gone__asks_to_come_back_soon() -> None:
    assert _through_the_middleware(OperationalError())["Retry-After"] == "5"


def test_api__keeps_its_own_answers_for_what_its_views_raise() -> None:
    def never(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    request = RequestFactory().get("/api/v1/endpoints")
    assert errors.ErrorPages(never).process_exception(request, Refused("No.")) is None


def test_api__without_a_database__gets_json() -> None:
    request = RequestFactory().get("/api/v1/endpoints")
    try:
        raise OperationalError("gone")
    except OperationalError:
        answer = errors.server_error(request)
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")


def test_page_without_a_name__is_not_found_and_leads_back(db: None) -> None:
    answer = Client().get("/no/such/page")
    page = read(answer.content)
    assert answer.status_code == 404
    assert words(page.one("h1").text) == "Nothing is here"
    assert page.one("a", **{"class": "btn primary"}).attributes["href"] == "/"


@pytest.mark.parametrize(
    "address", ["/fleet\x00", "/w/%00/", "/fleet?q=%00", "/fleet?q=%FF", "/search?q=%00"]
)
def test_address__with_bytes_that_nobody_types__is_answered(
    sign_in: SignIn, requester: User, address: str
) -> None:
    assert sign_in(requester).get(address).status_code < 500


def test_texts_of_people__are_shown_as_text(sign_in: SignIn, requester: User) -> None:
    answer = sign_in(requester).get("/search", {"q": "<script>alert(1)</script>"})
    assert b"<script>alert" not in answer.content
    assert b"&lt;script&gt;alert(1)" in answer.content
