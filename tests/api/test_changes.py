"""Changes through the API: asked for, decided, started, with preconditions and keys."""

from __future__ import annotations

import pytest

from endpoints.audit.models import Entry, Personal
from endpoints.changes.models import Change
from tests.api.api import Api, ask_for_change, seen
from tests.support.load import serve
from tests.support.people import make_endpoint, make_person, token_for

pytestmark = pytest.mark.django_db
ASKED = {
    "workspace": "mlw-prod-weu",
    "endpoint": "checkout-risk",
    "split": {"blue": 90, "green": 10},
    "reason": "First share for risk:8.",
}


@pytest.fixture
def endpoint(workspace):
    found = make_endpoint(workspace)
    serve(found.pk)
    return found


def test_change__asked_for__waits_for_review(endpoint, requester):
    answer = Api(requester).post("/changes", ASKED)

    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["state"], body["before"], body["after"]) == (
        "in_review",
        {"blue": 100},
        {"blue": 90, "green": 10},
    )
    assert body["author"]["name"] == "Rosa"
    assert answer["Location"] == f"/api/v1/changes/{body['number']}"
    assert answer["ETag"] == f'"{body["content_hash"]}"'
    assert answer["Cache-Control"] == "no-store"


def test_change__asked_twice_with_one_key__is_one_change(endpoint, requester):
    api = Api(requester)

    first = api.post("/changes", ASKED, Idempotency_Key="a-1")
    again = api.post("/changes", ASKED, Idempotency_Key="a-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["number"] == again.json()["number"]
    assert Change.objects.count() == 1


def test_change__key_used_for_another_split__is_refused(endpoint, requester):
    api = Api(requester)
    api.post("/changes", ASKED, Idempotency_Key="a-1")

    other = api.post("/changes", ASKED | {"split": {"green": 100}}, Idempotency_Key="a-1")

    assert other.status_code == 409
    assert "idempotency key" in other.json()["detail"]
    assert Change.objects.count() == 1


def test_change__approved_by_another_with_its_hash__is_approved_and_started(
    endpoint, requester, reviewer, operator
):
    number = ask_for_change(requester, endpoint.pk)

    approved = Api(reviewer).post(f"/changes/{number}/approve", {"comment": "Looks right."}, **seen(number))
    started = Api(operator).post(f"/changes/{number}/start", **seen(number))

    assert (approved.status_code, approved.json()["state"]) == (200, "approved")
    assert approved.json()["decisions"][0]["reviewer"]["name"] == "Vera"
    assert (started.status_code, started.json()["state"]) == (202, "applying")


@pytest.mark.parametrize("verb", ["approve", "reject", "start"])
def test_decision__without_if_match__is_not_stored(verb, endpoint, requester, reviewer):
    number = ask_for_change(requester, endpoint.pk)

    answer = Api(reviewer).post(f"/changes/{number}/{verb}", {"comment": "x"} if verb != "start" else None)

    assert answer.status_code == 428
    assert Change.objects.get(pk=number).state == "in_review"


def test_decision__on_another_content__is_not_stored(endpoint, requester, reviewer):
    number = ask_for_change(requester, endpoint.pk)

    answer = Api(reviewer).post(f"/changes/{number}/approve", {}, If_Match=f'"{"0" * 64}"')

    assert answer.status_code == 412
    assert "Nothing was stored" in answer.json()["detail"]
    assert Change.objects.get(pk=number).state == "in_review"


def test_decision__second_on_a_closed_change__is_a_conflict(endpoint, requester, reviewer):
    number = ask_for_change(requester, endpoint.pk)
    api = Api(reviewer)
    api.post(f"/changes/{number}/reject", {"comment": "Not before the audit."}, **seen(number))

    again = api.post(f"/changes/{number}/approve", {}, **seen(number))

    assert again.status_code == 409
    assert Change.objects.get(pk=number).state == "rejected"


def test_change__edited_by_its_author__has_a_new_content(endpoint, requester):
    number = ask_for_change(requester, endpoint.pk)
    before = seen(number)

    answer = Api(requester).send(
        "PUT", f"/changes/{number}", {"split": {"blue": 80, "green": 20}, "reason": "More."}, **before
    )

    assert answer.status_code == 200, answer.json()
    assert answer.json()["after"] == {"blue": 80, "green": 20}
    assert seen(number) != before


def test_change__withdrawn_by_its_author__ends(endpoint, requester):
    number = ask_for_change(requester, endpoint.pk)

    answer = Api(requester).post(f"/changes/{number}/withdraw")

    assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")


@pytest.mark.parametrize("road", ["session", "token"])
def test_own_change__approved_by_its_author__is_refused_and_on_record(road, workspace, endpoint):
    author = make_person("rena", {workspace.slug: ["requester", "reviewer"]})
    number = ask_for_change(author, endpoint.pk)
    token = token_for(author, "read", "approve") if road == "token" else ""
    api = Api(token=token) if token else Api(author)

    answer = api.post(f"/changes/{number}/approve", {}, **seen(number))

    assert answer.status_code == 403
    assert "You wrote this change" in answer.json()["detail"]
    assert Change.objects.get(pk=number).state == "in_review"
    entry = Entry.objects.get(action="order.refused")
    assert (entry.actor, entry.subject) == (f"user:{author.pk}", f"change:{number}")
    assert (entry.workspace_id, entry.endpoint) == (workspace.pk, f"endpoint:{endpoint.pk}")
    assert entry.auth.startswith("token:") == (road == "token")
    assert "You wrote" in Personal.objects.get(entry=entry, field="reason").text


def test_own_change__approved_as_administrator__is_refused_and_on_record(workspace, endpoint, requester):
    ruler = make_person("rolf", {"": ["admin"], workspace.slug: ["requester"]})
    number = ask_for_change(ruler, endpoint.pk)

    answer = Api(ruler).post(f"/changes/{number}/approve", {}, **seen(number))

    assert answer.status_code == 403
    assert Change.objects.get(pk=number).state == "in_review"
    assert Entry.objects.filter(action="order.refused", subject=f"change:{number}").count() == 1


def test_edited_change__approved_by_its_editor__is_refused(workspace, endpoint, requester):
    author = make_person("rena", {workspace.slug: ["requester", "reviewer"]})
    twin = make_person("rena2", {workspace.slug: ["reviewer"]})
    type(twin).objects.filter(pk=twin.pk).update(second_account_of=author)
    number = ask_for_change(author, endpoint.pk)

    answer = Api(twin).post(f"/changes/{number}/approve", {}, **seen(number))

    assert answer.status_code == 403
    assert Change.objects.get(pk=number).state == "in_review"


def test_token__without_scope_approve__does_not_approve(endpoint, requester, reviewer):
    number = ask_for_change(requester, endpoint.pk)

    answer = Api(token=token_for(reviewer, "read", "change")).post(
        f"/changes/{number}/approve", {}, **seen(number)
    )

    assert answer.status_code == 403
    assert answer.json()["detail"] == "This token lacks the scope approve. Nothing was changed."


def test_change__of_another_workspace__is_not_found(endpoint, requester, outsider):
    number = ask_for_change(requester, endpoint.pk)
    api = Api(outsider)

    assert api.get(f"/changes/{number}").status_code == 404
    assert api.post(f"/changes/{number}/approve", {}, **seen(number)).status_code == 404
    assert api.get("/changes").json()["items"] == []
    assert Change.objects.get(pk=number).state == "in_review"


def test_list__longer_than_a_page__goes_on_at_next(endpoint, requester):
    for weight in (10, 20, 30):
        number = ask_for_change(requester, endpoint.pk, {"blue": 100 - weight, "green": weight})
        Api(requester).post(f"/changes/{number}/withdraw")
    api = Api(requester)

    first = api.get("/changes?limit=2&tab=closed").json()
    second = api.get(first["next"].removeprefix("/api/v1")).json()

    assert [len(first["items"]), len(second["items"]), second["next"]] == [2, 1, None]
    numbers = [item["number"] for item in first["items"] + second["items"]]
    assert numbers == sorted(numbers, reverse=True)


def test_list__endpoint_without_workspace__says_what_is_missing(endpoint, requester):
    answer = Api(requester).get("/changes?endpoint=checkout-risk")

    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["endpoint"]
