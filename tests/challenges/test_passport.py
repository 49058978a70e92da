"""Passports of records on real rows: the split and build of the moment, what was known then, figures and approval."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from endpoints.access.models import User, Workspace
from endpoints.audit.canonical import canonical
from endpoints.challenges.facts import Fact, Passport, Sure
from endpoints.challenges.facts_json import document, from_document
from endpoints.challenges.models import Policy
from endpoints.challenges.recorded import Source
from endpoints.challenges.selectors.passport import passport_at, passport_of
from endpoints.changes.models import Change
from endpoints.core.errors import NotFound
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint, EndpointRevision
from endpoints.metrics.services import write_minutes
from tests.challenges.past import Past
from tests.changes.desk import Desk
from tests.metrics.storing import row

pytestmark = pytest.mark.django_db


@pytest.fixture
def past(workspace: Workspace) -> Past:
    """All on blue until minute 60, then all on green; switched between two readings at 59 and 61."""
    made = Past(workspace)
    made.split({"blue": 100}, earliest=None, latest=0)
    made.split({"green": 100, "blue": 0}, earliest=59, latest=61, cause="drift")
    made.deployment("blue", 7)
    made.deployment("Green", 8)
    made.read(1, 59, 62, 119)
    return made


def fact(made: Passport, name: str) -> Fact:
    found = made.fact(name)
    assert found is not None
    return found


def value(made: Passport, name: str) -> Any:
    return fact(made, name).value


def test_passport__of_a_request_before_a_switch__has_the_build_of_that_time(past: Past) -> None:
    made = passport_of(past.request(30, status=200, duration_ms=1094.0))
    assert made.verdict == "blue answered, with risk:7, certain."
    assert [value(made, name) for name in ("environment", "code", "instance_type", "status", "duration")] == [
        "sklearn:3", "scoring:7", "Standard_DS3_v2", 200, "1094",
    ]  # fmt: skip
    assert (value(made, "split"), value(made, "mirror")) == ({"blue": 100}, {})
    assert fact(made, "since").sure is Sure.ONE_OF
    assert fact(made, "approval").sure is Sure.UNKNOWN


@pytest.mark.parametrize(("minute", "sure"), [(59, Sure.CERTAIN), (60, Sure.ONE_OF), (61, Sure.CERTAIN)])
def test_passport__around_a_switch__is_one_of_two_only_between_the_readings(
    past: Past, minute: float, sure: Sure
) -> None:
    assert passport_of(past.request(minute)).sure is sure


def test_passport__within_a_switch_with_the_log__is_certain(past: Past) -> None:
    made = passport_of(past.request(60, source=Source.LOG, deployment="green"))
    assert (made.sure, made.verdict) == (Sure.CERTAIN, "Green answered, with risk:8, certain.")
    assert fact(made, "split").sure is Sure.ONE_OF
    assert fact(made, "approval").sure is Sure.UNKNOWN


def test_passport__after_the_last_reading__cannot_say_and_says_since_when(past: Past) -> None:
    made = passport_of(past.request(130))
    assert made.sure is Sure.UNKNOWN
    assert f"Azure was last read at {past.at(119):%Y-%m-%d %H:%M:%S} UTC, before that" in made.verdict


def test_passport__before_the_first_reading__cannot_say(past: Past) -> None:
    made = passport_at(past.endpoint.pk, past.at(-5))
    assert made.sure is Sure.UNKNOWN
    assert "The portal first read the endpoint at" in made.verdict


def test_passport__of_a_state_in_which_only_tags_were_changing__is_certain(past: Past) -> None:
    past.split({"green": 100}, earliest=80, latest=82, tags={"owner": "fraud"})
    made = passport_of(past.request(81))
    assert (made.sure, value(made, "split")) == (Sure.CERTAIN, {"green": 100})
    span = value(made, "since")
    assert span["to"].startswith(f"{past.at(61):%Y-%m-%dT%H:%M:%S}")
    assert value(made, "approval") == {"change": None, "approved_by": []}
    assert "outside the portal" in fact(made, "approval").reason


def test_split__that_hundreds_of_later_states_kept__is_traced_to_the_one_that_brought_it(past: Past) -> None:
    for number in range(230):
        minute = 62 + number / 10
        past.split({"green": 100}, earliest=minute, latest=minute + 0.05, tags={"n": str(number)})
    past.split({"blue": 100}, earliest=110, latest=111)
    made = passport_of(past.request(86))
    assert value(made, "since")["to"].startswith(f"{past.at(61):%Y-%m-%dT%H:%M:%S}")
    assert value(made, "until").startswith(f"{past.at(111):%Y-%m-%dT%H:%M:%S}")
    early = passport_of(past.request(63))
    assert value(early, "until") == value(made, "until")


def test_passport__of_a_name_that_was_given_twice__has_the_one_of_that_time(past: Past) -> None:
    first = past.deployment("violet", 1, latest=5, earliest=4)
    past.built(first, 1, earliest=20, latest=21, deleted=True)
    past.deployment("violet", 2, latest=40, earliest=39, created=39.5)
    early = passport_of(past.request(10, source=Source.LOG, deployment="violet"))
    late = passport_of(past.request(50, source=Source.LOG, deployment="violet"))
    gone = passport_of(past.request(30, source=Source.LOG, deployment="violet"))
    assert (value(early, "model"), value(late, "model")) == ("risk:1", "risk:2")
    assert fact(early, "deployment").ref != fact(late, "deployment").ref
    assert "another deployment had the name at other times" in fact(late, "deployment").reason
    assert (gone.sure, value(gone, "model")) == (Sure.UNKNOWN, None)


def test_passport__as_known_then__uses_no_later_knowledge_and_lists_what_it_corrects(past: Past) -> None:
    past.split({"violet": 100}, earliest=90, latest=91, known=200)
    past.deployment("violet", 9, latest=85, earliest=84)
    record = past.request(100)
    then = passport_of(record, known=past.at(150))
    now = passport_of(record)
    # The record itself came in when the test ran, after all that.
    assert fact(then, "status").reason == "There is no record of this request."
    assert then.verdict == "Green answered, with risk:8, certain."
    assert now.verdict == "violet answered, with risk:9, certain."
    assert "Deployment that answered: Green then, violet now." in then.corrections
    assert "Model and version: risk:8 then, risk:9 now." in then.corrections
    assert (then.known, now.known, now.corrections) == (past.at(150), None, ())


def test_passport__as_known_at_the_end__corrects_nothing(past: Past) -> None:
    record = past.request(100)
    assert passport_of(record, known=db_now()).corrections == ()


def test_readings__far_apart__come_with_a_word(past: Past) -> None:
    found = fact(passport_of(past.request(30)), "readings")
    assert found.value["after"].startswith(f"{past.at(59):%Y-%m-%dT%H:%M:%S}")
    assert (
        found.reason
        == "They are 57 min apart. A split that came and went between them would have left no trace."
    )


def test_readings__that_could_not_read_the_endpoint__do_not_count(past: Past) -> None:
    past.read(30.5, unreadable=True)
    found = fact(passport_of(past.request(30)), "readings")
    assert found.value["after"].startswith(f"{past.at(59):%Y-%m-%dT%H:%M:%S}")


@pytest.mark.parametrize(
    ("outcome", "told", "sure"),
    [
        ("read", "read, without the request", Sure.CERTAIN),
        ("off", "not exported", Sure.CERTAIN),
        ("failed", None, Sure.UNKNOWN),
    ],
)
def test_log__of_that_time__is_said_how_it_was_read(
    past: Past, outcome: str, told: str | None, sure: Sure
) -> None:
    past.log(0, 60, outcome, "The workspace refuses it.")
    found = fact(passport_of(past.request(30)), "log")
    assert (found.value, found.sure) == (told, sure)


def test_log__that_nobody_asked_for__is_unknown(past: Past) -> None:
    found = fact(passport_of(past.request(30)), "log")
    assert (found.value, found.sure) == (None, Sure.UNKNOWN)
    assert found.reason == "It was not read. The log of this time was never read."


def test_health__of_the_minute__is_exact(past: Past) -> None:
    blue = past.endpoint.deployments.get(name="blue").pk
    known = {"requests": 120.0, "status_5xx": 3.0, "model_errors": 0.0, "status_429": 0.0, "p95": 181.5}
    write_minutes([row(blue, past.at(30), **known)])
    made = passport_of(past.request(30.5))
    assert [value(made, name) for name in ("requests", "errors", "error_share", "p95", "throttled")] == [
        "120", "3", "0.025", "181.5", "0",
    ]  # fmt: skip
    assert fact(made, "budget_p95").reason == "There was none."


def test_health__that_nobody_knows__is_not_zero(past: Past) -> None:
    made = passport_of(past.request(30))
    for name in ("requests", "errors", "p95"):
        assert (value(made, name), fact(made, name).sure) == (None, Sure.UNKNOWN)


def test_bypass__of_requests_at_a_deployment_without_weight__is_an_estimate_with_a_bound(past: Past) -> None:
    ids = {one.name_key: one.pk for one in past.endpoint.deployments.all()}
    minutes = [past.at(minute) for minute in range(5, 55)]
    write_minutes(row(ids["blue"], minute, requests=90.0) for minute in minutes)
    write_minutes(row(ids["green"], minute, requests=10.0) for minute in minutes)
    found = fact(passport_of(past.request(30)), "bypass")
    assert found.sure is Sure.ESTIMATE
    assert found.value == {"share": "0.1", "at_least": "0.1", "requests": 5000, "proven": 500}


def test_confidence__has_its_place_among_that_days_of_the_same_model(past: Past) -> None:
    for number in range(40):
        past.request(20 + number / 10, deployment="blue", confidence=0.5 + number / 100)
    past.request(70, deployment="green", confidence=0.1)
    made = passport_of(past.request(30, deployment="blue", confidence=0.605))
    assert value(made, "confidence") == "0.605"
    assert value(made, "confidence_place") == {"percentile": 28, "of": 40}


def test_confidence__of_few_others__has_no_place(past: Past) -> None:
    made = passport_of(past.request(30, deployment="blue", confidence=0.6))
    assert (value(made, "confidence_place"), fact(made, "confidence_place").sure) == (None, Sure.UNKNOWN)


def test_band__of_the_policy_of_that_time__says_what_wants_review(past: Past) -> None:
    Policy.objects.create(workspace=past.workspace, band=0.7, since=past.at(0), set_by="user:1")
    made = passport_of(past.request(30, confidence=0.62))
    assert (value(made, "band"), fact(made, "band").reason) == (True, "The limit was 0.7.")


def test_approval__names_who_wrote_approved_and_started_the_change(
    workspace: Workspace, requester: User, reviewer: User, operator: User
) -> None:
    desk = Desk(workspace, requester, reviewer, operator)
    number = desk.start(desk.approve(desk.request({"green": 100})))
    begun = Change.objects.get(pk=number).started_at
    assert begun is not None
    newest = EndpointRevision.objects.filter(endpoint=desk.endpoint_id).latest("pk")
    at = db_now() + timedelta(seconds=1)
    EndpointRevision.objects.create(
        endpoint_id=desk.endpoint_id,
        earliest=begun,
        latest=at,
        known_at=at,
        state_hash="1" * 64,
        state=newest.state | {"traffic": {"green": 100}},
        cause=f"change:{number}",
    )
    Endpoint.objects.filter(pk=desk.endpoint_id).update(last_read_began=at + timedelta(minutes=2))
    made = passport_at(desk.endpoint_id, at + timedelta(minutes=1))
    assert value(made, "split") == {"green": 100}
    said = value(made, "approval")
    assert (said["change"], said["author"], said["started_by"]) == (
        number,
        f"user:{requester.pk}",
        f"user:{operator.pk}",
    )
    assert [one["who"] for one in said["approved_by"]] == [f"user:{reviewer.pk}"]
    assert fact(made, "approval").ref == f"change:{number}"


def test_completeness__counts_what_is_not_known_and_names_it(past: Past) -> None:
    found = value(passport_of(past.request(30, status=200)), "completeness")
    assert found["known"] + len(found["missing"]) == found["of"] == 14
    assert "Version of the calling application" in found["missing"]
    assert "Deployment that answered" not in found["missing"]


def test_document__of_a_passport__is_canonical_and_read_back_the_same(past: Past) -> None:
    record = past.request(
        30, deployment="blue", confidence=0.62, scores={"fraud": 0.62}, fingerprint=b"\x01" * 32
    )
    for made in (
        passport_of(record),
        passport_of(record, known=past.at(90)),
        passport_at(past.endpoint.pk, past.at(60)),
    ):
        kept = canonical(document(made))
        again = from_document(json.loads(kept))
        assert canonical(document(again)) == kept
        assert (again.verdict, again.corrections) == (made.verdict, made.corrections)


def test_passport__of_no_endpoint__is_not_found(past: Past) -> None:
    with pytest.raises(NotFound):
        passport_at(past.endpoint.pk + 1_000_000, past.at(30))
