"""Approval rules: one person makes them stricter, two make them looser, and nobody decides on their own."""

from __future__ import annotations

from functools import partial

import pytest

from endpoints.access.models import User
from endpoints.access.selectors import principal_for_token
from endpoints.audit.models import Entry
from endpoints.changes import services
from endpoints.changes.models import ApprovalRule
from endpoints.changes.selectors import RuleState, approval_rule, approval_rules
from endpoints.changes.services import RuleDraft
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from tests.changes.approving import administrator, lose_roles, person, rule
from tests.changes.crowd import refused, together
from tests.support.people import INSTALLATION, make_person, principal, token_for

TWO = RuleDraft("two for fraud", endpoint_pattern="fraud-*", required=2)


def propose(desk, by, draft=TWO, reason="the incident of May"):
    return services.propose_rule(
        principal=principal(by), workspace_id=desk.workspace.pk, draft=draft, reason=reason
    )


def end(rule_id, by):
    return services.propose_rule_end(principal=principal(by), rule_id=rule_id, reason="no longer needed")


def decide(rule_id, by, *, accept=True):
    services.decide_rule(principal=principal(by), rule_id=rule_id, accept=accept)


def actions():
    return list(
        Entry.objects.filter(subject__startswith="rule:").order_by("seq").values_list("action", flat=True)
    )


def test_rule__by_an_administrator__is_in_force_at_once(desk, admin):
    made = propose(desk, admin)
    assert made.in_force
    row = approval_rule(principal(desk.reviewer), made.rule_id)
    assert (row.state, row.rule.required, row.rule.scope.name_pattern) == (RuleState.IN_FORCE, 2, "fraud-*")
    assert actions() == ["rule.made"]


def test_rule__by_a_reviewer__waits_for_an_administrator(desk, admin):
    made = propose(desk, desk.reviewer)
    assert not made.in_force
    assert approval_rule(principal(admin), made.rule_id).state is RuleState.PROPOSED
    decide(made.rule_id, admin)
    assert approval_rule(principal(admin), made.rule_id).state is RuleState.IN_FORCE
    assert actions() == ["rule.proposed", "rule.made"]


def test_rule__rejected__is_never_in_force(desk, admin):
    made = propose(desk, desk.operator)
    decide(made.rule_id, admin, accept=False)
    assert approval_rule(principal(admin), made.rule_id).state is RuleState.REJECTED
    with pytest.raises(Conflict, match="rejected or withdrawn by now"):
        decide(made.rule_id, admin)


def test_rule__withdrawn_by_its_proposer__and_by_nobody_else(desk, admin):
    made = propose(desk, desk.reviewer)
    with pytest.raises(Refused, match="Somebody else proposed this"):
        services.withdraw_rule(principal=principal(admin), rule_id=made.rule_id)
    services.withdraw_rule(principal=principal(desk.reviewer), rule_id=made.rule_id)
    with pytest.raises(Conflict):
        decide(made.rule_id, admin)


def test_rule_end__by_an_administrator__takes_a_second_person(desk, admin):
    made = propose(desk, admin)
    ending = end(made.rule_id, admin)
    assert not ending.in_force
    with pytest.raises(Refused, match="You wrote this proposal"):
        decide(ending.rule_id, admin)
    assert approval_rule(principal(admin), made.rule_id).state is RuleState.IN_FORCE
    decide(ending.rule_id, make_person("alba", {INSTALLATION: ["admin"]}))
    assert approval_rule(principal(admin), made.rule_id).state is RuleState.ENDED
    assert approval_rule(principal(admin), ending.rule_id).state is RuleState.DONE
    assert actions() == ["rule.made", "rule.end_proposed", "rule.ended"]


def test_rule_end__decided_with_the_second_account_of_the_proposer__is_refused(desk, admin):
    ending = end(propose(desk, admin).rule_id, admin)
    second = make_person("ada2", {INSTALLATION: ["admin"]})
    User.objects.filter(pk=second.pk).update(second_account_of=admin)
    with pytest.raises(Refused):
        decide(ending.rule_id, second)


def test_rule_end__proposed_by_a_reviewer__is_decided_by_an_administrator(desk, admin):
    made = propose(desk, admin)
    ending = end(made.rule_id, desk.reviewer)
    with pytest.raises(Refused):
        decide(ending.rule_id, desk.operator)
    decide(ending.rule_id, admin)
    assert approval_rule(principal(admin), made.rule_id).state is RuleState.ENDED
    with pytest.raises(Conflict, match="not in force"):
        end(made.rule_id, desk.reviewer)


def test_rule_end__proposed_twice__is_a_conflict(desk, admin):
    made = propose(desk, admin)
    end(made.rule_id, desk.reviewer)
    with pytest.raises(Conflict, match="proposed this already"):
        end(made.rule_id, desk.operator)


def test_rule__decided_by_a_token_of_the_proposer_or_with_too_little_scope__is_refused(desk, admin):
    ending = end(propose(desk, admin).rule_id, admin)
    for scopes in (("read", "approve"), ("read", "change")):
        with pytest.raises(Refused):
            services.decide_rule(
                principal=principal_for_token(token_for(admin, *scopes)), rule_id=ending.rule_id, accept=True
            )


def test_rule__for_a_stranger__does_not_exist(desk, admin, outsider):
    made = propose(desk, admin)
    with pytest.raises(NotFound):
        propose(desk, outsider)
    with pytest.raises(NotFound):
        end(made.rule_id, outsider)
    with pytest.raises(NotFound):
        decide(made.rule_id, outsider)
    with pytest.raises(NotFound):
        approval_rules(principal(outsider), desk.workspace.pk)
    with pytest.raises(NotFound):
        approval_rule(principal(outsider), made.rule_id)


def test_rule__by_who_may_not_propose__is_refused(desk, supervisor):
    with pytest.raises(Refused):
        propose(desk, supervisor)
    assert not ApprovalRule.objects.exists()


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (RuleDraft(" "), "title"),
        (RuleDraft("x" * 121), "title"),
        (RuleDraft("t", endpoint_pattern="fraud_*"), "endpoint_pattern"),
        (RuleDraft("t", tag="a=b"), "tag"),
        (RuleDraft("t", tag="x" * 121), "tag"),
        (RuleDraft("t", tag_value="b"), "tag_value"),
        (RuleDraft("t", tag="a", tag_value="x" * 251), "tag_value"),
        (RuleDraft("t", risk_weight=101), "risk_weight"),
        (RuleDraft("t", risk_weight=-1), "risk_weight"),
        (RuleDraft("t", required=0), "required"),
        (RuleDraft("t", required=11), "required"),
        (RuleDraft("t", named=[999_999]), "named"),
    ],
)
def test_rule__that_can_not_be__is_refused_by_its_field(desk, admin, draft, field):
    with pytest.raises(Invalid) as refusal:
        propose(desk, admin, draft)
    assert field in refusal.value.fields
    assert not ApprovalRule.objects.exists()


def test_rule__that_names_too_few_people__is_refused(desk, admin):
    with pytest.raises(Invalid, match="more than the different people named"):
        propose(desk, admin, RuleDraft("t", required=2, named=[desk.reviewer.pk]))
    second = person(desk, "vera2", "reviewer")
    User.objects.filter(pk=second.pk).update(second_account_of=desk.reviewer)
    with pytest.raises(Invalid, match="more than the different people named"):
        propose(desk, admin, RuleDraft("t", required=2, named=[desk.reviewer.pk, second.pk]))


def test_rule__that_names_no_reviewer__is_refused_also_when_it_is_decided(desk, admin):
    with pytest.raises(Invalid, match="Not everybody named"):
        propose(desk, admin, RuleDraft("t", named=[desk.operator.pk]))
    made = propose(desk, desk.operator, RuleDraft("t", named=[desk.reviewer.pk]))
    lose_roles(desk.reviewer)
    with pytest.raises(Invalid, match="Not everybody named"):
        decide(made.rule_id, admin)


def test_rules__many__come_in_pages_and_the_living_alone_when_asked(desk, admin):
    numbers = [propose(desk, admin).rule_id for _ in range(3)]
    rejected = propose(desk, desk.reviewer).rule_id
    decide(rejected, admin, accept=False)
    me = principal(admin)
    first = approval_rules(me, desk.workspace.pk, limit=2)
    assert [row.id for row in first.rows] == [rejected, numbers[2]]
    second = approval_rules(me, desk.workspace.pk, before=first.older, limit=2)
    assert ([row.id for row in second.rows], second.older) == ([numbers[1], numbers[0]], None)
    alive = approval_rules(me, desk.workspace.pk, alive=True)
    assert [row.id for row in alive.rows] == numbers[::-1]


def test_rules__of_another_workspace__do_not_count_here(desk, admin, other_workspace):
    services.propose_rule(
        principal=principal(admin),
        workspace_id=other_workspace.pk,
        draft=RuleDraft("t", required=2),
        reason="r",
    )
    assert desk.state(desk.approved()) == "approved"


def test_rule__ended__asks_for_nobody_any_more(desk, admin):
    made = rule(desk, 2, by=admin)
    change_id = desk.approve(desk.request())
    assert desk.state(change_id) == "in_review"
    decide(end(made, desk.operator).rule_id, admin)
    desk.approve(change_id)
    assert desk.state(change_id) == "approved"


def test_proposal__decided_by_ten_at_once__is_decided_once(committed_desk):
    desk = committed_desk
    first = administrator()
    ending = end(rule(desk, 2, by=first), first)
    others = [make_person(f"admin{number}", {INSTALLATION: ["admin"]}) for number in range(6)]
    results = together([partial(decide, ending.rule_id, one) for one in others])
    assert len(refused(results)) == 5
    assert actions().count("rule.ended") == 1
