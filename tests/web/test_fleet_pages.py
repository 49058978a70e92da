"""Fleet, endpoint and workspace pages: what they show of data that is there, old, missing or gone."""

from __future__ import annotations

import csv
import io

import pytest

from endpoints.access.models import User, Workspace
from endpoints.access.services import add_workspace
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.audit.models import Entry
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint, SyncRun, SyncTarget
from tests.support.people import make_endpoint
from tests.web.conftest import SignIn, Stage
from tests.web.reading import Page, read, words


def rows_of(page: Page) -> list[str]:
    return [words(one.text) for one in page.all("th", scope="row")]


def main_of(page: Page) -> str:
    return words(page.one("main").text)


def test_fleet__lists_the_worst_first_with_the_split_in_words(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    make_endpoint(workspace, "quiet-one", traffic={"blue": 90, "green": 10})
    make_endpoint(workspace, "broken-one", provisioningState="Failed")
    page = read(sign_in(requester).get("/fleet").content)
    assert rows_of(page) == ["broken-one", "quiet-one"]
    assert "blue 90 %, green 10 %" in main_of(page)


def test_fleet__without_traffic__says_so_in_words_and_not_as_a_bar(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    make_endpoint(workspace, traffic={})
    page = read(sign_in(requester).get("/fleet").content)
    assert "no traffic" in main_of(page)
    assert not page.all("svg", **{"class": "bar mini"})


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=checkout", ["checkout-risk"]),
        ("q=!checkout", ["photo-triage"]),
        ('q="photo-triage"', ["photo-triage"]),
        ("q=owner:fraud", ["checkout-risk", "photo-triage"]),
        ("q=owner:nobody", []),
        ("state=bad", []),
    ],
)
def test_fleet__filtered__shows_what_matches_and_offers_to_clear(
    sign_in: SignIn, requester: User, workspace: Workspace, query: str, found: list[str]
) -> None:
    for name in ("checkout-risk", "photo-triage"):
        make_endpoint(workspace, name)
    page = read(sign_in(requester).get(f"/fleet?{query}").content)
    assert rows_of(page) == found
    assert any(words(one.text).startswith("Clear all") for one in page.all("a"))


def test_fleet__with_a_filter_that_is_none__says_which_part_was_left_out(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    page = read(sign_in(requester).get("/fleet?q=colour:red").content)
    assert "colour: is not a filter" in main_of(page)


def test_fleet__never_read__says_that_it_can_not_tell(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    page = read(sign_in(requester).get("/fleet").content)
    assert "Azure not read yet" in words(page.one("span", id="freshness").text)
    assert "mlw-prod-weu has not been read yet." in main_of(page)
    assert "Cannot tell" in main_of(page)


def test_fleet__of_somebody_without_a_role__tells_how_to_get_one(sign_in: SignIn, admin: User) -> None:
    page = read(sign_in(admin).get("/fleet").content)
    assert "No workspace connected yet" in main_of(page)
    assert page.one("a", **{"class": "btn primary"}).attributes["href"] == "/settings/workspaces"


def test_fleet__refreshed_by_htmx__is_the_table_alone(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    answer = sign_in(requester).get("/fleet", HTTP_HX_REQUEST="true")
    assert b"<html" not in answer.content
    assert b"checkout-risk" in answer.content


def test_fleet__longer_than_a_page__goes_on_and_survives_a_place_that_is_gone(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    for number in range(53):
        make_endpoint(workspace, f"endpoint-{number:02}", deployments=("blue",))
    client = sign_in(requester)
    first = read(client.get("/fleet").content)
    second = read(client.get(first.one("a", rel="next").attributes["href"]).content)
    assert (len(rows_of(first)), len(rows_of(second))) == (50, 3)
    assert not {*rows_of(first)} & {*rows_of(second)}
    assert rows_of(read(client.get("/fleet?after=nonsense").content)) == rows_of(first)


def test_fleet_export__has_the_filtered_rows(sign_in: SignIn, requester: User, workspace: Workspace) -> None:
    for name in ("checkout-risk", "photo-triage"):
        make_endpoint(workspace, name)
    answer = sign_in(requester).get("/fleet?q=photo&format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["name"], row["traffic"]) for row in rows] == [("photo-triage", '{"blue": 100}')]


def test_endpoint__shows_what_azure_reports_beside_what_was_approved(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    page = read(sign_in(requester).get("/w/mlw-prod-weu/e/checkout-risk/").content)
    truths = [words(one.text) for one in page.all("div") if one.inside[-1] == "dl"]
    assert truths[0] == "Approvednone yetno change was completed through this portal"
    assert truths[1].startswith("Azure reportsblue 100 %")


def read_now(workspace: Workspace) -> None:
    now = db_now()
    run = SyncRun.objects.create(
        workspace=workspace, trigger="schedule", outcome="complete", started_at=now, ended_at=now,
        reads_began=now, reads_ended=now, cadence_seconds=30,
    )  # fmt: skip
    SyncTarget.objects.create(workspace=workspace, due_at=now, cadence_seconds=30, covered_by=run)


def test_endpoint__with_a_change_at_work__is_not_called_quiet_and_shows_what_is_ordered(
    sign_in: SignIn, operator: User, started: Stage
) -> None:
    read_now(started.workspace)
    page = read(sign_in(operator).get(started.home).content)
    facts = words(page.one("p", **{"class": "facts"}).text)
    assert facts.startswith(f"CR-{started.number}: Applying")
    assert "Quiet" not in facts, "nor is it, once Azure was read"
    truths = [words(one.text) for one in page.all("div") if one.inside[-1] == "dl"]
    assert truths[0].startswith(f"Approvedgreen 100 %CR-{started.number}, at work")
    assert truths[1].startswith("Azure reportsblue 100 %")


def test_endpoint__that_others_changed__shows_both_maps(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    make_endpoint(workspace, traffic={"blue": 60, "green": 40})
    text = main_of(read(sign_in(requester).get("/w/mlw-prod-weu/e/checkout-risk/").content))
    assert "Drift: Azure changed, and nobody here ordered it." in text
    assert "Traffic was blue 100 % and is blue 60 %, green 40 %. It happened" in text


def test_endpoint__deleted_in_azure__keeps_its_page_without_actions(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    endpoint = make_endpoint(workspace)
    Endpoint.objects.filter(pk=endpoint.pk).update(deleted_at=endpoint.last_read_ended)
    answer = sign_in(requester).get("/w/mlw-prod-weu/e/checkout-risk/")
    page = read(answer.content)
    assert answer.status_code == 200
    assert "Deleted in Azure." in main_of(page)
    assert not page.all("dialog")
    assert not [one for one in page.all("a") if one.attributes.get("href", "").endswith("/change/new")]


def test_endpoint__of_the_same_name_elsewhere__is_another_page(
    sign_in: SignIn, outsider: User, workspace: Workspace, other_workspace: Workspace
) -> None:
    make_endpoint(workspace)
    make_endpoint(other_workspace, traffic={"green": 100})
    client = sign_in(outsider)
    page = read(client.get("/w/mlw-test-neu/e/checkout-risk/").content)
    assert words(page.one("h1").text) == "checkout-risk in mlw-test-neu"
    assert client.get("/w/mlw-prod-weu/e/checkout-risk/").status_code == 404


def test_links_to_microsofts_pages__tell_them_nothing(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    page = read(sign_in(requester).get("/w/mlw-prod-weu/e/checkout-risk/").content)
    outside = [one for one in page.all("a") if one.attributes.get("href", "").startswith("http")]
    assert len(outside) >= 3
    assert {one.attributes.get("rel") for one in outside} == {"noreferrer"}


@pytest.mark.parametrize(("text", "leads"), [("checkout-risk", True), ("CHECKOUT", True), ("zzz", False)])
def test_search__for_an_endpoint__jumps_to_the_only_match(
    sign_in: SignIn, requester: User, workspace: Workspace, text: str, leads: bool
) -> None:
    make_endpoint(workspace)
    answer = sign_in(requester).get("/search", {"q": text})
    assert (answer.status_code == 302) is leads
    if leads:
        assert answer["Location"] == "/w/mlw-prod-weu/e/checkout-risk/"


ARM_ID = (
    "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-ml"
    "/providers/Microsoft.MachineLearningServices/workspaces/mlw-new"
)


def test_workspace__connected_by_an_administrator__is_listed_and_recorded(
    sign_in: SignIn, admin: User
) -> None:
    client = sign_in(admin)
    sent = {
        "do": "connect",
        "arm_id": ARM_ID,
        "slug": "mlw-new",
        "environment": "test",
        "region": "westeurope",
    }
    assert client.post("/settings/workspaces", sent)["Location"] == "/settings/workspaces"
    assert "mlw-new test" in rows_of(read(client.get("/settings/workspaces").content))
    assert Entry.objects.filter(action="workspace.connected").count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"arm_id": "mlw-new"}, "This is not the ARM id of a workspace."),
        ({"slug": "No Slug"}, "A short name has 2 to 63"),
        ({"environment": "staging"}, "A workspace is production or test."),
    ],
)
def test_workspace__described_wrongly__is_not_connected(
    sign_in: SignIn, admin: User, wrong: dict[str, str], said: str
) -> None:
    sent = {"do": "connect", "arm_id": ARM_ID, "slug": "mlw-new", "environment": "test", "region": ""} | wrong
    answer = sign_in(admin).post("/settings/workspaces", sent)
    assert answer.status_code == 422
    assert said in main_of(read(answer.content))
    assert not Workspace.objects.exists()


def test_workspace__connected_twice__says_so(sign_in: SignIn, admin: User) -> None:
    add_workspace(actor=SYSTEM_COMMAND, arm_id=ARM_ID, slug="mlw-new", environment="test")
    sent = {"do": "connect", "arm_id": ARM_ID, "slug": "other", "environment": "test", "region": ""}
    answer = sign_in(admin).post("/settings/workspaces", sent)
    assert answer.status_code == 409
    assert b"connected already, as mlw-new" in answer.content


@pytest.mark.parametrize("do", ["connect", "test"])
def test_workspace__by_somebody_who_may_not__is_neither_tested_nor_connected(
    sign_in: SignIn, requester: User, do: str
) -> None:
    sent = {"do": do, "arm_id": ARM_ID, "slug": "mlw-new", "environment": "test", "region": ""}
    answer = sign_in(requester).post("/settings/workspaces", sent)
    assert answer.status_code in (403, 422)
    assert "platform administrator" in main_of(read(answer.content))
    assert not Workspace.objects.filter(slug="mlw-new").exists()


def test_workspace__to_be_read_now__becomes_due(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    assert sign_in(requester).post(f"/settings/workspaces/{workspace.slug}/sync").status_code == 302
    assert SyncTarget.objects.get(workspace=workspace).requested_at is not None


def test_workspace__is_disconnected_only_after_its_name_was_typed(
    sign_in: SignIn, admin: User, workspace: Workspace
) -> None:
    client, address = sign_in(admin), f"/settings/workspaces/{workspace.pk}/disconnect"
    assert client.post(address, {"typed": "mlw"}).status_code == 422
    workspace.refresh_from_db()
    assert workspace.disconnected_at is None
    assert client.post(address, {"typed": "mlw-prod-weu"}).status_code == 302
    workspace.refresh_from_db()
    assert workspace.disconnected_at is not None
