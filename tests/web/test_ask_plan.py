"""A new change in steps, by forms alone: rows more and less, simulation, storing, editing."""

from __future__ import annotations

from endpoints.access.models import User, Workspace
from endpoints.changes.models import Change, ChangeRevision
from tests.support.people import make_endpoint
from tests.web.conftest import SignIn
from tests.web.reading import Page, read, words

NEW = "/w/mlw-prod-weu/e/checkout-risk/change/new"


def sent(page: Page) -> dict[str, str]:
    """The plan's form as a browser would send it without a button."""
    fields = [one for one in page.all("input") if "name" in one.attributes]
    kept = {
        one.attributes["name"]: one.attributes.get("value", "")
        for one in fields
        if one.attributes.get("type") not in ("checkbox", "radio") or "checked" in one.attributes
    }
    return {name: value for name, value in kept.items() if name not in ("q", "next", "to", "zone")}


def test_plan__of_a_link__stored_and_edited_again__is_the_same(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    client = sign_in(requester)
    page = read(client.get(f"{NEW}?to=green&plan=5-25-100").content)
    told = sent(page) | {"candidate": "green", "reason": "Small steps", "on-failure": "hold", "click-2": "on"}
    answer = client.post(NEW, told)
    assert answer.status_code == 302
    number = Change.objects.get().pk
    first = ChangeRevision.objects.get(change=number)
    assert [(step["split"]["green"], step.get("bake", 0)) for step in first.plan] == [
        (5, 600),
        (25, 1200),
        (100, 0),
    ]
    assert first.plan[1]["click"]
    assert first.terms["on_failure"] == "hold"
    edit = f"/changes/CR-{number}/edit"
    page = read(client.get(edit).content)
    assert page.one("input", name="weight-2").attributes["value"] == "25"
    again = sent(page) | {"candidate": "green", "reason": "The same", "on-failure": "hold"}
    assert client.post(edit, again).status_code == 302
    second = ChangeRevision.objects.get(change=number, number=2)
    assert (second.plan, second.terms) == (first.plan, first.terms)


def test_buttons_for_rows__without_script__keep_all_that_was_typed_and_store_nothing(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    client = sign_in(requester)
    told = sent(read(client.get(f"{NEW}?to=green&plan=5-100").content)) | {
        "candidate": "green",
        "weight-1": "abc",
    }
    more = client.post(NEW, told | {"do": "add", "reason": "Kept"})
    assert more.status_code == 200
    page = read(more.content)
    assert page.one("input", name="weight-1").attributes["value"] == "abc"
    assert page.one("input", name="weight-3").attributes["value"] == ""
    assert "Kept" in page.one("textarea", id="reason").text
    less = read(client.post(NEW, told | {"do": "remove:1"}).content)
    assert less.one("input", name="weight-1").attributes["value"] == "100"
    assert not less.all("input", name="weight-2")
    piece = client.post(NEW, told | {"do": "add"}, headers={"HX-Request": "true"})
    assert b"<html" not in piece.content
    assert not Change.objects.exists()


def test_simulation__of_an_endpoint_without_figures__says_what_is_not_known(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    client = sign_in(requester)
    told = sent(read(client.get(f"{NEW}?to=green&plan=5-100").content)) | {
        "candidate": "green",
        "do": "simulate",
    }
    page = read(client.post(NEW, told).content)
    found = words(page.one("div", id="simulation").text)
    assert "1. blue 95 %, green 5 %" in found
    assert "requests: not known" in found
    assert "Extra cost: not known." in found
    wrong = client.post(NEW, told | {"weight-2": "5"}, headers={"HX-Request": "true"})
    assert b"Not simulated." in wrong.content
    assert b"Nothing would change." in wrong.content
    assert not Change.objects.exists()


def test_plan__with_mistakes_of_every_kind__names_all_at_once(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    client = sign_in(requester)
    told = sent(read(client.get(f"{NEW}?to=green&plan=5-100").content)) | {"reason": " "}
    wrong = told | {"candidate": "", "weight-1": "x", "bake-2": "-1", "watch": "soon", "limit-2": "none"}
    answer = client.post(NEW, wrong)
    assert answer.status_code == 422
    hrefs = {one.attributes["href"] for one in read(answer.content).all("a")}
    assert hrefs >= {"#f-candidate", "#f-weight-1", "#f-bake-2", "#f-watch", "#f-limit-2", "#reason"}
    idle = client.post(NEW, told | {"candidate": "green", "weight-2": "5"})
    assert idle.status_code == 422
    said = words(read(idle.content).one("main").text)
    assert "Say why" in said
    assert "Step 2 orders the split in force" in said
    assert not Change.objects.exists()
