"""What belongs to another workspace does not exist: same status, same words, same headers as what never was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from endpoints.access.models import ApiToken
from endpoints.access.roles import Role
from endpoints.access.services import add_grant
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.audit.models import Entry
from tests.access_matrix.addresses import Address, addresses
from tests.access_matrix.stage import HERE, THERE, Stage, build
from tests.access_matrix.table import TABLE, undone
from tests.support.people import principal, token_for

NOBODYS = {
    "ws": "mlw-none-xxx",
    "name": "no-such-endpoint",
    "deployment": "no-such-deployment",
    "number": 99_999_999,
    "seq": 99_999_999,
    "token_id": 99_999_999,
}
NAMED = [
    one
    for one in addresses()
    if not one.is_async and set(one.parameters) & set(NOBODYS) and "workspaces/<number>" not in one.route
]


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    with django_db_blocker.unblock(), undone():
        yield build()


def answer_to(stage: Stage, who: str, address: Address, values: dict[str, Any]) -> HttpResponse:
    """Somebody's request with everything that the valid one has, less what varies from call to call."""
    client = Client()
    client.cookies["sessionid"] = stage.sessions[who]
    row = TABLE[address.row]
    there = stage.places[HERE].values
    body = {
        key: there[text[1:]] if isinstance(text, str) and text.startswith("$") else text
        for key, text in row.get("send", {}).items()
    }
    with undone():
        if address.method == "GET":
            return client.get(address.path(values))
        if address.route.startswith("/api/"):
            headers = {"If-Match": f'"{there["seen"]}"'}
            kind = "application/json"
            text = json.dumps(body)
            return client.generic(
                address.method, address.path(values), text, content_type=kind, headers=headers
            )
        return client.post(address.path(values), body)


def shown(answer: HttpResponse, named: list[Any]) -> tuple[int, str, dict[str, str]]:
    """What an attacker can compare: status, text and headers, less what the asker gave and what is never twice."""
    text = answer.content.decode()
    for value in named:
        before = (
            r"(?:(?<=C[RH]-)|(?<=SV-)|(?<=[ry] )|(?<=[stt]/))" if isinstance(value, int) else r"(?<![\w-])"
        )
        text = re.sub(rf"{before}{re.escape(str(value))}(?![\w-])", "*", text)
    text = re.sub(r"\b[0-9a-f]{32}\b", "*", text)
    # Expires is the second of the answer, which may pass between two of them.
    never_twice = ("X-Request-ID", "Content-Length", "Expires")
    headers = {name: value for name, value in answer.items() if name not in never_twice}
    return answer.status_code, text, headers


@pytest.mark.parametrize("address", NAMED, ids=lambda one: one.row)
def test_address__of_another_workspace__answers_as_if_it_never_was(address: Address, stage: Stage) -> None:
    there = stage.places[HERE].values
    named = TABLE[address.row].get("with", {})
    theirs = there | {
        key: there[text[1:]] if str(text).startswith("$") else text for key, text in named.items()
    }
    nobodys = theirs | {name: NOBODYS[name] for name in address.parameters if name in NOBODYS}
    given = [[values[name] for name in address.parameters] for values in (theirs, nobodys)]
    found = shown(answer_to(stage, "outsider", address, theirs), given[0])
    none = shown(answer_to(stage, "outsider", address, nobodys), given[1])
    assert found == none
    assert found[0] in (404, 403)
    assert "words-of-here" not in found[1]


# Everything that lists, counts, exports, filters or searches, asked for the other workspace by name and number.
LISTS = (
    "/fleet", "/fleet?ws={ws}", "/fleet?q={name}+ws:{ws}", "/fleet?q=tag:owner={secret}", "/fleet?format=csv",
    "/fleet?format=json&ws={ws}", "/fleet?q=owner:{secret}&format=json", "/search?q={secret}", "/search?q=CR-{number}",
    "/changes?state=open", "/changes?state=open&before=CR-99999", "/changes?state=closed&format=csv",
    "/changes?state=open&format=json", "/audit", "/audit?subject=CR-{number}", "/audit?endpoint=endpoint:1",
    "/audit?actor={author}", "/audit?format=csv&subject=CR-{number}", "/audit?format=json", "/settings/workspaces",
    "/settings/profile", "/settings/tokens", "/api/v1/endpoints", "/api/v1/endpoints?q=ws:{ws}",
    "/api/v1/endpoints?q=owner:{secret}", "/api/v1/changes", "/api/v1/changes?tab=open", "/api/v1/workspaces",
    "/api/v1/audit", "/api/v1/audit?subject=change:{number}", "/api/v1/audit?actor={author}", "/api/v1/me",
    "/api/v1/tokens", "/holds", "/holds?show=past", "/holds/stops", "/holds/stop?ws={ws}&name=gone",
    "/api/v1/holds/freezes", "/api/v1/holds/freezes?show=past", "/api/v1/holds/stops",
    "/challenges", "/challenges?state=closed", "/challenges?ws={ws}", "/challenges?state=open&format=csv",
    "/challenges/erasures", "/challenges/new?cid=lost-id", "/search?q=CH-{case}", "/api/v1/challenges",
    "/api/v1/challenges?workspace={ws}", "/api/v1/challenges/erasures",
    "/capacity/export.csv?what=days", "/capacity/export.csv?what=findings&owner={secret}",
    "/capacity/export.json?what=days&ws={ws}", "/capacity/export-focus.csv", "/capacity/export-focus.csv?ws={ws}",
    "/api/v1/capacity/ledger", "/api/v1/capacity/ledger?workspace={ws}", "/api/v1/capacity/days",
    "/api/v1/capacity/days?workspace={ws}&endpoint={name}", "/api/v1/capacity/days?owner={secret}",
    "/api/v1/capacity/findings", "/api/v1/capacity/findings?workspace={ws}", "/api/v1/capacity/findings?owner={secret}",
    "/api/v1/capacity/left-alone", "/api/v1/capacity/heatmap",
    "/api/v1/capacity/export.csv?what=days", "/api/v1/capacity/export.csv?what=findings",
    "/api/v1/capacity/export.json?what=days&workspace={ws}", "/api/v1/capacity/export.json?what=findings",
    "/api/v1/capacity/export-focus.csv", "/api/v1/capacity/export-focus.csv?workspace={ws}",
    "/capacity", "/capacity?state=all", "/capacity?ws={ws}", "/capacity?owner={secret}&state=all", "/capacity/days",
    "/capacity/days?ws={ws}", "/capacity/left-alone", "/capacity/rules", "/capacity/rules?ws={ws}", "/capacity/savings",
    "/capacity/savings?ws={ws}", "/capacity/unit-costs", "/capacity/plans", "/capacity/plans?ws={ws}",
    "/capacity/hours.csv", "/capacity/export.csv?what=savings", "/capacity/export.csv?what=unit-costs",
    "/api/v1/capacity/months", "/api/v1/capacity/months?workspace={ws}", "/api/v1/capacity/savings",
    "/api/v1/capacity/unit-costs", "/api/v1/capacity/alerts", "/api/v1/capacity/alerts?ended=true",
    "/api/v1/capacity/plans", "/api/v1/capacity/plans?workspace={ws}", "/api/v1/capacity/values",
    "/api/v1/capacity/agreements", "/api/v1/capacity/export.csv?what=savings",
)  # fmt: skip


@pytest.mark.parametrize("by_token", [False, True], ids=["session", "token"])
@pytest.mark.parametrize("pattern", LISTS)
def test_list__for_somebody_of_another_workspace__has_nothing_of_this_one(
    pattern: str, by_token: bool, stage: Stage
) -> None:
    place, author = stage.places[HERE], stage.people["author"]
    path = pattern.format(**place.values, secret=place.secret, author=f"user:{author.pk}")
    client = Client()
    if by_token and path.startswith("/api/"):
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {stage.tokens['outsider']}"
    else:
        client.cookies["sessionid"] = stage.sessions["outsider"]
    answer = client.get(path)
    text = answer.getvalue().decode()
    # What was asked for may be repeated in the answer: in the form, in links, in the filter of an export.
    asked = {word for word in (place.secret, place.workspace.slug, author.display_name) if word in path}
    for word in {place.secret, place.workspace.slug, author.display_name} - asked:
        assert word not in text
    assert f'href="/w/{place.workspace.slug}' not in text
    # The number of a piece of evidence, which has its digest beside it, is its own case's.
    assert not re.search(rf'"number": ?{place.number}\b(?!,\s*"sha256")', text)
    if path.startswith("/api/") and answer.status_code == 200 and not path.partition("?")[0].endswith(".csv"):
        assert all(
            item.get("workspace", "") in ("", None, "mlw-test-neu")
            for item in json.loads(text).get("items", ())
        )


def test_counts__of_another_workspace__are_in_no_total(stage: Stage) -> None:
    client = Client()
    client.cookies["sessionid"] = stage.sessions["outsider"]
    assert client.get("/api/v1/endpoints").json()["counts"]["total"] == 1
    assert client.get("/fleet?format=json").json()["count"] == 1
    assert client.get("/changes?state=open&format=json").json()["count"] == 1


def test_endpoint__of_the_same_name_in_two_workspaces__is_ones_own(stage: Stage) -> None:
    client = Client()
    client.cookies["sessionid"] = stage.sessions["outsider"]
    theirs, own = stage.places[HERE], stage.places[THERE]
    text = client.get(f"/w/{own.workspace.slug}/e/checkout-risk/").content.decode()
    assert own.secret in text
    assert theirs.secret not in text
    name = f"{theirs.workspace.slug}/endpoints/checkout-risk"
    assert client.get(f"/api/v1/workspaces/{name}").status_code == 404


def test_cursor__from_another_workspace__leads_to_nothing_of_it(stage: Stage) -> None:
    """Cursors are places in an order, not keys to what stands there."""
    client = Client()
    client.cookies["sessionid"] = stage.sessions["outsider"]
    for severity in range(9):
        text = client.get(f"/api/v1/endpoints?cursor={severity}.0.a").content.decode()
        assert stage.places[HERE].secret not in text
    newest = Entry.objects.latest("seq").seq
    for before in range(1, newest + 2, 3):
        rows = client.get(f"/api/v1/audit?before={before}&limit=3").json()["items"]
        assert {row["workspace"] for row in rows} <= {None, "mlw-test-neu"}


def test_token__of_one_workspace__does_not_reach_its_owners_other_one(stage: Stage) -> None:
    owner, place = stage.people["author"], stage.places[HERE]
    with undone():
        other = stage.places[THERE]
        add_grant(
            actor=SYSTEM_COMMAND,
            user_id=owner.pk,
            role=Role.REQUESTER,
            workspace_id=other.workspace.pk,
        )
        raw = token_for(owner, "read", "audit", workspaces=[place.workspace])
        assert len(principal(owner).roles) == 2
        client = Client(headers={"Authorization": f"Bearer {raw}"})
        for path in ("/api/v1/endpoints", "/api/v1/changes", "/api/v1/workspaces", "/api/v1/audit"):
            assert other.secret not in client.get(path).content.decode()
        assert client.get(f"/api/v1/changes/{other.number}").status_code == 404
        assert client.get(f"/api/v1/audit/{other.values['seq']}").status_code == 404


def test_token__of_somebody_else__is_not_found(stage: Stage) -> None:
    client = Client()
    client.cookies["sessionid"] = stage.sessions["outsider"]
    token = ApiToken.objects.get(owner=stage.people["author"])
    assert client.post(f"/settings/tokens/{token.pk}/revoke").status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None
