"""The live page of a walked plan: where it stands, what gates say, and the acts, by forms alone."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client

from endpoints.access.models import User, Workspace
from endpoints.changes.executor import outcomes
from endpoints.changes.gatespec import gate
from endpoints.changes.lifecycle import Hold, Kind
from endpoints.changes.models import Change, GateOverride
from endpoints.changes.selectors import measurements_of
from endpoints.changes.terms import OnFailure
from endpoints.changes.verdict import Outcome
from tests.changes.desk import Desk
from tests.web.conftest import SignIn
from tests.web.reading import Page, read, words
from tests.web.rollouts import ERRORS, THROTTLED, Rollout, baking, plan, started


@pytest.fixture
def desk(workspace: Workspace, requester: User, reviewer: User, operator: User) -> Desk:
    return Desk(workspace, requester, reviewer, operator)


@pytest.fixture
def client(sign_in: SignIn, desk: Desk) -> Client:
    """The operator's browser."""
    return sign_in(desk.operator)


def page_of(client: Client, address: str) -> Page:
    answer = client.get(address)
    assert answer.status_code == 200
    return read(answer.content)


def text_of(client: Client, address: str) -> str:
    return words(page_of(client, address).one("main").text)


def links(page: Page) -> list[str]:
    return [one.attributes["href"] for one in page.all("a") if "href" in one.attributes]


def test_live_page__of_a_baking_step__shows_bake_plan_and_what_is_to_come(desk: Desk, client: Client) -> None:
    rollout = baking(desk)
    rollout.bakes(150)
    page = page_of(client, rollout.page)
    text = words(page.one("main").text)
    assert "Baking, step 1 of 3" in text
    assert "02:30 of 10:00" in text
    assert "watched 30 m" in text
    assert "bakes 20 m, then waits for a click" in text
    now = page.one("li", aria_current="step")
    assert words(now.text).startswith("5 %")


def test_live_page__candidate_and_stable__are_named(desk: Desk, client: Client) -> None:
    text = text_of(client, baking(desk).page)
    assert "blue 95 % stable" in text
    assert "green 5 % candidate" in text


@pytest.mark.parametrize(
    ("outcome", "values", "said"),
    [
        (Outcome.PASS, {"value": 0.002, "requests": 900}, "Within"),
        (Outcome.FAIL, {"value": 0.06, "requests": 900}, "Over"),
        (Outcome.INCONCLUSIVE, {"requests": 12}, "Not enough data"),
        (Outcome.ERROR, {}, "Cannot tell"),
        (Outcome.FAIL, {"value": 0.06, "excused": True, "requests": 900}, "Excused: as bad before"),
    ],
)
def test_gate__of_each_outcome__says_it_in_words(
    desk: Desk, client: Client, outcome: Outcome, values: dict[str, float], said: str
) -> None:
    rollout = baking(desk)
    rollout.measured(ERRORS, outcome, **values)
    page = page_of(client, rollout.page)
    first = next(
        one for one in page.elements if one.tag == "li" and "Errors" in one.text and "h3" not in one.inside
    )
    assert said in words(first.text)


def test_gates__are_listed_worst_first_and_dry_runs_last(desk: Desk, client: Client) -> None:
    dry = gate("cpu", dry_run=True)
    rollout = baking(desk, plan(gates=(dry, ERRORS, THROTTLED)))
    rollout.measured(dry, Outcome.FAIL, value=0.9, dry_run=True)
    rollout.measured(ERRORS, Outcome.PASS, value=0.001, requests=500)
    rollout.measured(THROTTLED, Outcome.ERROR)
    page = page_of(client, rollout.page)
    names = [one.text for one in page.all("h3") if one.text in (dry.name, ERRORS.name, THROTTLED.name)]
    assert names[:3] == [THROTTLED.name, ERRORS.name, dry.name]
    assert "Dry run: over" in words(page.one("main").text)


def test_gate__never_measured__is_not_shown_as_passed(desk: Desk, client: Client) -> None:
    text = text_of(client, baking(desk).page)
    assert "Not measured yet" in text
    assert "Within" not in text


def test_advance__gates_do_not_pass__is_no_button_but_the_reason(desk: Desk, client: Client) -> None:
    rollout = baking(desk)
    rollout.gates_say(Outcome.INCONCLUSIVE, "Errors: too few requests.")
    page = page_of(client, rollout.page)
    assert f"/changes/CR-{rollout.number}/advance" not in links(page)
    assert "too few requests" in words(page.one("main").text)


def test_advance__gates_pass__is_offered_and_orders_the_next_step(desk: Desk, client: Client) -> None:
    rollout = baking(desk)
    rollout.gates_say(Outcome.PASS)
    address = f"/changes/CR-{rollout.number}/advance"
    assert address in links(page_of(client, rollout.page))
    form = page_of(client, address)
    assert "Advance to 25 % now?" in words(form.one("main").text)
    sent = {"step": form.one("input", name="step").attributes["value"]}
    assert client.post(address, sent)["Location"] == rollout.page
    assert (rollout.change.step, rollout.change.state) == (1, "applying")
    again = client.post(address, sent)
    assert again.status_code == 409
    assert "Nothing was stored" in again.content.decode()
    assert rollout.change.step == 1


def test_advance__next_to__is_never_abort_or_rollback(desk: Desk, client: Client) -> None:
    rollout = baking(desk)
    rollout.gates_say(Outcome.PASS)
    page = page_of(client, rollout.page)
    wanted = ("/advance", "/hold", "/abort", "/rollback")
    order = [link.rpartition("/")[2] for link in links(page) if link.endswith(wanted)]
    assert order[:1] == ["advance"]
    assert order[1] == "hold"


def test_hold__with_a_reason__holds_and_the_page_says_who_and_why(desk: Desk, client: Client) -> None:
    rollout = baking(desk)
    address = f"/changes/CR-{rollout.number}/hold"
    assert client.post(address, {"reason": "  "}).status_code == 422
    assert rollout.change.state == "baking"
    assert client.post(address, {"reason": "A customer called"})["Location"] == rollout.page
    assert (rollout.change.state, rollout.change.hold) == ("held", Hold.PERSON)
    text = text_of(client, rollout.page)
    assert "Held by a person. “A customer called”" in text
    assert f"/changes/CR-{rollout.number}/resume" in links(page_of(client, rollout.page))
    client.post(f"/changes/CR-{rollout.number}/resume")
    assert rollout.change.state == "baking"


def test_hold__before_the_step_is_in_force__can_be_taken_back(desk: Desk, client: Client) -> None:
    rollout = started(desk)
    rollout.held()
    text = text_of(client, rollout.page)
    assert "Take the hold back" in text
    assert "It will be held once its step is in force." in text
    client.post(f"/changes/CR-{rollout.number}/resume")
    assert not rollout.change.hold_wanted


def test_override__of_a_gate__needs_a_role_and_a_reason_and_is_shown_with_the_name(
    desk: Desk, client: Client, sign_in: SignIn
) -> None:
    rollout = baking(desk)
    rollout.measured(ERRORS, Outcome.FAIL, value=0.06, requests=900)
    address = f"/changes/CR-{rollout.number}/override"
    sent = {"gate": ERRORS.name, "step": "0", "reason": "A known client"}
    assert sign_in(desk.reviewer).post(address, sent).status_code == 403
    assert client.post(address, sent | {"reason": ""}).status_code == 422
    assert client.post(address, sent | {"gate": "weather"}).status_code == 422
    assert not GateOverride.objects.exists()
    assert client.post(address, sent).status_code == 302
    text = text_of(client, rollout.page)
    assert "Overridden by Omar; measured: over" in text
    assert "Overrode Errors A known client" in text


def test_acts__for_somebody_without_the_role__are_a_sentence(desk: Desk, sign_in: SignIn) -> None:
    rollout = baking(desk)
    client = sign_in(desk.requester)
    page = page_of(client, rollout.page)
    assert not [link for link in links(page) if link.endswith(("/hold", "/advance", "/override"))]
    assert "Hold, resume, advance: " in words(page.one("main").text)
    assert client.get(f"/changes/CR-{rollout.number}/hold").status_code == 403
    assert client.post(f"/changes/CR-{rollout.number}/hold", {"reason": "x"}).status_code == 403


def test_click__that_the_plan_wants__is_no_alarm(desk: Desk, client: Client) -> None:
    rollout = baking(desk, plan((5, 60, True), (100, 0, False), gates=()))
    outcomes.held(rollout.job(), Hold.CLICK, "")
    page = page_of(client, rollout.page)
    text = words(page.one("main").text)
    assert "Waiting for a click, step 1 of 2" in text
    assert not page.all("div", **{"class": "note warn"})
    assert f"/changes/CR-{rollout.number}/advance" in links(page)
    assert f"/changes/CR-{rollout.number}/resume" not in links(page)


@pytest.mark.parametrize(
    ("hold", "title"),
    [
        (Hold.INCONCLUSIVE, "Held: a gate can't tell yet."),
        (Hold.ERROR, "Held: a gate could not be measured."),
        (Hold.FAILED, "Held: a gate failed."),
        (Hold.CHECK, "Held by a check before the step."),
        (Hold.STOP, "Held by a freeze or a stop."),
        (Hold.OVERTIME, "Held: it takes longer than planned."),
    ],
)
def test_held__for_each_reason__says_which(desk: Desk, client: Client, hold: Hold, title: str) -> None:
    rollout = baking(desk, plan(on_failure=OnFailure.HOLD))
    outcomes.held(rollout.job(), hold, "Because of this and that.")
    text = text_of(client, rollout.page)
    assert f"{title} Because of this and that." in text


def test_rolled_back_by_itself__says_so_and_links_what_gates_saw(desk: Desk, client: Client) -> None:
    rollout = baking(desk)
    rollout.measured(ERRORS, Outcome.FAIL, value=0.06, requests=900)
    outcomes.rolled_back_by_itself(rollout.job(), "Errors: 6 % of 900 requests failed")
    page = page_of(client, rollout.page)
    text = words(page.one("main").text)
    back = Change.objects.get(kind=Kind.ROLLBACK)
    assert "Rolled back by itself. Errors: 6 % of 900 requests failed. It ended before it was done" in text
    assert f"/changes/CR-{back.pk}/live" in links(page)
    assert "#gates-seen" in links(page)
    assert "Not finished" in text


def test_rolled_back_by_a_person__is_not_called_the_portals_own(desk: Desk, client: Client) -> None:
    rollout = baking(desk)
    desk.roll_back()
    text = text_of(client, rollout.page)
    assert "Superseded by a rollback." in text
    assert "Rolled back by itself" not in text


def test_done__with_a_warm_deadline__names_who_is_kept_until_when(desk: Desk, client: Client) -> None:
    rollout = baking(desk, plan((100, 60, False), gates=(), watch=0, warm=48))
    outcomes.stepped_over(rollout.job())
    assert "blue is kept as a rollback target until " in text_of(client, rollout.page)


def test_live_parts__asked_for_by_htmx__come_one_by_one(desk: Desk, client: Client) -> None:
    rollout = baking(desk)
    found = {
        part: client.get(f"{rollout.page}?part={part}", HTTP_HX_REQUEST="true").content.decode()
        for part in ("", "acts", "side")
    }
    assert "Hold at" in found["acts"]
    assert "Gates for step 1" in found["side"]
    assert "Azure reports" in found[""]
    assert not any("<html" in text for text in found.values())


def test_measurements_file__has_every_word_of_every_gate(desk: Desk, client: Client) -> None:
    rollout = baking(desk)
    for ago in (3, 2, 1):
        rollout.measured(
            ERRORS, Outcome.PASS, ago=ago, value=0.001, requests=400, detail={"low": 0, "high": 0.01}
        )
    answer = client.get(f"/changes/CR-{rollout.number}/measurements.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == len(measurements_of(rollout.number)) == 3
    assert (rows[0]["gate"], rows[0]["outcome"], rows[0]["high"]) == (ERRORS.name, "pass", "0.01")
    assert client.get(f"/changes/CR-{rollout.number}/measurements.xml").status_code == 404


def test_gate_chart__draws_value_interval_and_limit_and_greys_what_is_too_few(
    desk: Desk, client: Client
) -> None:
    rollout = baking(desk)
    rollout.measured(
        ERRORS, Outcome.INCONCLUSIVE, ago=4, value=0.0, requests=20, detail={"low": 0, "high": 0.2}
    )
    rollout.measured(ERRORS, Outcome.PASS, ago=1, value=0.002, requests=900, detail={"low": 0, "high": 0.01})
    answer = client.get(f"/changes/CR-{rollout.number}/charts/gate-0.json").json()
    assert {trace["name"] for trace in answer["figure"]["data"]} >= {"lowest", "highest", ERRORS.name}
    grey = [shape for shape in answer["figure"]["layout"]["shapes"] if shape.get("fillcolor") == "--sunken"]
    assert len(grey) == 1
    assert "The true value is between" in answer["caption"]
    assert client.get(f"/changes/CR-{rollout.number}/charts/gate-7.json").status_code == 404


@pytest.mark.parametrize("chart", ["p95", "errors", "requests"])
def test_compared_chart__without_any_metrics__says_that_nothing_is_known(
    desk: Desk, client: Client, chart: str
) -> None:
    rollout = baking(desk)
    answer = client.get(f"/changes/CR-{rollout.number}/charts/{chart}.json").json()
    assert "not known" in answer["caption"]
    assert all(value is None for trace in answer["figure"]["data"] for value in trace["y"] if "x0" in trace)


def test_charts__of_a_change_that_never_started__are_not_there(desk: Desk, client: Client) -> None:
    number = desk.request()
    assert client.get(f"/changes/CR-{number}/charts/p95.json").status_code == 404


def test_plain_change__in_one_step__has_no_steps_card(desk: Desk, client: Client) -> None:
    number = desk.started()
    page = page_of(client, f"/changes/CR-{number}/live")
    assert "Progress" in [one.text for one in page.all("h2")]
    assert "Steps" not in [one.text for one in page.all("h2")]


def test_rollout__of_a_workspace_that_is_not_mine__is_not_found(
    desk: Desk, sign_in: SignIn, outsider: User
) -> None:
    rollout = baking(desk)
    client = sign_in(outsider)
    for part in ("live", "hold", "advance", "override", "abort", "charts/p95.json", "measurements.csv"):
        assert client.get(f"/changes/CR-{rollout.number}/{part}").status_code == 404


def test_acts__on_a_change_that_is_over__say_that_nothing_can_be_done(
    rolled: Rollout, client: Client
) -> None:
    for act in ("hold", "resume", "advance", "override"):
        page = client.get(f"/changes/CR-{rolled.number}/{act}")
        assert "can't be done" in page.content.decode()
        answer = client.post(
            f"/changes/CR-{rolled.number}/{act}", {"reason": "x", "step": "0", "gate": ERRORS.name}
        )
        assert answer.status_code == 409


@pytest.fixture
def rolled(desk: Desk) -> Rollout:
    rollout = baking(desk)
    desk.roll_back()
    return rollout


def test_rollouts__lists_what_is_at_work_with_step_bake_and_gates(desk: Desk, client: Client) -> None:
    rollout = baking(desk)
    rollout.bakes(150)
    rollout.gates_say(Outcome.INCONCLUSIVE, "Errors: too few requests.")
    page = page_of(client, "/rollouts")
    text = words(page.one("main").text)
    for said in ("Baking, step 1 of 3", "02:30 of 10:00", "Not enough data", "too few requests"):
        assert said in text
    assert rollout.page in links(page)
    nav = next(one for one in page.all("a", href="/rollouts") if "nav" in one.inside)
    assert words(nav.text) == "Rollouts 1 at work"


def test_rollouts__with_nothing_at_work__says_so(rolled: Rollout, client: Client) -> None:
    desk = rolled.desk
    desk.finish(Change.objects.get(kind=Kind.ROLLBACK).pk, "succeeded")
    assert "Nothing is at work" in text_of(client, "/rollouts")


def test_rollouts__of_a_workspace_that_is_not_mine__are_not_listed(
    desk: Desk, sign_in: SignIn, outsider: User
) -> None:
    baking(desk)
    assert "Nothing is at work" in text_of(sign_in(outsider), "/rollouts")
