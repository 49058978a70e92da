"""Freezes and stops by form: looked at before they are made, ended with a reason, told on every page they hold."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from endpoints.access.models import User, Workspace
from endpoints.dispatch import db_now
from endpoints.holds.ics import MOST_BYTES
from endpoints.holds.models import Freeze, Stop
from endpoints.holds.scope import Scope
from endpoints.holds.selectors import in_force
from endpoints.web.banners import banners
from tests.holds.support import ahead, freeze, stop
from tests.holds.test_import import HOLIDAYS, HOURLY, PAST, calendar_of
from tests.support.people import make_endpoint, make_person, principal
from tests.web.conftest import SignIn, Stage
from tests.web.reading import read, words

WEEKENDS = {
    "do": "make",
    "workspace": "mlw-prod-weu",
    "title": "Weekends",
    "reason": "Nobody is here.",
    "zone": "Europe/Zurich",
    "starts": "2027-10-29T16:00",
    "ends": "2027-11-01T08:00",
    "repeat": "FREQ=WEEKLY",
}


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return words(read(answer.content).one("main").text)


def test_freeze__by_form__stands_and_is_shown_in_three_zones(
    sign_in: SignIn, operator: User, workspace: Workspace
) -> None:
    User.objects.filter(pk=operator.pk).update(time_zone="America/New_York")
    client = sign_in(operator)
    answer = client.post("/holds", WEEKENDS)
    made = Freeze.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/holds/freezes/{made.pk}")
    assert (made.rule, made.source, made.workspace_id) == ("FREQ=WEEKLY", "page", workspace.pk)
    page = text_of(client, answer["Location"])
    # The night of the change lies within the first stretch.
    assert "2027-10-29 16:00 CEST to 2027-11-01 08:00 CET" in page
    assert "2027-10-29 10:00 EDT to 2027-11-01 03:00 EDT" in page
    assert "2027-10-29 14:00 UTC to 2027-11-01 07:00 UTC" in page
    assert "every week" in page
    listed = text_of(client, "/holds")
    assert "Weekends Coming all endpoints of mlw-prod-weu" in listed
    assert "Nothing is frozen" not in listed


def test_preview__of_a_freeze__shows_five_times_and_makes_nothing(
    sign_in: SignIn, operator: User, workspace: Workspace
) -> None:
    answer = sign_in(operator).post("/holds", WEEKENDS | {"do": "preview"})
    assert answer.status_code == 200
    page = read(answer.content)
    shown = page.one("section", aria_labelledby="preview").text
    assert shown.count("2027-") >= 5
    assert "2027-11-26 16:00 CET" in words(shown)
    assert not Freeze.objects.exists()
    # What was typed is still there to be sent.
    assert page.one("input", id="f-title").attributes["value"] == "Weekends"
    assert page.one("input", id="f-starts").attributes["value"] == "2027-10-29T16:00"


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"workspace": ""}, "workspace", "Choose a workspace"),
        ({"title": ""}, "title", "Give it a title"),
        ({"reason": ""}, "reason", "Say why"),
        ({"zone": "Mars/Olympus"}, "zone", "not a time zone"),
        ({"starts": "tomorrow"}, "starts", "Give a day and a time"),
        ({"ends": "2027-10-29T16:00"}, "ends", "must end after it starts"),
        ({"repeat": "FREQ=DAILY"}, "rule", "begin again before it has ended"),
        ({"repeat": "own", "rule": ""}, "rule", "Give the rule"),
        ({"repeat": "own", "rule": "FREQ=HOURLY"}, "rule", "can't be read"),
        ({"repeat": "sometimes"}, "repeat", "Choose one"),
        ({"name_pattern": "[a]"}, "name_pattern", "letters, digits and hyphens"),
        ({"tag": "=1"}, "tag", "name is missing"),
    ],
)
def test_freeze__that_can_not_be__says_so_beside_its_cause_and_keeps_what_was_typed(
    sign_in: SignIn, operator: User, workspace: Workspace, change: dict[str, str], field: str, says: str
) -> None:
    answer = sign_in(operator).post("/holds", WEEKENDS | change)
    assert answer.status_code == 422
    page = read(answer.content)
    assert says in page.one("p", id=f"f-{field}-error").text
    assert page.one("title").text.startswith("Error: ")
    assert [link for link in page.all("a", href=f"#f-{field}") if says in link.text]
    if field != "reason":
        assert page.one("input", id="f-reason").attributes["value"] == "Nobody is here."
    assert not Freeze.objects.exists()


def test_form__for_who_may_not__is_a_sentence_and_sending_it_is_refused(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    client = sign_in(requester)
    page = client.get("/holds")
    assert not read(page.content).all("form", action="/holds")
    assert "needs the role operator or platform administrator" in words(read(page.content).one("main").text)
    assert client.post("/holds", WEEKENDS).status_code == 403
    assert client.post("/holds/stop", {"where": "mlw-prod-weu", "reason": "No."}).status_code == 403
    assert not Freeze.objects.exists()
    assert not Stop.objects.exists()


def test_freeze_of_everything__is_offered_to_who_may_on_all_workspaces_only(
    sign_in: SignIn, operator: User, admin: User, workspace: Workspace, other_workspace: Workspace
) -> None:
    def offered(user: User) -> list[str]:
        page = read(sign_in(user).get("/holds").content)
        return [one.attributes["value"] for one in page.all("option") if "select" in one.inside and one.text]

    assert "*" not in offered(operator)
    assert other_workspace.slug not in offered(operator)
    assert {"*", workspace.slug, other_workspace.slug} <= set(offered(admin))
    assert sign_in(operator).post("/holds", WEEKENDS | {"workspace": "*"}).status_code == 403
    assert sign_in(operator).post("/holds", WEEKENDS | {"workspace": other_workspace.slug}).status_code == 404
    sign_in(admin).post("/holds", WEEKENDS | {"workspace": "*"})
    assert Freeze.objects.get().workspace_id is None


def test_end__by_form__needs_a_reason_and_happens_once(
    sign_in: SignIn, operator: User, workspace: Workspace
) -> None:
    made = freeze(operator, Scope(workspace.pk))
    client, address = sign_in(operator), f"/holds/freezes/{made.pk}"
    answer = client.post(address, {"reason": " "})
    assert answer.status_code == 422
    assert "Say why" in read(answer.content).one("p", id="f-reason-error").text
    assert client.post(address, {"reason": "They are back."}).status_code == 302
    page = text_of(client, address)
    assert "Ended by Omar" in page
    assert "“They are back.”" in page
    assert "End this freeze" not in page
    assert client.post(address, {"reason": "Again."}).status_code == 409
    assert "Holidays Ended by a person" in text_of(client, "/holds?show=past")


def test_freeze__of_another_workspace__is_no_page_and_in_no_list(
    sign_in: SignIn, operator: User, outsider: User, workspace: Workspace
) -> None:
    made = freeze(operator, Scope(workspace.pk), title="Our secret")
    number = stop(operator, workspace_id=workspace.pk)
    client = sign_in(outsider)
    for address in (f"/holds/freezes/{made.pk}", f"/holds/stops/{number}"):
        assert client.get(address).status_code == 404
        assert client.post(address, {"reason": "Why not."}).status_code == 404
    for address in ("/holds", "/holds?show=past", "/holds/stops", "/fleet"):
        assert "Our secret" not in text_of(client, address)
        assert workspace.slug not in text_of(client, address)


def test_list__of_many_freezes__goes_by_pages(sign_in: SignIn, operator: User, workspace: Workspace) -> None:
    for number in range(51):
        freeze(operator, Scope(workspace.pk), ahead(number + 1), title=f"Number {number:02}")
    client = sign_in(operator)
    first = read(client.get("/holds").content)
    (following,) = first.all("a", rel="next")
    assert "Number 50" not in first.one("main").text
    second = text_of(client, following.attributes["href"])
    assert "Number 50" in second
    assert "Number 49" not in second


def send_calendar(client: Client, data: bytes, **more: str) -> object:
    fields = {"workspace": "mlw-prod-weu", "zone": "Europe/Zurich", "reason": "The company's.", **more}
    return client.post("/holds/import", fields | {"file": SimpleUploadedFile("year.ics", data)})


def test_calendar__sent_by_form__says_what_became_of_each_event(
    sign_in: SignIn, operator: User, workspace: Workspace
) -> None:
    client = sign_in(operator)
    answer = send_calendar(client, calendar_of(HOLIDAYS, PAST, HOURLY))
    said = words(read(answer.content).one("main").text)
    assert answer.status_code == 200
    assert "1 freeze made." in said
    assert "1 event is in the past." in said
    assert "Each hour: FREQ=HOURLY can't be read" in said
    assert Freeze.objects.get().title == "Holidays"
    again = words(read(send_calendar(client, calendar_of(HOLIDAYS)).content).one("main").text)
    assert "0 freezes made. 1 event stood already." in again


@pytest.mark.parametrize(
    ("data", "more", "field", "says"),
    [
        (b"hello", {}, "f-file", "no calendar file"),
        (b"x" * (MOST_BYTES + 1), {}, "f-file", "512 KiB at most"),
        (b"x" * (MOST_BYTES + 100_000), {}, "f-file", "Choose a calendar file"),
        (calendar_of(HOLIDAYS), {"reason": ""}, "f-ics-reason", "Say why"),
        (calendar_of(HOLIDAYS), {"zone": "x"}, "f-ics-zone", "not a time zone"),
        (calendar_of(HOLIDAYS), {"workspace": ""}, "f-ics-workspace", "Choose a workspace"),
    ],
)
def test_calendar__that_can_not_be__says_so_beside_its_cause(
    sign_in: SignIn,
    operator: User,
    workspace: Workspace,
    data: bytes,
    more: dict[str, str],
    field: str,
    says: str,
) -> None:
    answer = send_calendar(sign_in(operator), data, **more)
    assert answer.status_code == 422
    page = read(answer.content)
    assert says in page.one("p", id=f"{field}-error").text
    assert [link for link in page.all("a", href=f"#{field}") if says in link.text]
    assert not Freeze.objects.exists()


def test_file__sent_to_another_page__is_dropped(
    sign_in: SignIn, operator: User, workspace: Workspace
) -> None:
    sent = SimpleUploadedFile("year.ics", calendar_of(HOLIDAYS))
    answer = sign_in(operator).post("/holds", WEEKENDS | {"file": sent})
    assert answer.status_code == 302
    assert answer.wsgi_request.FILES == {}


def test_stop__by_two_clicks_and_a_reason__holds_and_is_told_on_every_page_of_its_scope(
    sign_in: SignIn, operator: User, requester: User, asked: Stage
) -> None:
    other = make_endpoint(asked.workspace, "rank-home")
    client = sign_in(operator)
    opener = f"/holds/stop?ws={asked.workspace.slug}&name={asked.endpoint.name}"
    form = read(client.get(opener).content)
    chosen = [one for one in form.all("option") if "selected" in one.attributes]
    assert [one.attributes["value"] for one in chosen] == ["endpoint"]
    sent = {"where": "endpoint", "ws": asked.workspace.slug, "name": asked.endpoint.name}
    answer = client.post("/holds/stop", sent | {"reason": "Payments fail."})
    made = Stop.objects.get()
    assert answer["Location"] == f"/holds/stops/{made.pk}"
    assert [hold.reason for hold in in_force(asked.endpoint.pk, db_now())] == ["Payments fail."]
    reader = sign_in(requester)
    said = f"The line is stopped: checkout-risk in {asked.workspace.slug}."
    for address in (asked.home, "/fleet", f"/w/{asked.workspace.slug}/", f"/changes/CR-{asked.number}"):
        page = text_of(reader, address)
        assert said in page
        assert "Omar, just now: “Payments fail.”" in page or "s ago: “Payments fail.”" in page
    assert said not in text_of(reader, f"/w/{asked.workspace.slug}/e/{other.name}/")


def test_stop__of_a_workspace__is_lifted_with_a_reason_and_then_told_nowhere(
    sign_in: SignIn, reviewer: User, workspace: Workspace
) -> None:
    client = sign_in(reviewer)
    client.post("/holds/stop", {"where": workspace.slug, "reason": "It burns."})
    again = client.post("/holds/stop", {"where": workspace.slug, "reason": "It burns."}, follow=True)
    assert "It was stopped already" in words(read(again.content).one("main").text)
    address = f"/holds/stops/{Stop.objects.get().pk}"
    assert client.post(address, {"reason": ""}).status_code == 422
    assert client.post(address, {"reason": "It is out."}).status_code == 302
    page = text_of(client, address)
    assert "Lifted by Vera" in page
    assert "Nothing moves forward" not in page
    assert client.post(address, {"reason": "It is out."}).status_code == 409
    assert f"workspace {workspace.slug} Lifted It burns." in text_of(client, "/holds/stops")


def test_stop_of_everything__by_an_administrator__is_told_to_all_with_a_role(
    sign_in: SignIn, admin: User, requester: User, outsider: User, workspace: Workspace
) -> None:
    sign_in(admin).post("/holds/stop", {"where": "*", "reason": "It burns."})
    for user in (requester, outsider, admin):
        assert "The line is stopped: all workspaces." in text_of(sign_in(user), "/fleet")
    nobody = make_person("nora")
    assert "The line is stopped" not in text_of(sign_in(nobody), "/fleet")


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"where": "", "reason": "x"}, "where"),
        ({"where": "endpoint", "reason": "x"}, "where"),
        ({"where": "mlw-prod-weu", "reason": ""}, "reason"),
    ],
)
def test_stop__without_a_place_or_a_reason__stops_nothing(
    sign_in: SignIn, operator: User, workspace: Workspace, sent: dict[str, str], field: str
) -> None:
    answer = sign_in(operator).post("/holds/stop", sent)
    assert answer.status_code == 422
    assert read(answer.content).one("p", id=f"f-{field}-error").text
    assert not Stop.objects.exists()


def test_executor_gone_and_line_stopped__are_one_banner(
    sign_in: SignIn, operator: User, workspace: Workspace
) -> None:
    stop(operator, workspace_id=workspace.pk)
    page = read(sign_in(operator).get("/fleet").content)
    (banner,) = page.all("div", role="alert", **{"class": "note bad"})
    assert "The executor does not answer" in words(banner.text)
    assert "The line is stopped" in words(banner.text)


def test_banner__of_many_stops__names_three_and_counts_the_rest(
    sign_in: SignIn, operator: User, workspace: Workspace
) -> None:
    for number in range(5):
        stop(operator, endpoint_id=make_endpoint(workspace, f"endpoint-{number}").pk)
    page = text_of(sign_in(operator), "/fleet")
    assert page.count("The line is stopped:") == 3
    assert "2 more are stopped" in page


def test_banner__while_nothing_is_stopped__costs_each_page_one_query(
    operator: User, workspace: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    me = principal(operator)
    with django_assert_num_queries(1):
        assert banners(me, ws="", name="") == ((), 0)


def test_endpoint_page__while_frozen__says_until_when(sign_in: SignIn, operator: User, asked: Stage) -> None:
    made = freeze(operator, Scope(asked.workspace.pk))
    assert made.over_at is not None
    page = text_of(sign_in(operator), asked.home)
    assert f"Frozen Holidays until {made.over_at:%Y-%m-%d %H:%M} UTC: Nobody is here." in page
