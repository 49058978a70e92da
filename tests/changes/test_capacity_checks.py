"""What is checked of capacity changes: each verdict with its reason, and nothing that means nothing for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from endpoints.changes import capacity, capacity_checks, hearing, scaling
from endpoints.changes.capacity import Peak, Replicas
from endpoints.changes.capacity_checks import Ground
from endpoints.changes.capacity_order import CapacityOrder, steps_of
from endpoints.changes.checks import Situation, run
from endpoints.changes.hearing import Heard, heard, judge_day, judge_scream
from endpoints.changes.plan import Base, patch_capacity
from endpoints.changes.quorum import highest
from endpoints.changes.scaling import Room
from endpoints.changes.verdict import Outcome, Verdict, overall
from tests.changes.capacities import AUTOSCALE, DELETE, DELETE_ENDPOINT, SCALE, document
from tests.changes.desk import ALL_BLUE

QUIET = Heard(0, 1400, 1400)
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
BASE = Base(ALL_BLUE, {}, "s")
GOOD = Situation(
    base=BASE,
    steps=(),
    live_split=ALL_BLUE,
    live_mirror={},
    deployments={"blue": "Succeeded", "green": "Succeeded"},
    endpoint_state="Succeeded",
    other_open=(),
    read_age=3.0,
    stale_after=120.0,
    peak=Peak(600.0, "yesterday"),
    replicas={"blue": Replicas(2, 500.0), "green": Replicas(2, 500.0)},
    rooms={"blue": Room("DSv2", 4, 100)},
    ground=Ground(heard={"green": QUIET}),
)


def of(order: CapacityOrder, **changed: Any) -> list[Verdict]:
    base = changed.get("base", BASE)
    counts = {"blue": 2, "green": 2}
    found = replace(GOOD, steps=steps_of(order, base, counts), live_split=base.split, live_mirror=base.mirror)
    return run(replace(found, **changed))


def one(verdicts: list[Verdict], name: str) -> Verdict:
    (found,) = [verdict for verdict in verdicts if verdict.name == name]
    return found


@pytest.mark.parametrize("order", [SCALE, AUTOSCALE, DELETE], ids=lambda order: order.want)
def test_checks__of_a_sound_order__pass(order: CapacityOrder) -> None:
    assert {verdict.outcome for verdict in of(order)} == {Outcome.PASS}


def test_checks__of_deletes_and_settings__say_nothing_of_load_or_quota() -> None:
    for order in (AUTOSCALE, DELETE, DELETE_ENDPOINT):
        names = {verdict.name for verdict in of(order, peak=Peak(None, "nothing"))}
        assert not names & {capacity.NAME, scaling.NAME, "Azure takes this split"}


def test_scale_up__without_quota__fails() -> None:
    assert one(of(SCALE, rooms={"blue": Room("DSv2", 4, 3)}), scaling.NAME).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("peak", "outcome"), [(300.0, Outcome.PASS), (450.0, Outcome.WARN), (600.0, Outcome.FAIL)]
)
def test_scale_down__is_judged_by_the_load_at_peak(peak: float, outcome: Outcome) -> None:
    found = one(of(replace(SCALE, instances=1), peak=Peak(peak, "yesterday")), capacity.NAME)
    assert found.outcome is outcome


def test_scale_down__of_what_carries_nothing__passes() -> None:
    assert one(of(replace(SCALE, deployment="green", instances=1)), capacity.NAME).passed


def test_scale__count_has_moved_since__must_be_accepted() -> None:
    found = one(of(SCALE, replicas={"blue": Replicas(3, 500.0)}), capacity_checks.FOUND)
    assert found.needs_acceptance
    assert "had 2 and has 3 now" in found.reason


@pytest.mark.parametrize("state", ["Failed", "Canceled"])
def test_broken_deployment__can_be_deleted_and_not_scaled(state: str) -> None:
    states = {"blue": state, "green": state}
    assert one(of(DELETE, deployments=states), capacity_checks.STANDS).passed
    assert one(of(SCALE, deployments=states), capacity_checks.STANDS).blocks


@pytest.mark.parametrize("states", [{"blue": "Succeeded"}, {"green": "Deleting"}, {"green": "Updating"}])
def test_deployment__gone_going_or_busy__blocks_its_delete(states: dict[str, str]) -> None:
    assert one(of(DELETE, deployments=states), capacity_checks.STANDS).blocks


def test_delete__of_what_has_a_share__judges_who_gets_it() -> None:
    base = Base({"blue": 50, "green": 50}, {}, "s")
    verdicts = of(DELETE, base=base, peak=Peak(1500.0, "yesterday"))
    assert one(verdicts, capacity.NAME).outcome is Outcome.FAIL
    assert one(verdicts, "Deployments that gain traffic are Succeeded").passed
    sent = one(verdicts, capacity_checks.SENT)
    assert sent.needs_acceptance
    assert "green carries 50" in sent.reason


def test_delete__of_what_is_mirrored_to__must_be_accepted() -> None:
    found = one(of(DELETE, base=Base(ALL_BLUE, {"green": 10}, "s")), capacity_checks.SENT)
    assert found.needs_acceptance
    assert "mirrored to green" in found.reason


def test_delete__of_what_was_promised__fails_with_the_reason() -> None:
    ground = replace(GOOD.ground, promised=("green: CR-7 took its traffic.",))
    found = one(of(DELETE, ground=ground), capacity_checks.PROMISED)
    assert (found.outcome, found.reason) == (Outcome.FAIL, "green: CR-7 took its traffic.")


def test_delete__that_takes_rollbacks_away__names_them_to_be_accepted() -> None:
    found = one(of(DELETE, ground=replace(GOOD.ground, lost=("green 100 %",))), capacity_checks.LOST)
    assert found.needs_acceptance
    assert "green 100 %" in found.reason


def test_endpoint__failed__can_be_deleted_and_nothing_else() -> None:
    assert one(of(DELETE_ENDPOINT, endpoint_state="Failed"), "Endpoint takes writes").passed
    assert one(of(DELETE, endpoint_state="Failed"), "Endpoint takes writes").blocks


def test_endpoint__with_live_traffic__its_delete_must_be_accepted() -> None:
    assert "blue carries 100" in one(of(DELETE_ENDPOINT), capacity_checks.SENT).reason


def test_autoscale__of_odd_shape__fails() -> None:
    assert overall(of(replace(AUTOSCALE, document=document(3, least=5)))).outcome is Outcome.FAIL


def test_risk__of_capacity_plans__counts_what_rises_and_what_is_switched_off() -> None:
    assert highest(BASE, steps_of(SCALE, BASE)) == 0
    shared = Base({"blue": 60, "green": 40}, {}, "s")
    assert highest(shared, steps_of(DELETE, shared)) == 100
    assert highest(BASE, steps_of(DELETE_ENDPOINT, BASE)) == 100
    assert highest(BASE, (patch_capacity("green", 1, ALL_BLUE, {}),)) == 0


# Who asks for it.


def minutes(count: int, requests: float | None = 0.0) -> dict[datetime, float | None]:
    return {NOON + number * timedelta(minutes=1): requests for number in range(count)}


SPAN = [(NOON, NOON + timedelta(minutes=100))]


def test_heard__nothing_in_known_minutes__is_silence() -> None:
    found = heard(minutes(100), SPAN)
    assert (found, found.enough) == (Heard(0, 100, 100), True)


def test_heard__minutes_outside_the_spans__do_not_count() -> None:
    late = {NOON + timedelta(minutes=100): 5.0, NOON - timedelta(minutes=1): 5.0}
    assert heard(minutes(100) | late, SPAN).requests == 0
    begun_within = [(NOON + timedelta(seconds=30), NOON + timedelta(minutes=3))]
    assert heard(minutes(100, 1.0), begun_within).minutes == 2


@pytest.mark.parametrize(("known", "enough"), [(90, True), (89, False), (0, False)])
def test_heard__more_than_a_tenth_unknown__is_not_enough(known: int, enough: bool) -> None:
    assert heard(minutes(known) | {NOON + timedelta(minutes=99): None}, SPAN).enough is enough


def test_heard__our_own_probes__are_left_out_wherever_azure_counted_them() -> None:
    counted = minutes(100) | {NOON + timedelta(minutes=6): 1.0, NOON + timedelta(minutes=50): 3.0}
    own = [NOON + timedelta(minutes=5, seconds=59), NOON + timedelta(minutes=50)]
    found = heard(counted, SPAN, own)
    assert (found.requests, found.last) == (2.0, NOON + timedelta(minutes=50))


def test_day__requests_at_weight_0__fail_and_say_by_header() -> None:
    found = judge_day({"green": Heard(3, 1400, 1400, NOON)})
    assert found.outcome is Outcome.FAIL
    assert "3 requests for green" in found.reason
    assert "by header" in found.reason


@pytest.mark.parametrize("unknown", [Heard(0, 1400, 0), Heard(0, 1400, 1000), Heard()])
def test_day__too_little_known__is_no_pass_and_can_be_accepted_by_name(unknown: Heard) -> None:
    found = judge_day({"green": unknown})
    assert (found.outcome, found.needs_acceptance) == (Outcome.INCONCLUSIVE, True)


def test_scream__requests__fail_however_short_it_was() -> None:
    found = judge_scream({"green": Heard(1, 2, 1, NOON)}, NOON, seconds=5)
    assert found.blocks
    assert "1 request for green" in found.reason


@pytest.mark.parametrize("unknown", [Heard(0, 1400, 1000), Heard()])
def test_scream__nobody_can_tell__blocks_and_cannot_be_accepted(unknown: Heard) -> None:
    found = judge_scream({"green": unknown}, NOON, seconds=60)
    assert found.blocks
    assert "Nobody can tell" in found.reason


def test_scream__of_less_than_a_minute__asks_nothing_of_metrics() -> None:
    assert judge_scream({"green": Heard()}, NOON, seconds=59).passed
    assert judge_scream({"green": QUIET}, NOON, seconds=86_400) == Verdict(
        hearing.SCREAM, Outcome.PASS, "No request since its weight is 0 (2026-11-26 12:00\u00a0UTC)."
    )
