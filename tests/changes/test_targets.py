"""Where a rollback may go, and what is offered first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from endpoints.changes.targets import Candidate, Past, candidates, find, issue, key_of

OLD, NEW, HALF = {"blue": 100}, {"green": 100}, {"blue": 50, "green": 50}
BOTH = {"blue": "Succeeded", "green": "Succeeded"}


def past(number, base, last, *, rollback=False, active=False, succeeded=True):
    return Past(number, rollback, active, succeeded and not active, (base, {}), (last, {}))


def offered(history, now, *, deployments=BOTH, verified=()):
    return issue(
        now_split=now,
        now_mirror={},
        candidates=candidates(history, verified),
        deployments=deployments,
        active=any(one.active for one in history),
    )


def chosen(targets):
    return next((target.split for target in targets if target.preselected), None)


def test_targets__change_at_work__its_base_comes_first():
    targets = offered([past(2, HALF, NEW, active=True), past(1, OLD, HALF)], HALF)
    assert targets[0].split == HALF
    assert chosen(targets) == HALF
    assert targets[0].source == "In force before CR-2"


def test_targets__nothing_at_work__the_split_before_the_last_completed_change():
    targets = offered([past(2, HALF, NEW), past(1, OLD, HALF)], NEW)
    assert chosen(targets) == HALF
    assert NEW not in [target.split for target in targets]


def test_targets__after_a_rollback__the_split_that_was_fled_is_last_of_the_known_and_not_preselected():
    history = [past(3, NEW, OLD, rollback=True), past(2, OLD, NEW)]
    targets = offered(history, OLD)
    fled = next(target for target in targets if target.split == NEW)
    assert not fled.preselected
    assert "rolled back from" in fled.warning
    assert chosen(targets) is None


def test_targets__fled_and_later_approved_again__is_sound_again():
    history = [past(4, OLD, NEW), past(3, NEW, OLD, rollback=True), past(2, OLD, NEW)]
    targets = offered([past(5, NEW, HALF), *history], HALF)
    assert chosen(targets) == NEW


def test_targets__failed_change__what_it_ordered_counts_as_fled():
    history = [past(3, OLD, HALF), past(2, OLD, NEW, succeeded=False)]
    verified = [Candidate(NEW, {}, "Read from Azure")]
    assert [c.fled for c in candidates(history, verified) if c.split == NEW] == [True]


def test_targets__rollback_at_work__its_own_goal_comes_first():
    history = [past(3, NEW, OLD, rollback=True, active=True), past(2, OLD, NEW)]
    targets = offered(history, NEW)
    assert targets[0].split == OLD
    assert "running rollback CR-3" in targets[0].source


def test_targets__deployment_is_gone__can_not_be_picked_and_the_next_one_is():
    history = [past(2, {"red": 100}, NEW), past(1, OLD, {"red": 100})]
    targets = offered(history, NEW)
    assert targets[0].refusal == "red no longer exists."
    assert not targets[0].eligible
    assert chosen(targets) == OLD


def test_targets__deployment_is_not_succeeded__warns_but_may_be_picked():
    targets = offered([past(1, OLD, NEW)], NEW, deployments={"blue": "Failed", "green": "Succeeded"})
    assert targets[0].eligible
    assert "blue is Failed" in targets[0].warning


def test_targets__endpoint_was_off_before__is_offered_with_a_warning_and_never_preselected():
    targets = offered([past(1, {}, NEW)], NEW)
    assert targets[0].split == {}
    assert "404" in targets[0].warning
    assert chosen(targets) is None


def test_targets__no_history__every_deployment_alone_and_none_preselected():
    targets = offered([], HALF)
    assert [target.split for target in targets] == [{"blue": 100}, {"green": 100}]
    assert chosen(targets) is None


def test_key__same_split_spelt_differently__is_the_same():
    assert key_of({"Blue": 100, "green": 0}, {}) == key_of({"blue": 100}, {})
    assert key_of({"blue": 100}, {}) != key_of({"blue": 100}, {"green": 5})


def test_find__unknown_key__is_none():
    assert find(offered([], HALF), "no such key") is None


SPLITS = st.sampled_from([OLD, NEW, HALF, {"red": 100}, {}])
PASTS = st.builds(past, st.integers(1, 9), SPLITS, SPLITS, rollback=st.booleans(), succeeded=st.booleans())


@given(st.lists(PASTS, max_size=6), SPLITS, st.sampled_from([BOTH, {"blue": "Failed"}, {}]))
def test_targets__any_history__are_distinct_and_never_choose_a_fled_refused_or_empty_one(
    history, now, standing
):
    targets = offered(history, now, deployments=standing)
    assert len({target.key for target in targets}) == len(targets)
    picked = [target for target in targets if target.preselected]
    assert len(picked) <= 1
    for target in picked:
        assert target.eligible
        assert target.split
        assert "rolled back from" not in target.warning
