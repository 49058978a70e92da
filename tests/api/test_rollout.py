"""Staged rollouts through the API: plans, simulation, start, hold, advance, override, emergencies, measurements."""

from __future__ import annotations

from datetime import timedelta

import pytest

from endpoints.audit.models import Entry
from endpoints.changes import services
from endpoints.changes.models import Change
from endpoints.changes.terms import Terms
from endpoints.changes.verdict import Outcome
from endpoints.dispatch import db_now
from tests.api.api import Api, hash_of, seen
from tests.changes.desk import Desk
from tests.support.people import PASSWORD, make_endpoint, make_person, principal, token_for
from tests.web.rollouts import ERRORS, THROTTLED, Rollout, baking

pytestmark = pytest.mark.django_db
PLAN = {
    "candidate": "Green",
    "steps": [{"weight": 10, "bake": 600}, {"weight": 50, "bake": 600, "click": True}, {"weight": 100}],
    "terms": {"gates": [{"kind": "errors"}], "watch": 900, "warm": 24, "on_failure": "hold"},
}
ASKED = {"workspace": "mlw-prod-weu", "endpoint": "checkout-risk", "reason": "First share for risk:8."}
ENDPOINT = "/workspaces/mlw-prod-weu/endpoints/checkout-risk"


@pytest.fixture
def desk(workspace, requester, reviewer, operator) -> Desk:
    return Desk(workspace, requester, reviewer, operator)


@pytest.fixture
def rollout(desk) -> Rollout:
    return baking(desk)


def splits(body: dict) -> list[dict]:
    return [step["split"] for step in body["steps"]]


def test_plan__asked_for_by_weights__is_splits_gates_and_terms(desk, requester):
    answer = Api(requester).post("/changes", ASKED | {"plan": PLAN})

    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert splits(body) == [{"blue": 90, "green": 10}, {"blue": 50, "green": 50}, {"green": 100}]
    assert [(step["bake"], step["click"]) for step in body["steps"]] == [
        (600, False),
        (600, True),
        (0, False),
    ]
    assert (body["terms"]["watch"], body["terms"]["warm"], body["terms"]["on_failure"]) == (900, 24, "hold")
    assert [(gate["name"], gate["limit"]) for gate in body["terms"]["gates"]] == [("Errors", 0.01)]
    assert (body["rollout"]["step"], body["rollout"]["bake"], body["rollout"]["hold"]) == (0, None, None)
    assert (body["quorum"]["needed"], body["quorum"]["given"], body["quorum"]["met"]) == (1, 0, False)
    assert body["holds"] == []
    assert body["after_review"] is None


def test_plan__of_splits_with_a_mirror_step_first__is_taken_as_it_is(desk, requester):
    steps = [
        {"split": {"blue": 100}, "mirror": {"green": 20}, "bake": 600},
        {"split": {"green": 100}, "mirror": {}},
    ]

    body = Api(requester).post("/changes", ASKED | {"plan": {"steps": steps}}).json()

    assert splits(body) == [{"blue": 100}, {"green": 100}]
    assert [step["mirror"] for step in body["steps"]] == [{"green": 20}, {}]


def test_plan__out_of_a_template__has_its_steps_and_terms(desk, requester, operator):
    number = services.make_template(
        principal=principal(operator),
        workspace_id=desk.workspace.pk,
        name="Canary",
        steps=[(5, 600, False), (100, 0, True)],
        terms=Terms(watch=600),
    )

    body = Api(requester).post("/changes", ASKED | {"template": number, "candidate": "green"}).json()

    assert splits(body) == [{"blue": 95, "green": 5}, {"green": 100}]
    assert body["terms"]["watch"] == 600


def test_plan__out_of_an_ended_template__is_refused(desk, requester, operator):
    me = principal(operator)
    number = services.make_template(
        principal=me, workspace_id=desk.workspace.pk, name="Old", steps=[(100, 0, False)], terms=Terms()
    )
    services.end_template(principal=me, template_id=number)

    ended = Api(requester).post("/changes", ASKED | {"template": number, "candidate": "green"})
    unknown = Api(requester).post("/changes", ASKED | {"template": number + 999, "candidate": "green"})

    assert (ended.status_code, unknown.status_code) == (422, 422)
    assert list(ended.json()["errors"]) == list(unknown.json()["errors"]) == ["template"]
    assert not Change.objects.exists()


def test_plan__sent_again_with_its_key_when_traffic_has_moved__is_the_same_change(desk, requester):
    api, asked = Api(requester), ASKED | {"plan": PLAN}
    first = api.post("/changes", asked, Idempotency_Key="walk-1").json()
    desk.azure_shows({"blue": 80, "green": 20})

    again = api.post("/changes", asked, Idempotency_Key="walk-1")

    assert (again.status_code, again.json()["number"]) == (201, first["number"])
    assert Change.objects.count() == 1


def test_plan__edited__is_another_content(desk, requester):
    api = Api(requester)
    number = api.post("/changes", ASKED | {"plan": PLAN}).json()["number"]
    shorter = {"plan": PLAN | {"steps": [{"weight": 100, "bake": 60}]}, "reason": "At once."}

    answer = api.send("PUT", f"/changes/{number}", shorter, **seen(number))

    assert (answer.status_code, answer.json()["revision"]) == (200, 2)
    assert splits(answer.json()) == [{"green": 100}]


def test_simulation__of_a_draft_and_of_the_change__say_the_same_and_store_nothing(desk, requester, auditor):
    drafted = Api(auditor).post(f"{ENDPOINT}/forecast", {"plan": PLAN})

    assert drafted.status_code == 200, drafted.json()
    assert not Change.objects.exists()
    assert [step["minutes"] for step in drafted.json()["steps"]] == [10, 10, 15]
    assert drafted.json()["seconds"] == 2100

    number = Api(requester).post("/changes", ASKED | {"plan": PLAN}).json()["number"]
    asked = Api(auditor).get(f"/changes/{number}/forecast").json()
    assert asked["steps"] == drafted.json()["steps"]


def test_simulation__of_what_could_be_no_plan__names_what_is_wrong(desk, requester):
    answer = Api(requester).post(f"{ENDPOINT}/forecast", {"split": {"purple": 100}})

    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["split"])


def test_start__scheduled_and_called_off__stays_approved(desk, operator):
    number = desk.approve(desk.request())
    api, at = Api(operator), db_now() + timedelta(hours=2)

    set_ = api.post(f"/changes/{number}/schedule", {"start_at": at.isoformat()}, **seen(number))
    assert (set_.status_code, set_.json()["state"]) == (200, "scheduled"), set_.json()
    assert set_.json()["rollout"]["start_at"].startswith(f"{at:%Y-%m-%dT%H:%M}")
    assert set_.json()["rollout"]["scheduled_by"]["ref"] == f"user:{operator.pk}"

    off = api.post(f"/changes/{number}/unschedule")
    assert (off.status_code, off.json()["state"], off.json()["rollout"]["start_at"]) == (
        200,
        "approved",
        None,
    )
    assert api.post(f"/changes/{number}/unschedule").status_code == 409


@pytest.mark.parametrize(
    ("start_at", "status"), [("2020-01-01T00:00:00Z", 422), ("2026-11-26T06:00:00", 422), (7, 422)]
)
def test_start__scheduled_for_no_time_to_come__is_refused(start_at, status, desk, operator):
    number = desk.approve(desk.request())

    answer = Api(operator).post(f"/changes/{number}/schedule", {"start_at": start_at}, **seen(number))

    assert (answer.status_code, list(answer.json()["errors"])) == (status, ["start_at"])
    assert desk.change(number).state == "approved"


def test_schedule__without_the_content_that_was_seen__is_not_stored(desk, operator):
    number = desk.approve(desk.request())

    answer = Api(operator).post(f"/changes/{number}/schedule", {"start_at": "2026-11-26T06:00:00Z"})

    assert answer.status_code == 428
    assert desk.change(number).state == "approved"


def test_rollout__held_and_resumed__says_by_whom_and_goes_on(rollout, operator):
    api, at = Api(operator), f"/changes/{rollout.number}"

    held = api.post(f"{at}/hold", {"reason": "I want to look."})
    assert (held.status_code, held.json()["state"], held.json()["rollout"]["hold"]) == (200, "held", "person")
    assert {"kind": "hold", "text": "I want to look."}.items() <= held.json()["said"][-1].items()

    on = api.post(f"{at}/resume")
    assert (on.status_code, on.json()["state"], on.json()["rollout"]["hold"]) == (200, "baking", None)
    assert api.post(f"{at}/resume").status_code == 409


def test_rollout__advanced_before_gates_pass__stays_where_it_is(rollout, operator):
    answer = Api(operator).post(f"/changes/{rollout.number}/advance", {"seen_step": 0})

    assert answer.status_code == 409
    assert "No gate was measured yet" in answer.json()["detail"]
    assert rollout.change.step == 0


def test_rollout__advanced_past_passing_gates__goes_to_the_next_step_once(rollout, operator):
    rollout.gates_say(Outcome.PASS)
    api = Api(operator)

    answer = api.post(f"/changes/{rollout.number}/advance", {"seen_step": 0})
    again = api.post(f"/changes/{rollout.number}/advance", {"seen_step": 0})

    assert (answer.status_code, answer.json()["rollout"]["step"]) == (202, 1)
    assert again.status_code == 409
    assert rollout.change.step == 1


def test_gate__overridden_by_name__is_told_with_who_and_why(rollout, operator):
    rollout.measured(ERRORS, Outcome.FAIL, value=0.05, requests=400.0)
    at = f"/changes/{rollout.number}/override"

    answer = Api(operator).post(at, {"gate": "Errors", "seen_step": 0, "reason": "The caller's own fault."})

    assert answer.status_code == 200, answer.json()
    gate = next(one for one in answer.json()["rollout"]["gates"] if one["name"] == "Errors")
    assert (gate["outcome"], gate["value"], gate["overridden_by"]["ref"]) == (
        "fail",
        0.05,
        f"user:{operator.pk}",
    )
    assert answer.json()["rollout"]["overrides"][0]["reason"] == "The caller's own fault."


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"gate": "No such", "seen_step": 0, "reason": "x"}, 422),
        ({"gate": "Errors", "seen_step": 1, "reason": "x"}, 409),
        ({"gate": "Errors", "seen_step": 0, "reason": " "}, 422),
        ({"gate": "Errors", "reason": "x"}, 422),
    ],
)
def test_override__of_no_gate_no_step_or_without_words__is_not_stored(body, status, rollout, operator):
    answer = Api(operator).post(f"/changes/{rollout.number}/override", body)

    assert answer.status_code == status
    assert not rollout.change.overrides.exists()


def test_override__by_a_reviewer__is_refused_and_on_record(rollout, reviewer):
    at = f"/changes/{rollout.number}/override"

    answer = Api(reviewer).post(at, {"gate": "Errors", "seen_step": 0, "reason": "x"})

    assert answer.status_code == 403
    assert Entry.objects.get(action="order.refused").subject == f"change:{rollout.number}"


def test_measurements__more_than_a_page__go_on_at_next(rollout, auditor):
    rollout.measured(ERRORS, Outcome.PASS, ago=2, value=0.0, requests=300.0)
    rollout.measured(ERRORS, Outcome.INCONCLUSIVE, ago=1)
    rollout.measured(THROTTLED, Outcome.PASS, value=0.001, requests=300.0)
    api = Api(auditor)

    first = api.get(f"/changes/{rollout.number}/measurements?limit=2").json()
    second = api.get(first["next"].removeprefix("/api/v1")).json()

    items = first["items"] + second["items"]
    assert [item["gate"] for item in items] == ["Throttled requests", "Errors", "Errors"]
    assert items[1]["value"] is None
    assert items[1]["outcome"] == "inconclusive"
    assert second["next"] is None


def test_measurements__of_another_workspace__are_not_found(rollout, outsider):
    assert Api(outsider).get(f"/changes/{rollout.number}/measurements").status_code == 404
    assert Api(outsider).get(f"/changes/{rollout.number}/forecast").status_code == 404


def test_emergency__by_a_session_with_its_password__starts_and_is_reviewed(desk, reviewer, operator):
    number = desk.request()
    glass = {"reason": "Fraud is through.", "password": PASSWORD}

    started = Api(operator).post(f"/changes/{number}/break-glass", glass, **seen(number))
    assert (started.status_code, started.json()["state"]) == (202, "applying"), started.json()
    assert started.json()["rollout"]["emergency"] is True
    assert started.json()["after_review"]["sound"] is None

    waiting = Api(reviewer).get("/after-reviews").json()
    assert [item["number"] for item in waiting["items"]] == [number]

    judged = Api(reviewer).post(
        f"/changes/{number}/after-review", {"sound": False, "words": "It could have waited."}
    )
    assert (judged.status_code, judged.json()["after_review"]["sound"]) == (200, False)
    assert Api(reviewer).get("/after-reviews").json()["items"] == []


@pytest.mark.parametrize("road", ["token", "wrong password"])
def test_emergency__by_a_token_or_without_the_password__starts_nothing(road, desk, operator):
    number = desk.request()
    scopes = ("read", "change", "approve", "rollback", "audit", "admin")
    api = Api(token=token_for(operator, *scopes)) if road == "token" else Api(operator)
    glass = {"reason": "Now.", "password": PASSWORD if road == "token" else "not the pass phrase"}

    answer = api.post(f"/changes/{number}/break-glass", glass, **seen(number))

    assert answer.status_code == 403
    if road == "token":
        assert "An API token cannot start a change that nobody approved" in answer.json()["detail"]
    assert desk.change(number).state == "in_review"


def test_emergency__judged_by_who_started_it__is_refused(desk, workspace):
    both = make_person("olga", {workspace.slug: ["operator", "reviewer"]})
    number = desk.request()
    glass = {"reason": "Now.", "password": PASSWORD}
    Api(both).post(f"/changes/{number}/break-glass", glass, **seen(number))

    answer = Api(both).post(f"/changes/{number}/after-review", {"sound": True, "words": "Fine."})

    assert answer.status_code == 403
    assert desk.change(number).after_review.sound is None


def test_comment__on_an_ended_change__is_kept_with_its_author(desk, supervisor):
    number = desk.request()
    desk.reject(number)

    answer = Api(supervisor).post(f"/changes/{number}/comments", {"text": "See case 7."})

    assert answer.status_code == 201
    assert {"kind": "comment", "text": "See case 7."}.items() <= answer.json()["said"][-1].items()


def test_approval__of_two_that_are_needed__says_who_is_missing(desk, admin, reviewer):
    services.propose_rule(
        principal=principal(admin),
        workspace_id=desk.workspace.pk,
        draft=services.RuleDraft("Two for all", required=2),
        reason="Always.",
    )
    number = desk.request()

    answer = Api(reviewer).post(
        f"/changes/{number}/approve", {"accept": desk.warnings(number)}, **seen(number)
    )

    assert (answer.status_code, answer.json()["state"]) == (200, "in_review")
    assert answer.json()["quorum"]["missing"] == ["The rule “Two for all” needs one more approval."]


def test_approval__without_a_warning_that_must_be_accepted__names_it(desk, reviewer):
    number = desk.request(endpoint_id=make_endpoint(desk.workspace, "never-measured").pk)
    named = desk.warnings(number)
    told = Api(reviewer).get(f"/changes/{number}").json()["checks"]
    assert sorted(check["name"] for check in told if check["needs_acceptance"]) == sorted(named)
    assert named

    without = Api(reviewer).post(f"/changes/{number}/approve", {}, **seen(number))
    with_all = Api(reviewer).post(
        f"/changes/{number}/approve", {"accept": named}, If_Match=f'"{hash_of(number)}"'
    )

    assert without.status_code == 409
    assert named[0] in without.json()["detail"]
    assert with_all.status_code == 200, with_all.json()
    assert with_all.json()["decisions"][0]["accepted"] == sorted(named)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({}, "split"),
        ({"split": {"green": 100}, "plan": PLAN}, "split"),
        ({"template": 1}, "candidate"),
        ({"plan": PLAN, "mirror": {"green": 10}}, "mirror"),
        ({"plan": {"steps": []}}, "plan.steps"),
        ({"plan": {"steps": [{"weight": 10}]}}, "plan.candidate"),
        ({"plan": {"steps": [{"bake": 60}]}}, "plan.steps.0.split"),
        ({"plan": PLAN | {"candidate": "purple"}}, "split"),
        ({"plan": PLAN | {"steps": [{"weight": 101}]}}, "plan.steps.0.weight"),
        ({"plan": PLAN | {"steps": [{"weight": 10, "bake": -1}]}}, "plan.steps.0.bake"),
        ({"plan": PLAN | {"steps": [{"weight": 10, "click": 1}]}}, "plan.steps.0.click"),
        ({"plan": PLAN | {"steps": [{"weight": 10}, {"weight": 10}]}}, "split"),
        ({"plan": PLAN | {"steps": [{"weight": 10}] * 21}}, "plan.steps"),
        ({"plan": PLAN | {"terms": {"on_failure": "shrug"}}}, "plan.terms.on_failure"),
        ({"plan": PLAN | {"terms": {"longest": 60}}}, "plan"),
        (
            {"plan": PLAN | {"terms": {"gates": [{"kind": "errors", "limit": "1"}]}}},
            "plan.terms.gates.0.limit",
        ),
        ({"plan": PLAN | {"terms": {"gates": [{"kind": "errors", "limit": 1}]}}}, "plan.terms.gates.0"),
        ({"plan": PLAN | {"terms": {"gates": [{"kind": "figure"}]}}}, "plan.terms.gates.0"),
    ],
)
def test_plan__that_can_not_be_walked__is_refused_by_field(wanted, field, desk, requester):
    answer = Api(requester).post("/changes", ASKED | wanted)

    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert not Change.objects.exists()
