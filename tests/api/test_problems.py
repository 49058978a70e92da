"""Bad input, unknown callers, and a database that is away: always a problem document, never a 500."""

from __future__ import annotations

import json

import pytest
from django.db import OperationalError, connections

from endpoints.access import services as access
from endpoints.access.models import ApiToken, User
from endpoints.access.selectors import own_tokens
from endpoints.changes.models import Change
from tests.api.api import Api
from tests.support.people import browser, make_endpoint, principal, token_for

ASKED = {
    "workspace": "mlw-prod-weu",
    "endpoint": "checkout-risk",
    "split": {"blue": 90, "green": 10},
    "reason": "First share.",
}


@pytest.fixture
def endpoint(workspace):
    return make_endpoint(workspace)


def problem(answer, status: int) -> dict:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["request_id"] == answer["X-Request-ID"]
    assert body["type"].startswith("urn:opsportal:problem:")
    return body


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/me", "/changes", "/endpoints", "/openapi.json", "/no/such/address"])
def test_anonymous__anywhere__is_challenged(path):
    answer = Api().get(path)

    problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "header",
    ["Bearer nonsense", "Bearer opt_abc_def", "Basic dXNlcjpwYXNz", "Bearer", "opt_abc_def", "Bearer \xff"],
)
def test_bad_token__even_with_a_session__is_challenged(header, requester):
    answer = browser(requester).get("/api/v1/me", headers={"Authorization": header})

    problem(answer, 401)


@pytest.mark.django_db
def test_token__revoked_or_of_a_disabled_account__is_refused_at_once(requester, admin):
    token, other = token_for(requester, "read"), token_for(requester, "read")
    assert Api(token=token).get("/me").status_code == 200

    newest = own_tokens(principal(requester))[0]
    access.revoke_token(principal=principal(requester), token_id=newest.id)
    revoked = {True: other, False: token}[newest.prefix in other]
    problem(Api(token=revoked).get("/me"), 401)

    access.disable_user(principal=principal(admin), user_id=requester.pk)
    problem(Api(token=token).get("/me"), 401)
    problem(Api(token=other).get("/me"), 401)


@pytest.mark.django_db
def test_session__without_csrf_token__changes_nothing(endpoint, requester):
    client = browser(requester, enforce_csrf_checks=True)

    answer = client.post("/api/v1/changes", json.dumps(ASKED), content_type="application/json")

    assert "X-CSRFToken" in problem(answer, 403)["detail"]
    assert not Change.objects.exists()


@pytest.mark.django_db
def test_session__that_has_idled_out__is_nobody(requester, time_machine=None):
    client = browser(requester)
    session = client.session
    session["access_seen"] -= 3600
    session.save()

    problem(client.get("/api/v1/me"), 401)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe{}", 400),
        (b"[" * 100_000, 400),
        (b'{"split": {"blue": NaN}}', 400),
        (b'{"split": {"blue": ' + b"9" * 5000 + b"}}", 400),
        (b'{"reason": "a\\u0000b"}', 400),
        (b'{"reason": "\\ud800"}', 400),
        (b'{"\\ud800": 1}', 400),
        (b'{"split": {"blue": 90, "blue": 10}}', 400),
        (b"[]", 422),
        (b'"text"', 422),
        (b"", 422),
        (b"null", 422),
    ],
)
def test_body__that_is_no_usable_json_object__is_refused(raw, status, endpoint, requester):
    body = problem(Api(requester).send("POST", "/changes", raw), status)

    assert "Nothing was changed" in body["detail"]
    assert not Change.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"split": {"blue": "90", "green": 10}}, "split.blue"),
        ({"split": {"blue": 90.0, "green": 10}}, "split.blue"),
        ({"split": {"blue": True, "green": 99}}, "split.blue"),
        ({"split": {"blue": 10**30}}, "split.blue"),
        ({"split": {"blue": -1}}, "split.blue"),
        ({"split": {"Blue": 50, "blue": 50}}, "split"),
        ({"split": {"../x": 100}}, "split"),
        ({"split": {f"d{n}": 1 for n in range(101)}}, "split"),
        ({"split": [100]}, "split"),
        ({"split": {"blue": 60, "green": 10}}, "split"),
        ({"split": {"purple": 100}}, "split"),
        ({"reason": ""}, "reason"),
        ({"reason": 7}, "reason"),
        ({"reason": "x" * 2001}, "reason"),
        ({"workspace": {"a": 1}}, "workspace"),
        ({"mirror": {"green": 60}}, "split"),
        ({"approve": True}, ""),
        ({"author": "user:1", "state": "approved"}, ""),
    ],
)
def test_field__of_wrong_type_or_not_known__is_named(changed, field, endpoint, requester):
    body = problem(Api(requester).post("/changes", ASKED | changed), 422)

    assert list(body["errors"]) == [field]
    assert not Change.objects.exists()


@pytest.mark.django_db
def test_body__of_another_media_type__is_refused(endpoint, requester):
    client = browser(requester)

    as_form = client.post("/api/v1/changes", {"reason": "x"})
    as_xml = client.post("/api/v1/changes", b"<a/>", content_type="application/xml")

    problem(as_form, 415)
    problem(as_xml, 415)
    assert not Change.objects.exists()


@pytest.mark.django_db
def test_body__larger_than_the_limit__is_refused(endpoint, requester):
    raw = b'{"reason": "' + b"x" * 1_100_000 + b'"}'

    problem(Api(requester).send("POST", "/changes", raw), 413)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/changes?before=99999999999999999999",
        "/changes?before=-1",
        "/changes?limit=0",
        "/changes?limit=1e3",
        "/changes?tab=nosuch",
        "/changes?limit=1&limit=2",
        "/changes?colour=red",
        "/changes?workspace=%00",
        "/endpoints?q=%00",
        "/endpoints?q=colour:red",
        "/endpoints?cursor=nosuch",
        "/audit?actor=Rosa",
        "/audit?since=yesterday",
        "/audit?before=0",
        "/me?verbose=1",
        "/workspaces/mlw-prod-weu/endpoints/checkout-risk/history?cursor=1.1.0001-01-01T00:00:00%2B23:00",
    ],
)
def test_query__that_makes_no_sense__is_refused(path, endpoint, operator):
    problem(Api(operator).get(path), 422)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/endpoints?cursor=9.99999999999999999999999.x",
        "/endpoints?cursor=99999999999999999999.1.x",
        "/workspaces/mlw-prod-weu/endpoints/checkout-risk/history?cursor=1.99999999999999999999.2026-01-01",
    ],
)
def test_cursor__beyond_every_number__is_the_end_or_refused(path, endpoint, operator):
    assert Api(operator).get(path).status_code in (200, 422)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/changes/0",
        "/changes/999999999",
        "/changes/99999999999999999999999999",
        "/changes/%00",
        "/changes/CR-1",
        "/workspaces/no-such",
        "/workspaces/%00",
        "/workspaces/mlw-prod-weu/endpoints/no-such",
        "/workspaces/mlw-prod-weu/endpoints/..%2f..",
        "/workspaces/mlw-prod-weu/endpoints/checkout-risk/deployments/no-such",
        "/audit/999999999",
        "/nowhere",
        "/",
    ],
)
def test_address__of_nothing__is_not_found(path, endpoint, operator):
    problem(Api(operator).get(path), 404)


@pytest.mark.django_db
def test_method__that_is_not_taken__is_named_with_those_that_are(endpoint, operator):
    answer = Api(operator).send("DELETE", "/changes")

    problem(answer, 405)
    assert set(answer["Allow"].split(", ")) >= {"GET", "POST"}


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", "application/json;q=0"])
def test_accept__whatever_it_says__is_answered_with_json(accept, operator):
    answer = Api(operator).get("/me", Accept=accept)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"


def test_database__away__is_unavailable_with_a_time_to_come_back(committed_db):
    client = Api(token="opt_abcdefgh_secret")
    with away():
        answer = client.get("/me")

    body = problem(answer, 503)
    assert answer["Retry-After"] == "5"
    assert "database does not answer" in body["detail"]


class away:
    """The database's address leads nowhere, for a moment."""

    def __enter__(self) -> None:
        there = connections.settings["default"]
        self.before = there["PORT"]
        connections.close_all()
        there["PORT"] = "1"

    def __exit__(self, *_: object) -> None:
        connections.close_all()
        connections.settings["default"]["PORT"] = self.before


def test_database__away__would_fail_without_the_edge(committed_db):
    with away(), pytest.raises(OperationalError):
        User.objects.count()
    assert not ApiToken.objects.exists()
