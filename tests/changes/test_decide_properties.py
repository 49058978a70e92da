"""What must hold of every decision, whatever the rows say and Azure shows."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from endpoints.changes import decide as d
from endpoints.changes.lifecycle import EXECUTING, IN_FORCE, Kind, State
from endpoints.changes.plan import rising
from tests.changes.deciding import BASE, CANARY, FOREIGN, LIMITS, at, call, forward, rollback, shows

SPLITS = st.sampled_from(
    [BASE, CANARY, FOREIGN, d.Split({}), d.Split.of({"blue": 100}, {"green": 10}), d.Split.of({"red": 100})]
)
MOMENTS = st.one_of(st.none(), st.floats(-90, 90).map(at))
STATES = st.one_of(
    st.just("Succeeded"),
    st.sampled_from(["Succeeded", "Failed", "Canceled", "Updating", "Creating", "Deleting", "Unknown", ""]),
)
DEPLOYMENTS = st.fixed_dictionaries({"blue": STATES}, optional={"green": STATES, "red": STATES})
FAILURES = st.builds(d.ReadFailure, st.sampled_from(d.Trouble), st.just("no"), MOMENTS)
EXISTS = st.sampled_from([True, True, True, False])
ENDPOINTS = st.builds(d.SeenEndpoint, EXISTS, SPLITS, STATES, DEPLOYMENTS, st.booleans())
OPERATIONS = st.builds(d.SeenOperation, st.booleans(), st.sampled_from(["", "Quota"]), MOMENTS)
SEEN = st.builds(
    d.Seen, st.one_of(ENDPOINTS, ENDPOINTS, FAILURES, st.none()), st.one_of(st.none(), FAILURES, OPERATIONS)
)
CALLS = st.builds(
    d.LastAttempt,
    st.floats(-90, 0).map(at),
    st.one_of(st.none(), st.sampled_from(d.AttemptOutcome)),
    MOMENTS,
    st.sampled_from(["", "409"]),
    st.booleans(),
    st.sampled_from(["", "https://arm/op"]),
    MOMENTS,
    st.sampled_from(["", "Quota"]),
)


@st.composite
def all_facts(draw, kinds=tuple(Kind)):
    kind = draw(st.sampled_from(kinds))
    return d.Facts(
        kind=kind,
        state=draw(st.sampled_from(sorted(EXECUTING - IN_FORCE if kind is Kind.ROLLBACK else EXECUTING))),
        target=draw(SPLITS),
        before=None if kind is Kind.ROLLBACK else draw(SPLITS),
        step_since=draw(st.floats(-4000, 0).map(at)),
        last=draw(st.one_of(st.none(), CALLS)),
        confirmed_at=draw(MOMENTS),
        rival_sent_at=draw(MOMENTS),
    )


def decided(facts, seen):
    return d.decide(facts, seen, at(0), LIMITS)


@settings(max_examples=200)
@given(all_facts(), SEEN)
def test_decision__same_arguments__is_the_same(facts, seen):
    assert decided(facts, seen) == decided(facts, seen)


@settings(max_examples=300)
@given(all_facts(kinds=(Kind.ROLLBACK,)), SEEN)
def test_rollback__whatever_azure_shows__is_never_stopped_by_drift_or_by_a_deployment(facts, seen):
    action = decided(facts, seen)
    assert not isinstance(action, d.Drift)
    if isinstance(action, d.Fail):
        assert isinstance(seen.endpoint, d.SeenEndpoint)
        assert not seen.endpoint.exists or seen.endpoint.provisioning_state == "Deleting"


@settings(max_examples=400)
@given(all_facts(), SEEN)
@example(forward(), shows(BASE))
@example(forward(last=call(-31, None)), shows(BASE))
@example(rollback(last=call(-1, None)), shows(CANARY))
def test_put__always__comes_after_every_unanswered_call_that_could_undo_it(facts, seen):
    if not isinstance(decided(facts, seen), d.Put):
        return
    bound = -LIMITS.in_flight
    assert facts.rival_sent_at is None or facts.rival_sent_at <= at(bound)
    if facts.kind is Kind.TRAFFIC and facts.last and facts.last.unresolved:
        assert facts.last.sent_at <= at(bound)


@settings(max_examples=400)
@given(all_facts(), SEEN)
@example(forward(), shows(BASE))
@example(forward(last=call(-31, None)), shows(BASE))
@example(rollback(last=call(-1, None)), shows(CANARY))
def test_put__always__rests_on_a_settled_reading_that_differs_from_the_target(facts, seen):
    if not isinstance(decided(facts, seen), d.Put):
        return
    assert isinstance(seen.endpoint, d.SeenEndpoint)
    assert seen.endpoint.exists
    assert seen.endpoint.provisioning_state in d.SETTLED
    assert seen.endpoint.split != facts.target
    assert facts.last is None or facts.last.retry_at is None or facts.last.retry_at <= at(0)
    if facts.kind is Kind.TRAFFIC:
        assert seen.endpoint.split == facts.before
        gaining = rising(seen.endpoint.split.live, facts.target.live)
        assert all(seen.endpoint.deployments.get(name) == "Succeeded" for name in gaining)


@settings(max_examples=400)
@given(all_facts(), SEEN)
@example(forward(State.VERIFYING), shows(CANARY))
@example(forward(State.VERIFYING, confirmed_at=at(-5)), shows(CANARY))
def test_confirmation__always__rests_on_a_settled_reading_of_the_target(facts, seen):
    action = decided(facts, seen)
    if not isinstance(action, (d.Confirm, d.StepDone)):
        return
    assert isinstance(seen.endpoint, d.SeenEndpoint)
    assert seen.endpoint.exists
    assert seen.endpoint.provisioning_state in d.SETTLED
    assert seen.endpoint.split == facts.target
    if isinstance(action, d.StepDone):
        assert facts.confirmed_at is not None
        assert facts.confirmed_at <= at(-LIMITS.second_read)


@settings(max_examples=300)
@given(all_facts(), SEEN)
def test_question__answered_once__is_not_asked_again(facts, seen):
    """Else the worker would ask Azure in a circle without a pause."""
    action = decided(facts, seen)
    assert not (isinstance(action, d.Poll) and seen.operation is not None)
    assert not (isinstance(action, d.Read) and seen.endpoint is not None)


@settings(max_examples=300)
@given(all_facts(), SEEN)
def test_wait__always__ends_in_the_future_and_says_why(facts, seen):
    action = decided(facts, seen)
    if not isinstance(action, d.Wait):
        return
    assert action.until > at(0)
    assert action.reason
