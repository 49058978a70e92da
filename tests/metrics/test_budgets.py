"""Latency budgets: what loosens one, who sets it alone, who has to agree, and what the ledger keeps of it."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from endpoints.access.models import User
from endpoints.audit.models import Entry
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from endpoints.metrics.budgets import Effect, Limits, checked, describe, effect, is_over, is_tight
from endpoints.metrics.models import Budget, BudgetProposal
from endpoints.metrics.selectors import (
    budget_at,
    budget_history,
    budgets_at,
    budgets_between,
    open_proposal,
    open_proposals,
)
from endpoints.metrics.services import Proposed, decide_budget, propose_budget, withdraw_budget
from tests.metrics.budgeting import budget_since
from tests.support.people import INSTALLATION, make_endpoint, make_person, principal

LIMIT = some.none() | some.floats(0.1, 1000)
LIMITS = some.builds(Limits, LIMIT, LIMIT)


@pytest.fixture
def endpoint(workspace: Any) -> Endpoint:
    return make_endpoint(workspace)


@pytest.fixture
def other_admin(db: None) -> User:
    return make_person("adam", {INSTALLATION: ["admin"]})


def propose(user: User, endpoint: Endpoint, p95: float | None = 250, share: float | None = 0.01) -> Proposed:
    return propose_budget(
        principal=principal(user),
        endpoint_id=endpoint.pk,
        p95_ms=p95,
        failure_share=share,
        reason="We promised it.",
    )


def decide(user: User, endpoint: Endpoint, proposal_id: int, *, accept: bool = True) -> None:
    decide_budget(
        principal=principal(user),
        endpoint_id=endpoint.pk,
        proposal_id=proposal_id,
        accept=accept,
        comment="Seen.",
    )


def in_force(endpoint: Endpoint) -> Limits | None:
    row = budget_at(endpoint.pk)
    return row.limits if row else None


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (None, Limits(250), Effect.FIRST),
        (Limits(), Limits(250, 0.01), Effect.FIRST),
        (Limits(250), Limits(200), Effect.TIGHTER),
        (Limits(250), Limits(250, 0.01), Effect.TIGHTER),
        (Limits(250), Limits(300), Effect.LOOSER),
        (Limits(250, 0.01), Limits(200, 0.02), Effect.LOOSER),
        (Limits(250, 0.01), Limits(250), Effect.LOOSER),
        (Limits(250), Limits(), Effect.LOOSER),
        (Limits(250, 0.01), Limits(250.0, 0.01), Effect.SAME),
        (None, Limits(), Effect.SAME),
    ],
)
def test_effect__of_new_limits__is_as_designed(before: Limits | None, after: Limits, found: Effect) -> None:
    assert effect(before, after) is found


@given(LIMITS, LIMITS)
def test_effect__there_and_back__is_looser_on_one_way_at_least(one: Limits, other: Limits) -> None:
    ways = [effect(one, other), effect(other, one)]
    assert (Effect.LOOSER in ways) is (ways != [Effect.SAME, Effect.SAME])


@given(LIMITS, LIMITS, some.floats(0, 2000), some.floats(0, 2000))
def test_effect__not_looser__lets_nothing_pass_that_was_over(
    one: Limits, other: Limits, latency: float, share: float
) -> None:
    if effect(one, other) is not Effect.LOOSER:
        for value, before, after in (
            (latency, one.p95_ms, other.p95_ms),
            (share, one.failure_share, other.failure_share),
        ):
            if is_over(value, before):
                assert is_over(value, after)


def test_value__or_limit_unknown__is_neither_over_nor_within() -> None:
    assert (is_over(None, 250), is_over(300, None), is_over(250, 250), is_over(250.1, 250)) == (
        None,
        None,
        False,
        True,
    )
    assert [is_tight(value, 250) for value in (None, 199, 200, 250, 251)] == [False, False, True, True, False]


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        (Limits(0), "p95_ms"),
        (Limits(-1), "p95_ms"),
        (Limits(float("nan")), "p95_ms"),
        (Limits(float("inf")), "p95_ms"),
        (Limits(None, 1.5), "failure_share"),
        (Limits(None, float("nan")), "failure_share"),
    ],
)
def test_limits__that_can_not_be__are_refused_by_field(limits: Limits, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked(limits)
    assert list(caught.value.fields) == [field]


def test_limits__in_words__say_what_there_is() -> None:
    assert describe(Limits(250, 0.005)) == "p95 at most 250\u00a0ms, failures at most 0.5\u00a0%"
    assert describe(Limits()) == "no limit"


def test_first_budget__by_an_administrator__counts_at_once(endpoint: Endpoint, admin: User) -> None:
    made = propose(admin, endpoint)
    assert (made.effect, made.in_force) == (Effect.FIRST, True)
    row = budget_at(endpoint.pk)
    assert row is not None
    assert (row.limits, row.set_by, row.confirmed_by) == (Limits(250, 0.01), f"user:{admin.pk}", "")
    assert row.reason == "We promised it."
    assert open_proposal(endpoint.pk) is None


def test_first_budget__by_a_reviewer__waits_for_an_administrator(
    endpoint: Endpoint, reviewer: User, admin: User
) -> None:
    made = propose(reviewer, endpoint)
    assert (made.in_force, in_force(endpoint)) == (False, None)
    waiting = open_proposal(endpoint.pk)
    assert waiting is not None
    assert (waiting.id, waiting.proposed_by) == (made.proposal_id, f"user:{reviewer.pk}")
    decide(admin, endpoint, made.proposal_id)
    row = budget_at(endpoint.pk)
    assert row is not None
    assert (row.set_by, row.confirmed_by) == (f"user:{reviewer.pk}", f"user:{admin.pk}")
    assert open_proposals([endpoint.pk]) == {}


def test_looser_budget__by_an_administrator__needs_another_one(
    endpoint: Endpoint, admin: User, other_admin: User
) -> None:
    propose(admin, endpoint)
    made = propose(admin, endpoint, 400)
    assert (made.effect, made.in_force) == (Effect.LOOSER, False)
    with pytest.raises(Refused, match="You wrote this proposal"):
        decide(admin, endpoint, made.proposal_id)
    assert in_force(endpoint) == Limits(250, 0.01)
    decide(other_admin, endpoint, made.proposal_id)
    assert in_force(endpoint) == Limits(400, 0.01)


def test_looser_budget__by_the_second_account_of_its_proposer__is_refused(
    endpoint: Endpoint, admin: User
) -> None:
    other = make_person("ada2", {INSTALLATION: ["admin"]})
    propose(admin, endpoint)
    made = propose(admin, endpoint, 400)
    both = principal(other)
    with pytest.raises(Refused, match="You wrote this proposal"):
        decide_budget(
            principal=_as_same_person(both, admin),
            endpoint_id=endpoint.pk,
            proposal_id=made.proposal_id,
            accept=True,
        )
    assert in_force(endpoint) == Limits(250, 0.01)


def _as_same_person(asks: Any, user: User) -> Any:
    return dataclasses.replace(asks, same_person=frozenset({asks.user_id, user.pk}))


def test_budget__tightened_by_an_administrator__counts_at_once_and_leaves_others_proposals(
    endpoint: Endpoint, admin: User, operator: User
) -> None:
    propose(admin, endpoint)
    waiting = propose(operator, endpoint, 400)
    assert propose(admin, endpoint, 200).in_force
    assert in_force(endpoint) == Limits(200, 0.01)
    left = open_proposal(endpoint.pk)
    assert left is not None
    assert left.id == waiting.proposal_id


def test_budget__withdrawn_altogether__is_a_looser_one_and_then_there_is_none(
    endpoint: Endpoint, admin: User, reviewer: User
) -> None:
    propose(admin, endpoint)
    made = propose(reviewer, endpoint, None, None)
    assert made.effect is Effect.LOOSER
    decide(admin, endpoint, made.proposal_id)
    assert in_force(endpoint) is None
    assert budgets_at([endpoint.pk]) == {}
    assert [row.limits for row in budget_history(endpoint.pk)] == [Limits(), Limits(250, 0.01)]
    assert propose(admin, endpoint, 900).effect is Effect.FIRST


def test_proposal__while_another_persons_waits__is_refused_in_words(
    endpoint: Endpoint, reviewer: User, operator: User
) -> None:
    propose(reviewer, endpoint)
    with pytest.raises(Conflict, match=r"p95 at most 250.ms, failures at most 1.%\. Nothing was proposed"):
        propose(operator, endpoint, 300)


def test_proposal__made_again_by_the_same_person__replaces_the_first(
    endpoint: Endpoint, reviewer: User
) -> None:
    first = propose(reviewer, endpoint)
    second = propose(reviewer, endpoint, 300)
    waiting = open_proposal(endpoint.pk)
    assert waiting is not None
    assert waiting.id == second.proposal_id
    assert BudgetProposal.objects.get(pk=first.proposal_id).decision.accepted is False
    assert [entry.action for entry in Entry.objects.filter(action__startswith="budget.").order_by("seq")] == [
        "budget.proposed",
        "budget.withdrawn",
        "budget.proposed",
    ]


def test_proposal__withdrawn__is_open_no_more(endpoint: Endpoint, reviewer: User, operator: User) -> None:
    made = propose(reviewer, endpoint)
    with pytest.raises(Refused, match="Somebody else"):
        withdraw_budget(principal=principal(operator), endpoint_id=endpoint.pk, proposal_id=made.proposal_id)
    withdraw_budget(principal=principal(reviewer), endpoint_id=endpoint.pk, proposal_id=made.proposal_id)
    assert open_proposal(endpoint.pk) is None


@pytest.mark.parametrize("first", [True, False])
def test_proposal__decided_twice__is_decided_once(
    endpoint: Endpoint, reviewer: User, admin: User, other_admin: User, first: bool
) -> None:
    made = propose(reviewer, endpoint)
    decide(admin, endpoint, made.proposal_id, accept=first)
    with pytest.raises(Conflict, match="by now"):
        decide(other_admin, endpoint, made.proposal_id, accept=not first)
    assert (in_force(endpoint) is not None) is first
    assert Budget.objects.count() == first


def test_proposal__that_is_in_force_by_now__can_only_be_rejected(
    endpoint: Endpoint, reviewer: User, admin: User
) -> None:
    made = propose(reviewer, endpoint)
    propose(admin, endpoint)
    with pytest.raises(Conflict, match="in force by now"):
        decide(admin, endpoint, made.proposal_id)
    decide(admin, endpoint, made.proposal_id, accept=False)
    assert open_proposal(endpoint.pk) is None


def test_budget__in_force_already__is_not_proposed_again(endpoint: Endpoint, admin: User) -> None:
    propose(admin, endpoint)
    with pytest.raises(Invalid, match="in force already"):
        propose(admin, endpoint)
    with pytest.raises(Invalid, match="Say why"):
        propose_budget(
            principal=principal(admin), endpoint_id=endpoint.pk, p95_ms=1, failure_share=None, reason=" "
        )
    assert BudgetProposal.objects.count() == 1


@pytest.mark.parametrize("who", ["requester", "supervisor", "finops", "auditor", "outsider"])
def test_budget__by_who_may_not__is_refused_and_leaves_nothing(
    endpoint: Endpoint, who: str, request: pytest.FixtureRequest
) -> None:
    user = request.getfixturevalue(who)
    with pytest.raises(Refused, match="Needs the role release reviewer, operator or platform administrator"):
        propose(user, endpoint)
    assert BudgetProposal.objects.count() == 0


def test_proposal__of_another_endpoint__is_not_found(
    endpoint: Endpoint, workspace: Any, reviewer: User, admin: User
) -> None:
    made = propose(reviewer, endpoint)
    other = make_endpoint(workspace, "photo-triage")
    with pytest.raises(NotFound):
        decide(admin, other, made.proposal_id)


def test_budget__of_a_deleted_endpoint__is_not_found(endpoint: Endpoint, admin: User) -> None:
    Endpoint.objects.filter(pk=endpoint.pk).update(deleted_at=db_now())
    with pytest.raises(NotFound):
        propose(admin, endpoint)


def test_decision__on_record__has_limits_as_text_and_words_apart(
    endpoint: Endpoint, reviewer: User, admin: User
) -> None:
    made = propose(reviewer, endpoint, 250.5, None)
    decide(admin, endpoint, made.proposal_id)
    entry = Entry.objects.get(action="budget.set")
    assert (entry.subject, entry.endpoint, entry.workspace_id) == (
        f"budget:{made.proposal_id}",
        f"endpoint:{endpoint.pk}",
        endpoint.workspace_id,
    )
    assert b"Seen." not in bytes(entry.body)
    assert b'"after":{"failure_share":null,"p95_ms":"250.5"}' in bytes(entry.body)
    assert {one.field: one.text for one in entry.personal.all()}["comment"] == "Seen."


def test_budgets__changed_in_a_stretch__are_those_of_each_time(endpoint: Endpoint) -> None:
    now = db_now()
    for days, p95 in ((9, 400), (5, 300), (1, 200)):
        budget_since(endpoint.pk, now - timedelta(days=days), p95)
    found = budgets_between(endpoint.pk, now - timedelta(days=6), now - timedelta(days=2))
    assert [row.p95_ms for row in found] == [400, 300]
    assert found[0].until == found[1].since
    assert [row.p95_ms for row in budgets_between(endpoint.pk, now, now + timedelta(days=1))] == [200]
    at = budget_at(endpoint.pk, now - timedelta(days=5))
    assert at is not None
    assert (at.p95_ms, budget_at(endpoint.pk, now - timedelta(days=30))) == (300, None)
