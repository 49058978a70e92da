"""The access matrix as data: every action, and for every role how far it carries.

docs/reference/access-matrix.md is made from TABLE (`manage.py access_matrix`). What is not here is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from endpoints.access.roles import Role


class Action(StrEnum):
    """What can be asked for."""

    VIEW = "view"
    CREATE_TRAFFIC = "traffic.create"  # also edit and withdraw
    CREATE_CAPACITY = "capacity.create"  # also edit and withdraw
    APPROVE = "change.approve"  # also reject
    START = "change.start"  # also advance, hold, resume
    ROLL_BACK = "change.roll_back"  # also abort
    COMMENT = "change.comment"
    OVERRIDE_GATE = "gate.override"  # advance although a gate did not pass
    BREAK_GLASS = "change.break_glass"  # start what nobody approved; reviewed afterwards
    DRILL = "drill.start"  # also schedule and cancel
    HOLDS_VIEW = "holds.view"
    FREEZE_MANAGE = "freeze.manage"
    FREEZE_OVERRIDE = "freeze.override"
    STOP_LINE = "line.stop"  # also lift
    RULES_VIEW = "rules.view"
    RULES_PROPOSE = "rules.propose"  # approval rules and rollout templates
    RULES_DECIDE = "rules.decide"
    PROBE_SET = "probe.set"  # an endpoint's sample request, and how to get in
    FIGURES_WRITE = "figures.write"
    PREDICTIONS_VIEW = "predictions.view"  # request records, passports and cases
    PREDICTIONS_WRITE = "predictions.write"
    CASE_WORK = "case.work"  # raise, assign, comment, collect evidence, link, re-open
    CASE_DECIDE = "case.decide"  # also confirm
    CASE_POLICY = "case.policy"
    LEGAL_HOLD = "case.hold"  # ask, agree, end
    ERASE = "person.erase"  # ask, agree
    PACK_EXPORT = "evidence.export"
    NOTICES_VIEW = "notices.view"
    NOTICES_MANAGE = "notices.manage"
    CAPACITY_VIEW = "capacity.view"  # what capacity costs, findings, savings
    FINDING_WORK = "finding.work"  # claim, file, postpone, dismiss
    CAPACITY_RULES = "capacity.rules"  # rules, exclusions, discounts, budgets of money, value of a prediction
    AUDIT_READ = "audit.read"
    AUDIT_VERIFY = "audit.verify"
    BUDGET_VIEW = "budget.view"
    BUDGET_PROPOSE = "budget.propose"  # also withdraw one's own proposal
    BUDGET_DECIDE = "budget.decide"  # also set one alone that loosens nothing
    WORKSPACE_SYNC = "workspace.sync"
    WORKSPACE_CONNECT = "workspace.connect"  # also disconnect
    ACCESS_VIEW = "access.view"  # people, grants, tokens, connected workspaces
    GRANT = "access.grant"
    USER_MANAGE = "user.manage"
    OTHERS_TOKENS = "token.others"
    OWN_TOKENS = "token.own"


class Scope(StrEnum):
    """What an API token may be made for."""

    READ = "read"
    CHANGE = "change"
    APPROVE = "approve"
    ROLLBACK = "rollback"
    AUDIT = "audit"
    PREDICTIONS = "predictions"
    CASES = "cases"
    ADMIN = "admin"


class Reach(StrEnum):
    """How far a role carries in one row of the table."""

    YES = "yes"
    OWN = "own"  # only what one wrote, or did, oneself
    OTHERS = "not own"  # never what one wrote
    UNINVOLVED = "not own or edited"  # never what one wrote or edited


class Place(StrEnum):
    """Where a role must be held for the action."""

    WORKSPACE = "the workspace"
    INSTALLATION = "the installation"
    EITHER = "the workspace, or any when none is named"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table. A token needs `scope`; None: no token may."""

    says: str
    roles: Mapping[Role, Reach]
    scope: Scope | None
    place: Place = Place.WORKSPACE
    everybody: bool = False  # every signed-in account, whatever its roles
    persons_only: bool = False
    new_is_own: bool = False  # the author not given means: a new one, or the list, not somebody else's
    thing: str = "change"  # what one may have written oneself, in refusals


_REQUESTER, _REVIEWER, _OPERATOR, _FINOPS, _AUDITOR, _ADMIN = (
    Role.REQUESTER,
    Role.REVIEWER,
    Role.OPERATOR,
    Role.FINOPS,
    Role.AUDITOR,
    Role.ADMIN,
)
# Everything but the flag that one carries beside another role.
_POWERS = tuple(role for role in Role if role is not Role.OVERRIDER)


def _all(*roles: Role) -> dict[Role, Reach]:
    return dict.fromkeys(roles, Reach.YES)


TABLE: Mapping[Action, Rule] = MappingProxyType(
    {
        Action.VIEW: Rule(
            "view endpoints, metrics and changes",
            _all(*(role for role in _POWERS if role != _ADMIN)),
            Scope.READ,
        ),
        Action.CREATE_TRAFFIC: Rule(
            "create, edit or withdraw a traffic change",
            dict.fromkeys((_REQUESTER, _REVIEWER, _OPERATOR), Reach.OWN),
            Scope.CHANGE,
            new_is_own=True,
        ),
        Action.CREATE_CAPACITY: Rule(
            "create, edit or withdraw a capacity change",
            dict.fromkeys((_REQUESTER, _OPERATOR, _FINOPS), Reach.OWN),
            Scope.CHANGE,
            new_is_own=True,
        ),
        Action.APPROVE: Rule(
            "approve or reject a change", {_REVIEWER: Reach.UNINVOLVED}, Scope.APPROVE, persons_only=True
        ),
        Action.START: Rule(
            "start, advance, hold or resume a change",
            {_REVIEWER: Reach.OTHERS, _OPERATOR: Reach.YES},
            Scope.CHANGE,
        ),
        Action.ROLL_BACK: Rule(
            "abort a change or roll traffic back",
            {_REQUESTER: Reach.OWN, _REVIEWER: Reach.YES, _OPERATOR: Reach.YES},
            Scope.ROLLBACK,
        ),
        Action.COMMENT: Rule(
            "comment on a change",
            _all(_REQUESTER, _REVIEWER, _OPERATOR, Role.SUPERVISOR, _AUDITOR),
            Scope.CHANGE,
        ),
        Action.OVERRIDE_GATE: Rule("advance past a gate", _all(_OPERATOR), Scope.CHANGE, persons_only=True),
        Action.BREAK_GLASS: Rule(
            "start a change that nobody approved", _all(_OPERATOR), None, persons_only=True
        ),
        Action.DRILL: Rule("start a rollback drill", _all(_OPERATOR), Scope.CHANGE),
        # An administrator sees no endpoint, but must see what they make and end.
        Action.HOLDS_VIEW: Rule("view freezes and stops", _all(*_POWERS), Scope.READ),
        Action.FREEZE_MANAGE: Rule("make and end freezes", _all(_OPERATOR, _ADMIN), Scope.CHANGE),
        # A grant of its own, whatever else one may do: being an operator is not enough.
        Action.FREEZE_OVERRIDE: Rule("override a freeze", _all(Role.OVERRIDER), None, persons_only=True),
        Action.STOP_LINE: Rule(
            "stop the line and lift the stop", _all(_REVIEWER, _OPERATOR, _ADMIN), Scope.CHANGE
        ),
        Action.RULES_VIEW: Rule("view approval rules and rollout templates", _all(*_POWERS), Scope.READ),
        Action.RULES_PROPOSE: Rule(
            "propose approval rules and rollout templates", _all(_REVIEWER, _OPERATOR, _ADMIN), Scope.CHANGE
        ),
        Action.RULES_DECIDE: Rule(
            "decide on approval rules and rollout templates",
            {_ADMIN: Reach.UNINVOLVED},
            Scope.APPROVE,
            persons_only=True,
            thing="proposal",
        ),
        Action.PROBE_SET: Rule(
            "set an endpoint's sample request", _all(_REQUESTER, _REVIEWER, _OPERATOR), Scope.CHANGE
        ),
        Action.FIGURES_WRITE: Rule(
            "send business figures", _all(_REQUESTER, _REVIEWER, _OPERATOR), Scope.CHANGE
        ),
        Action.PREDICTIONS_VIEW: Rule(
            "see request records and challenge cases",
            _all(_REQUESTER, _REVIEWER, _OPERATOR, Role.SUPERVISOR, _AUDITOR),
            Scope.READ,
        ),
        # A scope of its own: what an application sends must open nothing else.
        Action.PREDICTIONS_WRITE: Rule(
            "send request records", _all(_REQUESTER, _REVIEWER, _OPERATOR), Scope.PREDICTIONS
        ),
        Action.CASE_WORK: Rule("raise and work on challenge cases", _all(Role.SUPERVISOR), Scope.CASES),
        Action.CASE_DECIDE: Rule(
            "decide challenge cases", _all(Role.SUPERVISOR), Scope.CASES, persons_only=True
        ),
        Action.CASE_POLICY: Rule("set how challenge cases are dealt with", _all(_ADMIN), Scope.ADMIN),
        Action.LEGAL_HOLD: Rule(
            "ask for, agree to and end a legal hold", _all(Role.SUPERVISOR), None, persons_only=True
        ),
        Action.ERASE: Rule(
            "ask for and agree to erasing a person", _all(Role.SUPERVISOR), None, persons_only=True
        ),
        Action.PACK_EXPORT: Rule(
            "take evidence packs away", _all(_REVIEWER, Role.SUPERVISOR, _AUDITOR), Scope.CASES
        ),
        Action.NOTICES_VIEW: Rule(
            "see where messages are sent", _all(_AUDITOR, _ADMIN), Scope.ADMIN, place=Place.INSTALLATION
        ),
        Action.NOTICES_MANAGE: Rule(
            "set where messages are sent", _all(_ADMIN), Scope.ADMIN, place=Place.INSTALLATION
        ),
        Action.CAPACITY_VIEW: Rule(
            "see what capacity costs and could save", _all(_OPERATOR, _FINOPS, _AUDITOR), Scope.READ
        ),
        Action.FINDING_WORK: Rule("claim, file, postpone and dismiss findings", _all(_FINOPS), Scope.CHANGE),
        Action.CAPACITY_RULES: Rule(
            "set rules, discounts, spending plans and the value of predictions", _all(_FINOPS), Scope.CHANGE
        ),
        Action.AUDIT_READ: Rule(
            "read the audit history",
            _all(_REVIEWER, _OPERATOR, _AUDITOR)
            | dict.fromkeys((_REQUESTER, Role.SUPERVISOR, Role.FINOPS), Reach.OWN),
            Scope.AUDIT,
            place=Place.EITHER,
            new_is_own=True,
        ),
        Action.AUDIT_VERIFY: Rule(
            "verify the audit history",
            _all(_REVIEWER, _OPERATOR, Role.SUPERVISOR, _AUDITOR),
            Scope.AUDIT,
            place=Place.EITHER,
        ),
        # An administrator sees no endpoint, but must see what they decide.
        Action.BUDGET_VIEW: Rule("view latency budgets and proposals", _all(*_POWERS), Scope.READ),
        Action.BUDGET_PROPOSE: Rule(
            "propose a latency budget", _all(_REVIEWER, _OPERATOR, _ADMIN), Scope.CHANGE
        ),
        Action.BUDGET_DECIDE: Rule(
            "decide on a latency budget",
            {_ADMIN: Reach.UNINVOLVED},
            Scope.APPROVE,
            persons_only=True,
            thing="proposal",
        ),
        Action.WORKSPACE_SYNC: Rule(
            "read a workspace from Azure now",
            _all(_REQUESTER, _REVIEWER, _OPERATOR, Role.FINOPS, _ADMIN),
            Scope.CHANGE,
        ),
        Action.WORKSPACE_CONNECT: Rule(
            "connect or disconnect a workspace", _all(_ADMIN), Scope.ADMIN, place=Place.INSTALLATION
        ),
        Action.ACCESS_VIEW: Rule(
            "see people, grants, tokens and connected workspaces",
            _all(_AUDITOR, _ADMIN),
            Scope.ADMIN,
            place=Place.INSTALLATION,
        ),
        Action.GRANT: Rule("grant and end roles", _all(_ADMIN), Scope.ADMIN, place=Place.INSTALLATION),
        Action.USER_MANAGE: Rule(
            "create, change and disable accounts", _all(_ADMIN), Scope.ADMIN, place=Place.INSTALLATION
        ),
        Action.OTHERS_TOKENS: Rule(
            "revoke the tokens of others", _all(_ADMIN), None, place=Place.INSTALLATION
        ),
        Action.OWN_TOKENS: Rule(
            "create, list and revoke one's own tokens", {}, None, place=Place.INSTALLATION, everybody=True
        ),
    }
)
