"""The automatic checks: each verdict with its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from endpoints.changes import scaling
from endpoints.changes.capacity import Peak, Replicas
from endpoints.changes.checks import Situation, run
from endpoints.changes.plan import Base, patch_capacity, put_split
from endpoints.changes.probing import Direct
from endpoints.changes.scaling import Room
from endpoints.changes.verdict import Outcome, overall

GOOD = Situation(
    base=Base({"blue": 100}, {}, "s"),
    steps=(put_split({"blue": 90, "green": 10}, {}),),
    live_split={"blue": 100},
    live_mirror={},
    deployments={"blue": "Succeeded", "green": "Succeeded"},
    endpoint_state="Succeeded",
    other_open=(),
    read_age=3.0,
    stale_after=120.0,
    peak=Peak(600.0, "yesterday"),
    replicas={"blue": Replicas(2, 500.0), "green": Replicas(2, 500.0)},
)


def test_checks__all_in_order__pass():
    assert {verdict.outcome for verdict in run(GOOD)} == {Outcome.PASS}


@pytest.mark.parametrize(
    ("wrong", "outcome", "words"),
    [
        ({"steps": (put_split({"blue": 90, "green": 5}, {}),)}, Outcome.FAIL, "sum to 95"),
        ({"steps": (put_split({"blue": 90, "red": 10}, {}),)}, Outcome.FAIL, "red is not a deployment"),
        ({"steps": (put_split({"blue": 100}, {"green": 60}),)}, Outcome.FAIL, "60"),
        ({"deployments": {"blue": "Succeeded"}}, Outcome.FAIL, "green"),
        ({"deployments": {"blue": "Succeeded", "green": "Failed"}}, Outcome.FAIL, "green is Failed"),
        ({"deployments": {"blue": "Succeeded", "green": "Updating"}}, Outcome.FAIL, "green is Updating"),
        ({"endpoint_state": "Failed"}, Outcome.FAIL, "Failed"),
        ({"endpoint_state": "Deleting"}, Outcome.FAIL, "Deleting"),
        ({"endpoint_state": "Updating"}, Outcome.INCONCLUSIVE, "Updating"),
        ({"endpoint_state": ""}, Outcome.INCONCLUSIVE, "unknown"),
        ({"live_split": {"green": 100}}, Outcome.FAIL, "now reports green"),
        ({"live_mirror": {"green": 10}}, Outcome.FAIL, "mirrored"),
        ({"other_open": (7, 9)}, Outcome.FAIL, "CR-7, CR-9"),
        ({"read_age": None}, Outcome.INCONCLUSIVE, "never read"),
        ({"read_age": 121.0}, Outcome.INCONCLUSIVE, "121"),
        ({"unreadable": "Not understood since noon."}, Outcome.ERROR, "since noon"),
    ],
)
def test_checks__one_thing_wrong__hold_the_change_and_say_what(wrong, outcome, words):
    worst = overall(run(replace(GOOD, **wrong)))
    assert worst.outcome is outcome
    assert words in worst.reason.replace("\u00a0", " ")


def test_checks__deployment_that_only_loses_traffic_is_failed__pass():
    states = {"blue": "Failed", "green": "Succeeded"}
    assert overall(run(replace(GOOD, deployments=states))).passed


def test_checks__an_unreadable_endpoint_read_just_now__is_still_an_error():
    assert not overall(run(replace(GOOD, unreadable="No.", read_age=0.0))).passed


def test_checks__of_a_plan_that_scales__look_at_quota():
    steps = (patch_capacity("green", 4, {"blue": 100}, {}), *GOOD.steps)
    names = [verdict.name for verdict in run(replace(GOOD, steps=steps))]
    assert scaling.NAME in names
    assert scaling.NAME not in [verdict.name for verdict in run(GOOD)]
    short = overall(run(replace(GOOD, steps=steps, rooms={"green": Room("DSv2", 4, 3)})))
    assert (short.name, short.outcome) == (scaling.NAME, Outcome.FAIL)
    enough = overall(run(replace(GOOD, steps=steps, rooms={"green": Room("DSv2", 4, 8)})))
    assert enough.passed


def test_checks__of_a_plan_of_several_steps_without_a_sample__are_told_of_it():
    steps = (*GOOD.steps, put_split({"green": 100}, {}))
    direct = Direct(False, ["green"], [], {})
    worst = overall(run(replace(GOOD, steps=steps, direct=direct)))
    assert (worst.outcome, worst.acceptable) == (Outcome.INCONCLUSIVE, True)
    assert overall(run(replace(GOOD, direct=direct))).passed
