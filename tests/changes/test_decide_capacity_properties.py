"""What must hold of every delete and every setting, whatever the rows say and Azure shows."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from endpoints.changes import decide as d
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.samesetting import covers, same
from tests.changes.capacities import SETTING, document
from tests.changes.deciding import BASE, LIMITS, at
from tests.changes.test_decide_capacity import SCALED, SETS, back, delete, delete_endpoint, listed, setting
from tests.changes.test_decide_properties import (
    CALLS,
    DEPLOYMENTS,
    EXISTS,
    FAILURES,
    MOMENTS,
    OPERATIONS,
    SPLITS,
)
from tests.changes.test_decide_properties import STATES as PROVISIONING

ORDERS: list[dict[str, Any]] = [
    {"deletes": "green"},
    {"deletes_endpoint": True},
    {"autoscale": SETS},
    {"autoscale": d.Autoscale("green", SETTING, None, document(4))},
    {"capacity": SCALED},
]
DELETING = ORDERS[:2]
# Whatever is most of the time as it should be, so that most examples get as far as a call.
USUAL_SPLITS = st.one_of(st.sampled_from([BASE, d.Split({})]), SPLITS)
ENDPOINTS = st.builds(
    d.SeenEndpoint,
    EXISTS,
    USUAL_SPLITS,
    PROVISIONING,
    DEPLOYMENTS,
    st.sampled_from([True, True, False]),
    st.dictionaries(st.sampled_from(["blue", "green"]), st.one_of(st.none(), st.integers(0, 6))),
    st.dictionaries(st.sampled_from(["blue", "green"]), MOMENTS),
)
SETTINGS = st.builds(d.SeenSetting, st.sampled_from([None, document(3), document(4), document(9)]))
SEEN = st.builds(
    d.Seen,
    st.one_of(ENDPOINTS, ENDPOINTS, FAILURES, st.none()),
    st.one_of(st.none(), FAILURES, OPERATIONS),
    st.one_of(SETTINGS, SETTINGS, FAILURES, st.none()),
)


@st.composite
def steps(draw: st.DrawFn, orders: list[dict[str, Any]] = ORDERS, kind: Kind = Kind.CAPACITY) -> d.Facts:
    split = draw(USUAL_SPLITS)
    return d.Facts(
        kind=kind,
        state=draw(st.sampled_from([State.APPLYING, State.APPLYING, State.VERIFYING])),
        target=split,
        before=None if kind is Kind.ROLLBACK else split,
        step_since=draw(st.floats(-4000, 0).map(at)),
        last=draw(st.one_of(st.none(), CALLS)),
        confirmed_at=draw(MOMENTS),
        rival_sent_at=draw(MOMENTS),
        essential=draw(st.booleans()),
        planned_at=draw(st.one_of(st.just(at(-600)), MOMENTS)),
        **draw(st.sampled_from(orders)),
    )


def decided(facts: d.Facts, seen: d.Seen) -> d.Action:
    return d.decide(facts, seen, at(0), LIMITS)


def goes(facts: d.Facts, endpoint: d.SeenEndpoint) -> set[str]:
    """What a delete takes with it."""
    return {facts.deletes} if facts.deletes else {*endpoint.deployments, *endpoint.split.live}


@settings(max_examples=500)
@given(steps(DELETING), SEEN)
@example(delete(), listed())
@example(delete_endpoint(), d.Seen(d.SeenEndpoint(True, d.Split({}), "Succeeded", {})))
def test_delete__sent__has_no_traffic_is_on_a_whole_list_rests_and_is_older_than_the_plan(
    facts: d.Facts, seen: d.Seen
) -> None:
    if not isinstance(decided(facts, seen), d.Put):
        return
    endpoint = seen.endpoint
    assert isinstance(endpoint, d.SeenEndpoint)
    assert endpoint.exists
    assert endpoint.complete
    assert not goes(facts, endpoint) & ({*endpoint.split.live} | {*endpoint.split.mirror})
    assert {endpoint.deployments[name] for name in goes(facts, endpoint)} <= d.SETTLED
    made = endpoint.created.get(facts.deletes)
    assert made is None or facts.planned_at is None or made <= facts.planned_at


@settings(max_examples=500)
@given(steps(DELETING), SEEN)
def test_delete__taken_for_done__is_missing_from_a_whole_list(facts: d.Facts, seen: d.Seen) -> None:
    if not isinstance(decided(facts, seen), (d.Confirm, d.StepDone)):
        return
    endpoint = seen.endpoint
    assert isinstance(endpoint, d.SeenEndpoint)
    if facts.deletes_endpoint:
        assert not endpoint.exists
    else:
        assert endpoint.exists
        assert endpoint.complete
        assert facts.deletes not in endpoint.deployments


@settings(max_examples=300)
@given(steps(DELETING, Kind.ROLLBACK), SEEN)
@example(back(deletes="green"), listed())
def test_rollback__whatever_azure_shows__deletes_nothing(facts: d.Facts, seen: d.Seen) -> None:
    assert not isinstance(decided(facts, seen), d.Put)


@settings(max_examples=400)
@given(steps(ORDERS[2:4]), SEEN)
@example(d.Facts(Kind.CAPACITY, State.APPLYING, BASE, BASE, at(0), autoscale=SETS), setting(document(4)))
def test_autoscale__put__overwrites_only_what_was_known(facts: d.Facts, seen: d.Seen) -> None:
    action = decided(facts, seen)
    assert facts.autoscale is not None
    if isinstance(action, d.Put):
        assert isinstance(seen.setting, d.SeenSetting)
        assert same(facts.autoscale.previous, seen.setting.document)
    if isinstance(action, (d.Confirm, d.StepDone)):
        assert isinstance(seen.setting, d.SeenSetting)
        assert covers(facts.autoscale.document, seen.setting.document)


@settings(max_examples=400)
@given(steps(), SEEN)
def test_call__of_whatever_is_beside_the_split__leaves_the_split_that_was_approved(
    facts: d.Facts, seen: d.Seen
) -> None:
    if isinstance(decided(facts, seen), d.Put):
        assert isinstance(seen.endpoint, d.SeenEndpoint)
        assert seen.endpoint.split == facts.before
        assert seen.endpoint.provisioning_state in d.SETTLED


@settings(max_examples=400)
@given(st.one_of(steps(), steps(ORDERS[2:], Kind.ROLLBACK)), SEEN)
def test_decision__of_any_step__asks_nothing_twice_and_waits_for_what_is_to_come(
    facts: d.Facts, seen: d.Seen
) -> None:
    action = decided(facts, seen)
    assert not (isinstance(action, d.Poll) and seen.operation is not None)
    assert not (isinstance(action, d.Read) and seen.endpoint is not None)
    assert not (isinstance(action, d.ReadSetting) and seen.setting is not None)
    if isinstance(action, d.Wait):
        assert action.until > at(0)
        assert action.reason


@settings(max_examples=300)
@given(steps(ORDERS[2:], Kind.ROLLBACK), SEEN)
def test_rollback__of_what_is_beside__is_never_stopped_by_drift(facts: d.Facts, seen: d.Seen) -> None:
    assert not isinstance(decided(facts, seen), d.Drift)
