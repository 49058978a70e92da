"""The audit history: filters, pages, the chain's state and safe exports."""

from __future__ import annotations

import csv
import io
import json

import pytest

from endpoints.access.models import User, Workspace
from endpoints.access.roles import Role
from endpoints.audit.models import Entry
from endpoints.changes.services.request import request_change
from endpoints.web import exports
from tests.support.people import make_endpoint, make_person, principal
from tests.web.conftest import SignIn, Stage
from tests.web.reading import read, words


def test_history__shows_the_newest_entry_first_with_reason_and_both_sides(
    sign_in: SignIn, reviewer: User, asked: Stage
) -> None:
    page = read(sign_in(reviewer).get("/audit?type=change.").content)
    rows = [words(one.text) for one in page.all("tr")][1:]
    assert "waits for review" in rows[0]
    assert "Rosa" in rows[0]
    assert f"CR-{asked.number}" in rows[0]
    assert any("“Green is better”" in row for row in rows)


@pytest.mark.parametrize(
    ("query", "found"),
    [("type=change.", True), ("type=token.", False), ("ws=mlw-prod-weu", True), ("from=2099-01-01", False)],
)
def test_history__is_narrowed_by_what_was_chosen(
    sign_in: SignIn, reviewer: User, asked: Stage, query: str, found: bool
) -> None:
    answer = sign_in(reviewer).get(f"/audit?subject=CR-{asked.number}&{query}")
    assert bool(read(answer.content).all("th", scope="row")) is found


@pytest.mark.parametrize(
    "query", ["from=yesterday", "before=x", "before=99999999999999999999", "to=2026-13-40"]
)
def test_history__with_a_filter_that_makes_no_sense__is_still_a_page(
    sign_in: SignIn, reviewer: User, query: str
) -> None:
    assert sign_in(reviewer).get(f"/audit?{query}").status_code == 200


def test_history__of_another_workspace__is_not_found(
    sign_in: SignIn, reviewer: User, other_workspace: Workspace
) -> None:
    assert sign_in(reviewer).get(f"/audit?ws={other_workspace.slug}").status_code == 404


def test_history__longer_than_a_page__goes_on_where_it_stopped(sign_in: SignIn, db: None) -> None:
    client = sign_in(make_person("aude", {"": [Role.AUDITOR]}))
    for _ in range(60):
        client.post("/audit/verify")
        client.post("/login", {"username": "nobody", "password": "x"})
    for number in range(60):
        make_person(f"person{number}")
    first = read(client.get("/audit").content)
    following = first.one("a", rel="next").attributes["href"]
    second = read(client.get(following).content)
    seqs = [[int(words(one.text)) for one in page.all("th", scope="row")] for page in (first, second)]
    assert len(seqs[0]) == 50
    assert seqs[0] == sorted(seqs[0], reverse=True)
    assert max(seqs[1]) < min(seqs[0])


def test_history__of_roles_and_workspaces__says_which_workspace_by_name(
    sign_in: SignIn, admin: User, workspace: Workspace
) -> None:
    make_person("nina", {workspace.slug: [Role.OPERATOR]})
    client = sign_in(make_person("aude", {"": [Role.AUDITOR]}))
    granted, connected = (
        [words(one.text) for one in read(client.get(f"/audit?type={kind}").content).all("tr")][1]
        for kind in ("grant.", "workspace.")
    )
    assert "Aude" in granted
    assert "workspace:" not in connected
    assert "connected a workspace mlw-prod-weu" in connected
    nina = read(client.get(f"/audit?type=grant.&ws={workspace.slug}").content)
    assert "granted a role Nina mlw-prod-weu" in words(nina.all("tr")[1].text)


def test_chain__never_checked__is_not_called_whole_until_it_was(
    sign_in: SignIn, reviewer: User, asked: Stage
) -> None:
    client = sign_in(reviewer)
    assert "Chain not checked yet" in read(client.get("/audit").content).one("main").text
    assert client.post("/audit/verify")["Location"] == "/audit/verify"
    assert "Chain intact up to entry" in read(client.get("/audit").content).one("main").text


def test_chain__checked_by_somebody_who_may_not__is_refused(sign_in: SignIn, requester: User) -> None:
    answer = sign_in(requester).post("/audit/verify")
    assert answer.status_code == 403
    assert b"Nothing was checked." in answer.content


def test_entry_of_others__is_not_found_for_who_reads_only_their_own(
    sign_in: SignIn, supervisor: User, asked: Stage
) -> None:
    client = sign_in(supervisor)
    theirs = Entry.objects.filter(action="change.in_review").get()
    mine = Entry.objects.filter(actor=f"user:{supervisor.pk}").last()
    assert mine is not None
    assert client.get(f"/audit/{theirs.seq}").status_code == 404
    assert client.get(f"/audit/{mine.seq}").status_code == 200


def test_export__holds_what_the_page_shows_in_utc(sign_in: SignIn, reviewer: User, asked: Stage) -> None:
    client = sign_in(reviewer)
    answer = client.get(f"/audit?subject=CR-{asked.number}&format=json")
    exported = json.loads(answer.content)
    assert "attachment" in answer["Content-Disposition"]
    assert exported["complete"] is True
    assert exported["filters"]["subject"] == f"CR-{asked.number}"
    assert {row["action"] for row in exported["rows"]} == {"change.requested.traffic", "change.in_review"}
    assert all(row["at"].endswith("Z") for row in exported["rows"])


def test_export__for_a_spreadsheet__runs_no_formula_that_somebody_wrote(
    sign_in: SignIn, requester: User, reviewer: User, workspace: Workspace
) -> None:
    endpoint = make_endpoint(workspace)
    request_change(
        principal=principal(requester),
        endpoint_id=endpoint.pk,
        split={"green": 100},
        reason='=HYPERLINK("http://x")',
    )
    User.objects.filter(pk=requester.pk).update(display_name="=cmd|' /C calc'!A0")
    text = sign_in(reviewer).get("/audit?type=change.&format=csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows
    assert {row["actor_name"] for row in rows} == {"'=cmd|' /C calc'!A0"}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_cell__that_a_spreadsheet_would_run__is_text(text: str) -> None:
    assert exports.csv_cell(text) == f"'{text}"


def test_cell__that_is_not_known__is_empty_and_not_zero() -> None:
    assert exports.csv_cell(None) == ""
    assert exports.csv_cell(0) == "0"
