"""Who counts, how many are needed, and until when: the pure rule of approvals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from endpoints.changes.plan import Base, put_split
from endpoints.changes.quorum import (
    ONE_REVIEWER,
    Approval,
    Quorum,
    Rule,
    Subject,
    highest,
    humans,
    matching,
    quorum,
)
from endpoints.holds.scope import Scope, Target

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
HASH = "a" * 64
NAMES = {1: "Vera", 2: "Vito", 3: "Walt", 4: "Vera's other account"}
SUBJECT = Subject(Target(7, "fraud-eu", "team-risk", {"owner": "team-risk", "tier": "1"}), 25)


def approval(
    reviewer: int, *, linked: tuple[int, ...] = (), age: timedelta = timedelta(), **more: object
) -> Approval:
    values = {"content_hash": HASH, "accepted": frozenset(), "refusal": ""} | more
    return Approval(reviewer_id=reviewer, accounts=frozenset({reviewer, *linked}), at=NOON - age, **values)


def judge(rules: list[Rule], *approvals: Approval, at: datetime = NOON) -> Quorum:
    return quorum(rules, approvals, content_hash=HASH, at=at, longest=DAY, names=NAMES)


def test_quorum__no_rule_matches__wants_one_reviewer() -> None:
    rules = matching([Rule("big", risk_weight=50, required=2)], SUBJECT)
    assert rules == [ONE_REVIEWER]
    assert judge(rules).missing == ("It needs one more approval.",)
    assert judge(rules, approval(1)).met


def test_quorum__rule_for_two__is_met_by_two_people_only() -> None:
    rules = [Rule("production", required=2)]
    one = judge(rules, approval(1))
    assert (one.needed, one.given, one.met) == (2, 1, False)
    assert one.missing == ("The rule “production” needs one more approval.",)
    assert judge(rules, approval(1), approval(2)).met


def test_quorum__two_accounts_of_one_person__count_once() -> None:
    rules = [Rule("production", required=2)]
    assert not judge(rules, approval(1, linked=(4,)), approval(4, linked=(1,))).met
    assert not judge(rules, approval(1), approval(4, linked=(1,))).met
    assert not judge(rules, approval(4, linked=(1,)), approval(1)).met


def test_quorum__two_people_who_share_a_service_account__are_two() -> None:
    assert judge([Rule("production", required=2)], approval(1, linked=(9,)), approval(2, linked=(9,))).met


def test_quorum__two_rules__each_must_be_met() -> None:
    rules = [Rule("risk", named=frozenset({1, 2})), Rule("data", named=frozenset({3}))]
    found = judge(rules, approval(1))
    assert found.missing == ("The rule “data” needs one more approval by Walt.",)
    assert found.needed == 2
    assert judge(rules, approval(1), approval(3)).met


def test_quorum__named_people__others_do_not_count() -> None:
    found = judge([Rule("risk", named=frozenset({1, 2}))], approval(3))
    assert found.missing == ("The rule “risk” needs one more approval by Vera or Vito.",)
    assert (found.given, found.needed) == (1, 2)


def test_quorum__approval_that_counts_no_more__is_none() -> None:
    assert not judge([ONE_REVIEWER], approval(1, refusal="lost the role")).met
    assert not judge([ONE_REVIEWER], approval(1, content_hash="b" * 64)).met
    assert not judge([ONE_REVIEWER], approval(1, age=DAY)).met
    assert judge([ONE_REVIEWER], approval(1, age=DAY - timedelta(seconds=1))).met


def test_quorum__met__ends_when_the_first_that_is_needed_is_too_old() -> None:
    rules = [Rule("production", required=2)]
    three = [approval(one, age=timedelta(hours=one)) for one in (1, 2, 3)]
    assert judge(rules, *three).until == NOON + timedelta(hours=22)  # the second oldest of three
    assert judge([ONE_REVIEWER], *three).until == NOON + timedelta(hours=23)
    assert judge(rules).until is None


def test_quorum__warnings__are_those_that_people_who_count_accepted() -> None:
    found = judge(
        [ONE_REVIEWER],
        approval(1, accepted=frozenset({"Capacity"})),
        approval(2, accepted=frozenset({"Probe"}), refusal="lost the role"),
    )
    assert found.accepted == {"Capacity"}


def test_matching__by_name_tag_and_weight() -> None:
    tagged = Rule("tier", Scope(7, "", "", "tier=1"))
    owned = Rule("owner", Scope(7, "", "", "owner=team-risk"))
    named = Rule("name", Scope(7, "fraud-*"))
    heavy = Rule("heavy", risk_weight=26)
    other = Rule("other", Scope(8))
    assert matching([tagged, owned, named, heavy, other], SUBJECT) == [tagged, owned, named]
    assert matching([heavy], Subject(SUBJECT.target, 26)) == [heavy]


def test_highest__is_of_deployments_that_gain() -> None:
    base = Base({"blue": 90, "green": 10}, {}, "")
    assert highest(base, (put_split({"blue": 70, "green": 30}, {}),)) == 30
    walked = (put_split({"green": 100}, {}), put_split({"blue": 80, "green": 20}, {}))
    assert highest(base, walked) == 100
    assert highest(base, (put_split({"blue": 95, "green": 5}, {}),)) == 95


def test_highest__endpoint_switched_off__is_the_highest_risk() -> None:
    assert highest(Base({"blue": 100}, {}, ""), (put_split({}, {}),)) == 100


PEOPLE = st.integers(1, 6)
PAIRS = {1: 2, 2: 1, 3: 4, 4: 3, 5: 6, 6: 5}
"""Two accounts of one human each."""
APPROVALS = st.lists(
    st.builds(
        lambda one, linked, hours, sealed, refused: approval(
            one,
            linked=(PAIRS[one],) if linked else (),
            age=timedelta(hours=hours),
            content_hash=HASH if sealed else "b" * 64,
            refusal="no" if refused else "",
        ),
        PEOPLE,
        st.booleans(),
        st.integers(0, 30),
        st.booleans(),
        st.booleans(),
    ),
    max_size=6,
    unique_by=lambda one: one.reviewer_id,
)
RULES = st.lists(
    st.builds(
        lambda required, named: Rule("r", required=required, named=frozenset(named)),
        st.integers(1, 3),
        st.sets(PEOPLE, max_size=3),
    ),
    min_size=1,
    max_size=3,
)


@given(RULES, APPROVALS)
def test_quorum__met__means_so_many_different_people_who_count(
    rules: list[Rule], approvals: list[Approval]
) -> None:
    found = judge(rules, *approvals)
    fresh = [one for one in approvals if one.content_hash == HASH and not one.refusal and one.at + DAY > NOON]
    for rule in rules:
        theirs = [one for one in fresh if not rule.named or one.reviewer_id in rule.named]
        if found.met:
            assert len(humans({one.reviewer_id: one.accounts for one in theirs})) >= rule.required
    assert found.given <= len(fresh)
    assert found.met == (found.until is not None)
    assert found.met or found.needed > found.given or any(rule.named for rule in rules)


@given(RULES, APPROVALS)
def test_quorum__until__is_the_very_moment_at_which_it_falls_short(
    rules: list[Rule], approvals: list[Approval]
) -> None:
    found = judge(rules, *approvals)
    if found.until is not None:
        assert judge(rules, *approvals, at=found.until - timedelta(microseconds=1)).met
        assert not judge(rules, *approvals, at=found.until).met


@given(RULES, APPROVALS, st.integers(0, 5))
def test_quorum__one_approval_less__never_helps(
    rules: list[Rule], approvals: list[Approval], index: int
) -> None:
    fewer = approvals[:index] + approvals[index + 1 :]
    assert judge(rules, *approvals).met or not judge(rules, *fewer).met


@given(RULES, APPROVALS)
def test_quorum__one_rule_more__never_loosens(rules: list[Rule], approvals: list[Approval]) -> None:
    assert judge(rules[:1], *approvals).met or not judge(rules, *approvals).met
