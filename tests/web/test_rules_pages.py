"""Approval rules and rollout templates of a workspace, by forms alone."""

from __future__ import annotations

from endpoints.access.models import User, Workspace
from endpoints.changes.models import ApprovalRule, RolloutTemplate
from tests.support.people import make_endpoint
from tests.web.conftest import SignIn
from tests.web.reading import read, words

RULES, TEMPLATES = "/settings/approval-rules/mlw-prod-weu", "/settings/rollout-templates/mlw-prod-weu"
RULE = {"do": "propose", "title": "Risk needs two", "required": "2", "risk_weight": "50", "reason": "Money",
        "endpoint_pattern": "risk-*"}  # fmt: skip
TEMPLATE = {"do": "make", "name": "Usual", "weight-1": "5", "bake-1": "10", "weight-2": "100", "bake-2": "0",
            "click-1": "on", "watch": "30", "gate-0": "errors", "use-0": "on", "limit-0": "0.5",
            "least-0": "300"}  # fmt: skip


def test_rule__proposed_then_accepted_by_an_administrator__is_in_force_and_ends_by_two(
    sign_in: SignIn, operator: User, admin: User, workspace: Workspace
) -> None:
    proposer, decider = sign_in(operator), sign_in(admin)
    assert proposer.post(RULES, RULE)["Location"] == RULES
    page = read(proposer.get(RULES).content)
    said = words(page.one("main").text)
    assert (
        "2 people must approve changes of endpoints named risk-* that bring a deployment to 50 % or more."
        in said
    )
    assert not page.all("button", value="accept")
    rule = ApprovalRule.objects.get()
    assert len(read(decider.get(RULES).content).all("button", value="accept")) == 1
    assert decider.post(RULES, {"do": "accept", "rule": rule.pk}).status_code == 302
    assert "In force" in words(read(proposer.get(RULES).content).one("main").text)
    assert proposer.post(RULES, {"do": "end", "rule": rule.pk, "reason": "Over"}).status_code == 302
    ending = ApprovalRule.objects.get(ends_rule=rule)
    assert decider.post(RULES, {"do": "accept", "rule": ending.pk}).status_code == 302
    rule.refresh_from_db()
    assert rule.ended_at is not None
    assert "No rule here" in words(read(proposer.get(RULES).content).one("main").text)
    assert "Ended a rule" in words(read(proposer.get(f"{RULES}?all=1").content).one("main").text)


def test_rule__with_mistakes__names_each_and_keeps_what_was_typed(
    sign_in: SignIn, operator: User, workspace: Workspace
) -> None:
    answer = sign_in(operator).post(RULES, RULE | {"title": "", "required": "99", "tag_value": "x"})
    assert answer.status_code == 422
    page = read(answer.content)
    hrefs = {one.attributes["href"] for one in page.all("a")}
    assert hrefs >= {"#f-title", "#f-required", "#f-tag_value"}
    assert page.one("input", name="endpoint_pattern").attributes["value"] == "risk-*"
    assert not ApprovalRule.objects.exists()


def test_rule__of_another_workspace__can_not_be_decided_here(
    sign_in: SignIn, operator: User, admin: User, outsider: User, workspace: Workspace
) -> None:
    theirs = RULES.replace("mlw-prod-weu", "mlw-test-neu")
    assert sign_in(outsider).post(theirs, RULE).status_code == 302
    there = ApprovalRule.objects.get()
    decided = sign_in(admin).post(RULES, {"do": "accept", "rule": there.pk})
    assert decided.status_code == 409
    there.refresh_from_db()
    assert there.accepted is None


def test_template__made__fills_in_the_form_of_a_new_change_and_is_ended(
    sign_in: SignIn, operator: User, requester: User, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    client = sign_in(operator)
    assert client.post(TEMPLATES, TEMPLATE)["Location"] == TEMPLATES
    row = RolloutTemplate.objects.get()
    said = words(read(client.get(TEMPLATES).content).one("main").text)
    assert "5 % bakes 10 min, then a person clicks" in said
    assert "Errors: at most 0.5 % of requests, from 300 requests on" in said
    asker, new = sign_in(requester), "/w/mlw-prod-weu/e/checkout-risk/change/new"
    page = read(asker.get(f"{new}?template={row.pk}&to=green").content)
    assert [page.one("input", name=f"weight-{n}").attributes["value"] for n in (1, 2)] == ["5", "100"]
    assert "checked" in page.one("input", name="click-1").attributes
    used = [
        one
        for one in page.all("input")
        if one.attributes["name"].startswith("use-") and "checked" in one.attributes
    ]
    assert len(used) == 1
    assert client.post(TEMPLATES, {"do": "end", "template": row.pk}).status_code == 302
    assert not read(asker.get(f"{new}?template={row.pk}&to=green").content).all("input", name="weight-1")
    assert "Usual" in read(client.get(f"{TEMPLATES}?ended=1").content).one("main").text


def test_template__with_mistakes__names_each_beside_its_field(
    sign_in: SignIn, operator: User, workspace: Workspace
) -> None:
    answer = sign_in(operator).post(TEMPLATES, TEMPLATE | {"weight-2": "0", "limit-0": "x", "warm": "-1"})
    assert answer.status_code == 422
    hrefs = {one.attributes["href"] for one in read(answer.content).all("a")}
    assert hrefs >= {"#f-weight-2", "#f-limit-0", "#f-warm"}
    assert not RolloutTemplate.objects.exists()


def test_settings__for_who_may_only_look__say_why_there_is_no_form(
    sign_in: SignIn, auditor: User, workspace: Workspace
) -> None:
    client = sign_in(auditor)
    assert client.get("/settings/approval-rules")["Location"] == RULES
    for address in (RULES, TEMPLATES):
        page = read(client.get(address).content)
        assert "Needs the role" in words(page.one("main").text)
        assert not page.all("button", name="do")
