"""Rolling a capacity change back: what is offered, what is ordered in which order, and what can't be any more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from endpoints.access.models import User
from endpoints.changes import services
from endpoints.changes.models import Change
from endpoints.changes.plan import Base, patch_capacity, put_autoscale, put_split
from endpoints.changes.selectors import Offer, rollback_offer
from endpoints.changes.services.rollback import order_automatic_rollback
from endpoints.changes.targets import Target
from endpoints.changes.undo import NOTHING, Beside, Setting, essential, goal, way_back
from endpoints.core.errors import Conflict, Refused
from tests.changes.capacities import (
    AUTOSCALE,
    DELETE,
    SCALE,
    SETTING,
    ask,
    begun,
    document,
    done,
    has,
    plan,
    scaled,
)
from tests.changes.desk import ALL_BLUE, ALL_GREEN, HALF, Desk, history, ledger
from tests.support.people import principal

NOW = Base(ALL_BLUE, {}, "h")
BACK = Beside({"blue": 2})


def offer(desk: Desk, by: User | None = None) -> Offer:
    return rollback_offer(principal(by or desk.operator), desk.endpoint_id, desk.workspace.pk)


def chosen(desk: Desk) -> Target:
    found = offer(desk).preselected
    assert found is not None
    return found


def take(desk: Desk, target: Target, by: User | None = None, **more: Any) -> int:
    return services.roll_back(
        principal=principal(by or desk.operator), endpoint_id=desk.endpoint_id, target_key=target.key, **more
    ).change_id


# The steps.


def test_way_back__split_is_in_force__orders_what_is_beside_it_alone() -> None:
    assert way_back(ALL_BLUE, {}, BACK, now=NOW, scale_first={}) == (patch_capacity("blue", 2, ALL_BLUE, {}),)


def test_way_back__another_split__goes_first_then_instances_then_autoscale() -> None:
    setting = Setting("blue", SETTING, document(4), document(3))
    steps = way_back(HALF, {}, Beside({"blue": 2}, setting), now=NOW, scale_first={"green": 5, "blue": 9})
    assert steps == (
        patch_capacity("green", 5, ALL_BLUE, {}),
        put_split(HALF, {}),
        patch_capacity("blue", 2, HALF, {}),
        put_autoscale("blue", SETTING, document(4), document(3), HALF, {}),
    )
    assert goal(steps) == (HALF, {}, Beside({"blue": 2}, setting))


def test_way_back__nothing_beside__is_the_split_even_where_it_is_in_force() -> None:
    assert way_back(ALL_BLUE, {}, NOTHING, now=NOW, scale_first={}) == (put_split(ALL_BLUE, {}),)


def test_goal__of_a_rollback_that_scales_first__is_its_split_alone() -> None:
    steps = way_back(HALF, {}, NOTHING, now=NOW, scale_first={"green": 5})
    assert goal(steps) == (HALF, {}, NOTHING)


def test_essential__scaling_first_is_not_and_what_comes_after_the_split_is() -> None:
    steps = way_back(HALF, {}, BACK, now=NOW, scale_first={"green": 5})
    assert [essential(steps, number) for number in range(3)] == [False, True, True]


# Scaled.


def test_scaled__newest_completed__undoing_it_is_chosen_and_says_so(desk: Desk) -> None:
    number = scaled(desk)
    target = chosen(desk)
    assert target.source == f"2 instances of blue again, as before CR-{number}"
    assert (target.split, target.instances, target.undoes) == (ALL_BLUE, {"blue": 2}, number)


def test_scaled__rolled_back__orders_the_instances_under_the_same_split(desk: Desk) -> None:
    number = scaled(desk)
    back = take(desk, chosen(desk))
    assert plan(back) == (patch_capacity("blue", 2, ALL_BLUE, {}),)
    assert desk.change(back).reverts_id == number


def test_scaled__rolled_back_twice__is_one_while_it_runs_and_when_it_is_done(desk: Desk) -> None:
    scaled(desk)
    target = chosen(desk)
    back = take(desk, target)
    assert take(desk, target, by=desk.reviewer) == back
    has(desk, 2)
    done(desk, back)
    assert take(desk, target) == back


def test_scaled__rolled_back__is_offered_no_more_and_nothing_is_chosen(desk: Desk) -> None:
    scaled(desk)
    back = take(desk, chosen(desk))
    has(desk, 2)
    done(desk, back)
    assert offer(desk).preselected is None
    assert not [target for target in offer(desk).targets if target.beside]


def test_scaled__by_somebody_else_back__is_offered_no_more(desk: Desk) -> None:
    scaled(desk)
    has(desk, 2)
    assert not [target for target in offer(desk).targets if target.beside]


def test_scaled__and_traffic_moved_since__the_traffic_is_chosen_and_the_rest_still_offered(
    desk: Desk,
) -> None:
    number = scaled(desk)
    done(desk, desk.start(desk.approve(desk.request(HALF))))
    desk.azure_shows(HALF, deployments={"blue": {"sku": {"name": "Default", "capacity": 4}}, "green": {}})
    target = chosen(desk)
    assert (target.split, target.beside) == (ALL_BLUE, NOTHING)
    other = next(one for one in offer(desk).targets if one.undoes == number)
    assert plan(take(desk, other)) == (put_split(ALL_BLUE, {}), patch_capacity("blue", 2, ALL_BLUE, {}))


def test_scaled_twice__only_the_newer_one_is_undone(desk: Desk) -> None:
    scaled(desk, 4)
    second = scaled(desk, 6)
    found = [target for target in offer(desk).targets if target.beside]
    assert [(target.undoes, dict(target.instances)) for target in found] == [(second, {"blue": 4})]


def test_scaling__at_work_though_azure_shows_no_difference_yet__is_ordered_back(desk: Desk) -> None:
    number = begun(desk)
    back = take(desk, chosen(desk))
    assert plan(back) == (patch_capacity("blue", 2, ALL_BLUE, {}),)
    assert history(number)[-1] == "superseded"


def test_scaling__that_failed__is_offered_and_not_chosen(desk: Desk) -> None:
    number = done(desk, begun(desk), "failed")
    has(desk, 4)
    target = next(one for one in offer(desk).targets if one.undoes == number)
    assert target.eligible
    assert not target.preselected
    assert "rolled back from" not in target.warning


def test_scaling__rolled_back_by_the_portal_itself__goes_back_whole(desk: Desk) -> None:
    number = begun(desk)
    order_automatic_rollback(desk.change(number), reason="blue is Failed.")
    back = Change.objects.get(reverts=number)
    assert plan(back.pk) == (patch_capacity("blue", 2, ALL_BLUE, {}),)


# Autoscale.


def test_autoscale__rolled_back__puts_back_what_stood(desk: Desk) -> None:
    number = done(desk, begun(desk, AUTOSCALE))
    target = chosen(desk)
    assert target.source == f"The autoscale setting of blue again, as before CR-{number}"
    (step,) = plan(take(desk, target))
    assert (step.document, step.previous) == (document(4), document(3))


def test_autoscale__where_there_was_none__is_taken_away_again(desk: Desk) -> None:
    done(desk, begun(desk, replace(AUTOSCALE, previous=None)))
    target = chosen(desk)
    assert target.source.startswith("No autoscale setting of blue again")
    assert plan(take(desk, target))[0].document is None


def test_autoscale__with_fractions__reaches_the_ledger(desk: Desk) -> None:
    number = done(desk, begun(desk, AUTOSCALE))
    back = take(desk, chosen(desk))
    assert ledger(number)[0] == "change.requested.capacity"
    assert ledger(back) == ["change.requested.rollback"]


# Deletes.


def test_scream_test__rolled_back__gives_the_traffic_back(desk: Desk) -> None:
    desk.azure_shows(HALF)
    number = begun(desk, DELETE)
    desk.azure_shows(ALL_BLUE)
    target = chosen(desk)
    assert (target.split, target.source) == (HALF, f"In force before CR-{number}")
    assert plan(take(desk, target)) == (put_split(HALF, {}),)


def test_deleted__cannot_be_rolled_back_and_says_where_its_files_are(desk: Desk) -> None:
    desk.azure_shows(HALF)
    number = done(desk, begun(desk, DELETE))
    desk.azure_shows(ALL_BLUE, deployments=["blue", "red"])
    target = next(one for one in offer(desk).targets if one.split == HALF)
    assert target.refusal == f"green was deleted by CR-{number}; its files are kept."
    with pytest.raises(Conflict, match="files are kept"):
        take(desk, target)


# Who may.


def test_capacity__rolled_back_by_finops_who_asked_for_it__is_refused_with_the_reason(
    desk: Desk, finops: User
) -> None:
    done(desk, desk.start(desk.approve(ask(desk, SCALE, by=finops))))
    has(desk, 4)
    assert "role" in offer(desk, finops).decision.reason
    with pytest.raises(Refused):
        take(desk, chosen(desk), by=finops)


def test_capacity__rolled_back_by_the_requester_who_asked_for_it__is_taken(desk: Desk) -> None:
    scaled(desk)
    assert take(desk, chosen(desk), by=desk.requester)


def test_traffic__after_a_capacity_change__can_be_rolled_back_at_once(desk: Desk) -> None:
    done(desk, desk.start(desk.approve(desk.request(ALL_GREEN))))
    desk.azure_shows(ALL_GREEN, deployments=["blue", "green"])
    number = begun(desk, replace(SCALE, deployment="green"))
    receipt = desk.roll_back(ALL_BLUE)
    assert plan(receipt.change_id) == (put_split(ALL_BLUE, {}),)
    assert desk.state(number) == "superseded"


def test_traffic__rolled_back_after_a_capacity_change_was_done__undoes_the_traffic_and_not_that(
    desk: Desk,
) -> None:
    moved = done(desk, desk.start(desk.approve(desk.request(ALL_GREEN))))
    desk.azure_shows(ALL_GREEN)
    done(desk, begun(desk, replace(SCALE, deployment="green")))
    receipt = desk.roll_back(ALL_BLUE)
    assert desk.change(receipt.change_id).reverts_id == moved
