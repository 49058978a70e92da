"""The policy: row by row as the matrix says, and what no combination of roles, tokens and objects may do."""

from __future__ import annotations

import dataclasses
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.access.matrix import TABLE, Action, Place, Reach, Scope
from endpoints.access.policies import audit_reach, decide, may_anywhere, require, visible_workspaces
from endpoints.access.principals import ANONYMOUS, Principal
from endpoints.access.roles import INSTALLATION_ROLES, WORKSPACE_ROLES, Role
from endpoints.core.errors import Refused
from tests.access.strategies import WORKSPACES, principals

actions = st.sampled_from(sorted(Action))
places = st.sampled_from([None, *WORKSPACES, 99])
owned = st.sampled_from([None, True, False])

# The design's table, written out a second time by hand: yes, own, or "others" (not one's own).
EXPECTED = {
    Action.VIEW: "requester reviewer operator supervisor finops auditor",
    Action.CREATE_TRAFFIC: "requester:own reviewer:own operator:own",
    Action.CREATE_CAPACITY: "requester:own operator:own finops:own",
    Action.APPROVE: "reviewer:others",
    Action.START: "reviewer:others operator",
    Action.ROLL_BACK: "requester:own reviewer operator",
    Action.COMMENT: "requester reviewer operator supervisor auditor",
    Action.OVERRIDE_GATE: "operator",
    Action.BREAK_GLASS: "operator",
    Action.DRILL: "operator",
    Action.HOLDS_VIEW: "requester reviewer operator supervisor finops auditor admin",
    Action.FREEZE_MANAGE: "operator admin",
    Action.FREEZE_OVERRIDE: "overrider",
    Action.STOP_LINE: "reviewer operator admin",
    Action.RULES_VIEW: "requester reviewer operator supervisor finops auditor admin",
    Action.RULES_PROPOSE: "reviewer operator admin",
    Action.RULES_DECIDE: "admin:others",
    Action.PROBE_SET: "requester reviewer operator",
    Action.FIGURES_WRITE: "requester reviewer operator",
    Action.PREDICTIONS_VIEW: "requester reviewer operator supervisor auditor",
    Action.PREDICTIONS_WRITE: "requester reviewer operator",
    Action.CASE_WORK: "supervisor",
    Action.CASE_DECIDE: "supervisor",
    Action.CASE_POLICY: "admin",
    Action.LEGAL_HOLD: "supervisor",
    Action.ERASE: "supervisor",
    Action.PACK_EXPORT: "reviewer supervisor auditor",
    Action.NOTICES_VIEW: "auditor admin",
    Action.NOTICES_MANAGE: "admin",
    Action.CAPACITY_VIEW: "operator finops auditor",
    Action.FINDING_WORK: "finops",
    Action.CAPACITY_RULES: "finops",
    Action.AUDIT_READ: "requester:own reviewer operator supervisor:own finops:own auditor",
    Action.AUDIT_VERIFY: "reviewer operator supervisor auditor",
    Action.BUDGET_VIEW: "requester reviewer operator supervisor finops auditor admin",
    Action.BUDGET_PROPOSE: "reviewer operator admin",
    Action.BUDGET_DECIDE: "admin:others",
    Action.WORKSPACE_SYNC: "requester reviewer operator finops admin",
    Action.WORKSPACE_CONNECT: "admin",
    Action.ACCESS_VIEW: "auditor admin",
    Action.GRANT: "admin",
    Action.USER_MANAGE: "admin",
    Action.OTHERS_TOKENS: "admin",
    Action.OWN_TOKENS: "requester reviewer operator supervisor finops auditor admin overrider",
}


def holder(role: Role, *, everywhere: bool = False, **more: object) -> Principal:
    """A person with one role, where that role can be held."""
    everywhere = everywhere or role is Role.ADMIN
    return Principal(
        user_id=7,
        ref="user:7",
        kind="person",
        roles={} if everywhere else {1: frozenset({role})},
        installation=frozenset({role}) if everywhere else frozenset(),
        same_person=frozenset({7}),
        **more,
    )


@pytest.mark.parametrize(("action", "role"), list(product(Action, Role)))
def test_decide__each_cell_of_the_matrix__is_as_designed(action: Action, role: Role) -> None:
    cells = dict((cell + ":any").split(":")[:2] for cell in EXPECTED[action].split())
    installation = TABLE[action].place is Place.INSTALLATION
    asks = holder(role, everywhere=installation and role in INSTALLATION_ROLES)
    for own in (True, False):
        reach = cells.get(role)
        expected = reach == "any" or (reach == "own" and own) or (reach == "others" and not own)
        found = decide(asks, action, workspace_id=1, own=own)
        assert found.allowed is expected, (own, found)
        assert bool(found.reason) is not expected
    outside = decide(asks, action, workspace_id=2, own=cells.get(role) != "others")
    assert outside.allowed is ((role in asks.installation and role in cells) or TABLE[action].everybody)


@given(principals(), places, st.booleans())
def test_decide__own_or_edited_change__nobody_approves_it(
    asks: Principal, place: int | None, edited_only: bool
) -> None:
    assert not decide(asks, Action.APPROVE, workspace_id=place, own=not edited_only, involved=True)


@given(principals(), places, st.booleans())
def test_decide__author_not_known__nobody_approves(
    asks: Principal, place: int | None, involved: bool
) -> None:
    assert not decide(asks, Action.APPROVE, workspace_id=place, own=None, involved=involved)


@given(principals(), places)
def test_decide__approval_given__only_to_a_reviewer_of_that_workspace_who_is_a_person(
    asks: Principal, place: int | None
) -> None:
    if decide(asks, Action.APPROVE, workspace_id=place, own=False):
        assert place is not None
        assert asks.kind == "person"
        assert Role.REVIEWER in asks.roles[place]
        assert (place, Role.REVIEWER) not in asks.fresh_self_grants
        assert not asks.held_back
        assert asks.scopes is None or Scope.APPROVE in asks.scopes


@given(principals(), actions, places, owned, st.booleans())
def test_decide__administrator_added_to_any_principal__gains_nothing_over_traffic(
    asks: Principal, action: Action, place: int | None, own: bool | None, involved: bool
) -> None:
    traffic = {Action.VIEW, Action.CREATE_TRAFFIC, Action.APPROVE, Action.START, Action.ROLL_BACK}
    without = dataclasses.replace(asks, installation=asks.installation - {Role.ADMIN})
    with_admin = dataclasses.replace(asks, installation=asks.installation | {Role.ADMIN})
    if action in traffic:
        given_without = decide(without, action, workspace_id=place, own=own, involved=involved)
        assert decide(with_admin, action, workspace_id=place, own=own, involved=involved) == given_without


@given(principals(tokens=True), actions, places, owned, st.booleans())
def test_decide__token__never_does_more_than_its_owner(
    token: Principal, action: Action, place: int | None, own: bool | None, involved: bool
) -> None:
    owner = dataclasses.replace(token, scopes=None, token_workspaces=None, auth="session")
    if decide(token, action, workspace_id=place, own=own, involved=involved):
        assert decide(owner, action, workspace_id=place, own=own, involved=involved)
        assert TABLE[action].scope in (token.scopes or ())
        assert token.token_workspaces is None or place is None or place in token.token_workspaces


@given(principals(tokens=True), places)
def test_decide__token__never_manages_tokens(token: Principal, place: int | None) -> None:
    for action in (Action.OWN_TOKENS, Action.OTHERS_TOKENS):
        assert not decide(token, action, workspace_id=place)


@given(actions, places, owned)
def test_decide__anonymous__may_do_nothing(action: Action, place: int | None, own: bool | None) -> None:
    found = decide(ANONYMOUS, action, workspace_id=place, own=own)
    assert (found.allowed, found.reason) == (False, "Sign in to do this.")
    assert visible_workspaces(ANONYMOUS) == frozenset()


@given(principals(), actions, owned)
def test_decide__workspace_without_a_role__is_closed_but_for_installation_roles(
    asks: Principal, action: Action, own: bool | None
) -> None:
    outsider = dataclasses.replace(asks, installation=frozenset())
    if TABLE[action].place is not Place.INSTALLATION:
        assert not decide(outsider, action, workspace_id=99, own=own)


@given(principals(), actions, places, owned, st.booleans())
def test_decide__refusal__has_a_sentence_and_permission_has_none(
    asks: Principal, action: Action, place: int | None, own: bool | None, involved: bool
) -> None:
    found = decide(asks, action, workspace_id=place, own=own, involved=involved, workspace="mlw-x")
    assert found.allowed is (found.reason == "")
    assert found.allowed or (found.reason[0].isupper() and found.reason.endswith("."))


@given(principals())
def test_visible_workspaces__any_principal__are_those_it_may_view(asks: Principal) -> None:
    visible = visible_workspaces(asks)
    assert visible == {w for w in asks.roles if decide(asks, Action.VIEW, workspace_id=w)}
    reach = audit_reach(asks)
    assert (reach.workspaces | reach.own_in) <= set(asks.roles)
    assert not reach.workspaces & reach.own_in


@given(principals(), actions, places, owned)
def test_may_anywhere__something_is_allowed__says_so(
    asks: Principal, action: Action, place: int | None, own: bool | None
) -> None:
    if place in asks.roles and decide(asks, action, workspace_id=place, own=own):
        assert may_anywhere(asks, action)


@pytest.mark.parametrize(
    ("asks", "action", "given", "reason"),
    [
        (
            holder(Role.REQUESTER),
            Action.APPROVE,
            {"own": False, "workspace": "mlw-prod-weu"},
            "Needs the role release reviewer on mlw-prod-weu.",
        ),
        (
            holder(Role.FINOPS),
            Action.ROLL_BACK,
            {"own": False, "workspace": "mlw-prod-weu"},
            "Needs the role requester, release reviewer or operator on mlw-prod-weu.",
        ),
        (
            holder(Role.REVIEWER),
            Action.APPROVE,
            {"own": True},
            "You wrote this change, so you cannot approve or reject it.",
        ),
        (
            holder(Role.ADMIN),
            Action.BUDGET_DECIDE,
            {"own": True},
            "You wrote this proposal, so you cannot approve or reject it.",
        ),
        (
            holder(Role.REVIEWER),
            Action.APPROVE,
            {"own": False, "involved": True},
            "You edited this change, so you cannot approve or reject it.",
        ),
        (
            holder(Role.REVIEWER, fresh_self_grants=frozenset({(1, Role.REVIEWER)})),
            Action.APPROVE,
            {"own": False, "workspace": "mlw-x"},
            "You gave yourself the role release reviewer on mlw-x less than 24 hours ago, "
            "so you cannot approve there yet.",
        ),
        (
            holder(Role.REVIEWER, scopes=frozenset({"read"})),
            Action.APPROVE,
            {"own": False},
            "This token lacks the scope approve.",
        ),
        (
            holder(Role.REVIEWER, scopes=frozenset({"read"}), token_workspaces=frozenset({2})),
            Action.VIEW,
            {"workspace": "mlw-x"},
            "This token does not reach mlw-x.",
        ),
        (
            holder(Role.REQUESTER, scopes=frozenset(Scope)),
            Action.OWN_TOKENS,
            {},
            "An API token cannot create, list and revoke one's own tokens; sign in to do this.",
        ),
        (
            dataclasses.replace(holder(Role.REVIEWER), kind="service", display_name="release-bot"),
            Action.APPROVE,
            {"own": False},
            "This needs a person; release-bot is a service account.",
        ),
        (
            holder(Role.REVIEWER),
            Action.GRANT,
            {},
            "Needs the role platform administrator on the whole installation.",
        ),
        (
            holder(Role.REQUESTER),
            Action.ROLL_BACK,
            {"own": False},
            "Your role lets you do this with your own changes and entries only.",
        ),
    ],
)
def test_decide__refusal__says_why(
    asks: Principal, action: Action, given: dict[str, object], reason: str
) -> None:
    assert decide(asks, action, workspace_id=1, **given).reason == reason
    with pytest.raises(Refused, match=r"\.$"):
        require(asks, action, workspace_id=1, **given)


def test_decide__operator_who_also_reviews__starts_what_they_wrote() -> None:
    both = dataclasses.replace(holder(Role.REVIEWER), roles={1: frozenset({Role.REVIEWER, Role.OPERATOR})})
    assert decide(both, Action.START, workspace_id=1, own=True)


def test_audit_reach__auditor_of_the_installation__reads_everything_unless_the_token_is_limited() -> None:
    auditor = holder(Role.AUDITOR, everywhere=True)
    assert audit_reach(auditor).everything
    limited = dataclasses.replace(auditor, scopes=frozenset({"audit"}), token_workspaces=frozenset({1}))
    assert not audit_reach(limited).everything
    assert not audit_reach(holder(Role.AUDITOR)).everything
    assert audit_reach(holder(Role.AUDITOR)).workspaces == {1}
    assert audit_reach(holder(Role.REQUESTER)).own_in == {1}


def test_is_any_of__second_account_or_none__is_recognised() -> None:
    asks = dataclasses.replace(holder(Role.REVIEWER), same_person=frozenset({7, 9}))
    assert asks.is_any_of([None, 9])
    assert not asks.is_any_of([None, 8])
    assert not ANONYMOUS.is_any_of([None])


def test_table__every_action_and_role__is_known() -> None:
    assert set(TABLE) == set(Action) == set(EXPECTED)
    assert all(set(rule.roles) <= WORKSPACE_ROLES | {Role.ADMIN} for rule in TABLE.values())
    assert [action for action, rule in TABLE.items() if Reach.UNINVOLVED in rule.roles.values()] == [
        Action.APPROVE,
        Action.RULES_DECIDE,
        Action.BUDGET_DECIDE,
    ]
