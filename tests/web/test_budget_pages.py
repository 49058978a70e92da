"""The budget of an endpoint: proposing and deciding by form, with what went wrong beside its cause."""

from __future__ import annotations

import pytest

from endpoints.access.models import User
from endpoints.audit.models import Entry
from endpoints.metrics.models import Budget
from endpoints.metrics.selectors import budget_at, open_proposal
from tests.support.people import INSTALLATION, make_person
from tests.web.conftest import SignIn, Stage
from tests.web.reading import read, words

PROPOSED = {"do": "propose", "p95_ms": "250", "failure_percent": "1,5", "reason": "Callers wait that long"}


def test_proposal__by_form__waits_and_is_shown_with_who_may_decide(
    sign_in: SignIn, operator: User, asked: Stage
) -> None:
    client = sign_in(operator)
    answer = client.post(f"{asked.home}budget", PROPOSED)
    assert (answer.status_code, answer["Location"]) == (302, f"{asked.home}budget")
    page = words(read(client.get(f"{asked.home}budget").content).one("main").text)
    assert "Proposed. It counts once somebody who may decide has accepted it" in page
    assert "p95 at most 250 ms, failures at most 1.5 %" in page
    assert "Needs the role platform administrator" in page
    card = words(read(client.get(asked.home).content).one("section", aria_labelledby="budget-title").text)
    assert "None is set" in card
    assert "Proposed: p95 at most 250 ms" in card


def test_proposal__accepted_by_an_administrator__is_in_force_and_recorded(
    sign_in: SignIn, operator: User, admin: User, asked: Stage
) -> None:
    sign_in(operator).post(f"{asked.home}budget", PROPOSED)
    waiting = open_proposal(asked.endpoint.pk)
    assert waiting is not None
    client = sign_in(admin)
    page = read(client.get(f"{asked.home}budget").content)
    assert page.one("input", type="hidden", name="proposal").attributes["value"] == str(waiting.id)
    client.post(f"{asked.home}budget", {"do": "accept", "proposal": waiting.id})
    row = budget_at(asked.endpoint.pk)
    assert row is not None
    assert (row.p95_ms, row.failure_share, row.confirmed_by) == (250, 0.015, f"user:{admin.pk}")
    assert Entry.objects.filter(action="budget.set").count() == 1
    card = words(
        read(sign_in(operator).get(asked.home).content).one("section", aria_labelledby="budget-title").text
    )
    assert "p95 at most 250 ms" in card
    assert "Set by Omar, confirmed by Ada" in card


def test_looser_budget__of_the_only_administrator__waits_for_another_person(
    sign_in: SignIn, admin: User, asked: Stage
) -> None:
    client = sign_in(admin)
    client.post(f"{asked.home}budget", PROPOSED)
    assert budget_at(asked.endpoint.pk) is not None, "a first one counts at once"
    client.post(f"{asked.home}budget", PROPOSED | {"p95_ms": "400"})
    waiting = open_proposal(asked.endpoint.pk)
    assert waiting is not None
    assert client.post(f"{asked.home}budget", {"do": "accept", "proposal": waiting.id}).status_code == 403
    other = make_person("abe", {INSTALLATION: ["admin"]})
    sign_in(other).post(
        f"{asked.home}budget", {"do": "reject", "proposal": waiting.id, "comment": "Too slow"}
    )
    row = budget_at(asked.endpoint.pk)
    assert row is not None
    assert row.p95_ms == 250
    assert open_proposal(asked.endpoint.pk) is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"p95_ms": "fast"}, "“fast” is not a number."),
        ({"p95_ms": "-4"}, "A latency limit is above 0"),
        ({"p95_ms": "nan"}, "A latency limit is above 0"),
        ({"failure_percent": "101"}, "A share of failures is from 0 to 1."),
        ({"reason": " "}, "Say why"),
        ({"do": "explode"}, "The form did not say what to do."),
    ],
)
def test_proposal__that_makes_no_sense__is_kept_in_the_form_and_not_made(
    sign_in: SignIn, operator: User, asked: Stage, wrong: dict[str, str], said: str
) -> None:
    answer = sign_in(operator).post(f"{asked.home}budget", PROPOSED | wrong)
    assert answer.status_code == 422
    page = read(answer.content)
    assert said in words(page.one("main").text)
    assert "Nothing was changed." in words(page.one("main").text)
    assert page.one("input", id="f-p95_ms").attributes["value"] == (PROPOSED | wrong)["p95_ms"]
    assert open_proposal(asked.endpoint.pk) is None


def test_proposal__by_somebody_who_may_not__is_refused_with_the_reason(
    sign_in: SignIn, requester: User, asked: Stage
) -> None:
    client = sign_in(requester)
    page = words(read(client.get(f"{asked.home}budget").content).one("main").text)
    assert "Needs the role" in page
    assert "Propose this budget" not in page
    assert client.post(f"{asked.home}budget", PROPOSED).status_code == 403
    assert not Budget.objects.exists()


def test_decision__on_a_proposal_that_is_gone__decides_nothing(
    sign_in: SignIn, operator: User, admin: User, asked: Stage
) -> None:
    client = sign_in(operator)
    client.post(f"{asked.home}budget", PROPOSED)
    waiting = open_proposal(asked.endpoint.pk)
    assert waiting is not None
    client.post(f"{asked.home}budget", {"do": "withdraw", "proposal": waiting.id})
    answer = sign_in(admin).post(f"{asked.home}budget", {"do": "accept", "proposal": waiting.id})
    assert answer.status_code == 409
    assert "waits no longer" in words(read(answer.content).one("main").text)
    assert not Budget.objects.exists()
