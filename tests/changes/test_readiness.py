"""The standing light: would a rollback work now?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from endpoints.changes.capacity import Peak, Replicas
from endpoints.changes.models import Executor, Readiness
from endpoints.changes.readiness import Answered, Drilled, Picture, Times, light
from endpoints.changes.scaling import ScaleFirst
from endpoints.changes.selectors import kept_lights, readiness_of, rollback_offer
from endpoints.changes.services.readiness import EVERY, refresh
from endpoints.changes.targets import Target, key_of
from endpoints.changes.verdict import Outcome
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment
from endpoints.metrics.services import write_minutes
from tests.changes.desk import ALL_BLUE, ALL_GREEN
from tests.changes.test_rollback import completed
from tests.metrics.storing import row
from tests.support.people import make_endpoint, principal

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TARGET = Target("k", {"blue": 100}, {}, "In force before CR-7", preselected=True)
GOOD = Picture(
    live={"green": 100},
    mirror={},
    target=TARGET,
    deployments={"blue": "Succeeded", "green": "Succeeded"},
    peak=Peak(600.0, "yesterday"),
    replicas={"blue": Replicas(2, 500.0), "green": Replicas(2, 500.0)},
    scale=ScaleFirst({}, ""),
    answers={"blue": Answered(Outcome.PASS, "200 in 80 ms.", NOW - timedelta(hours=1))},
    sampled=True,
    drill=Drilled(9, NOW - timedelta(days=3), True, ""),
    times=Times((20.0, 30.0, 100.0), (90.0,)),
    executor_age=1.0,
    executor_alive=True,
    read_age=3.0,
    stale_after=120.0,
    at=NOW,
)


def test_light__everything_known_and_good__passes_and_tells_how_long_it_takes():
    found = light(GOOD)
    assert found.outcome is Outcome.PASS
    assert {verdict.outcome for verdict in found.reasons} == {Outcome.PASS}
    assert (found.target, found.drillable, found.rollbacks) == ({"blue": 100}, "", 3)
    assert (found.seconds, found.seconds_p95, found.observed_seconds) == (30.0, 100.0, 90.0)
    assert found.last_drill == NOW - timedelta(days=3)


@pytest.mark.parametrize(
    ("wrong", "outcome", "words"),
    [
        ({"target": None}, Outcome.WARN, "No earlier split is on record"),
        ({"deployments": {"green": "Succeeded"}}, Outcome.FAIL, "Not there any more: blue"),
        ({"deployments": {"blue": "Failed", "green": "Succeeded"}}, Outcome.FAIL, "blue is Failed"),
        ({"deployments": {"blue": "Updating", "green": "Succeeded"}}, Outcome.INCONCLUSIVE, "Updating"),
        ({"replicas": {"blue": Replicas(1, 500.0)}}, Outcome.FAIL, "120 %"),
        ({"replicas": {"blue": Replicas(2, 350.0)}}, Outcome.WARN, "86 %"),
        ({"replicas": {}}, Outcome.INCONCLUSIVE, "not known"),
        ({"peak": Peak(None, "")}, Outcome.INCONCLUSIVE, "No load was measured"),
        ({"sampled": False}, Outcome.INCONCLUSIVE, "No sample request is set"),
        ({"answers": {}}, Outcome.INCONCLUSIVE, "Never asked: blue"),
        ({"answers": {"blue": Answered(Outcome.FAIL, "It answered 424.", NOW)}}, Outcome.FAIL, "424"),
        (
            {"answers": {"blue": Answered(Outcome.PASS, "", NOW - timedelta(days=2))}},
            Outcome.INCONCLUSIVE,
            "Last asked",
        ),
        ({"drill": None}, Outcome.WARN, "No drill was ever made"),
        ({"drill": Drilled(9, NOW - timedelta(days=91), True, "")}, Outcome.WARN, "older than 90 days"),
        ({"drill": Drilled(9, NOW, False, "It drifted.")}, Outcome.WARN, "It drifted."),
        ({"executor_alive": False}, Outcome.FAIL, "would be carried out"),
        ({"executor_alive": False, "executor_age": None}, Outcome.FAIL, "None ever ran"),
        ({"read_age": 121.0}, Outcome.INCONCLUSIVE, "121"),
    ],
)
def test_light__one_thing_wrong__is_not_ready_and_says_what(wrong, outcome, words):
    found = light(replace(GOOD, **wrong))
    assert found.outcome is outcome
    assert words in found.words.replace("\u00a0", " ")


def test_light__of_one_deployment__says_that_there_is_nothing_to_go_back_to():
    found = light(replace(GOOD, target=None, deployments={"green": "Succeeded"}, drill=None))
    assert found.outcome is Outcome.WARN
    assert "nothing to go back to" in found.words
    assert found.drillable.startswith("Not drillable")
    assert found.target is None


def test_light__too_small_with_a_proposal__names_it():
    scale = ScaleFirst({"blue": 2}, "", None)
    found = light(replace(GOOD, replicas={"blue": Replicas(1, 500.0)}, scale=scale))
    assert "Scale first: blue to 2" in found.words


def test_light__never_timed__has_no_seconds():
    found = light(replace(GOOD, times=Times()))
    assert (found.seconds, found.seconds_p95, found.observed_seconds, found.rollbacks) == (
        None,
        None,
        None,
        0,
    )


def outcomes(found):
    return {verdict.name: verdict.outcome for verdict in found.reasons}


def test_readiness_of__a_completed_change__goes_back_to_its_base(desk):
    completed(desk, ALL_GREEN)
    Executor.objects.create(name="one", started_at=db_now(), beat_at=db_now())
    found = readiness_of(desk.endpoint_id)
    assert found.target == ALL_BLUE
    told = outcomes(found)
    assert told["There is a split to go back to"] is Outcome.PASS
    assert told["Its deployments stand and are Succeeded"] is Outcome.PASS
    assert told["Replicas can carry their share at peak load"] is Outcome.PASS
    assert told["An executor is at work"] is Outcome.PASS
    assert told["Its deployments answer directly"] is Outcome.INCONCLUSIVE


def test_readiness_of__rollbacks_that_were_confirmed__are_timed(desk):
    completed(desk, ALL_GREEN)
    rollback = desk.roll_back().change_id
    change = desk.change(rollback)
    type(change).objects.filter(pk=rollback).update(confirmed_at=change.started_at + timedelta(seconds=12))
    desk.finish(rollback, "succeeded")
    found = readiness_of(desk.endpoint_id)
    assert (found.seconds, found.rollbacks) == (12.0, 1)


def test_refresh__of_what_is_due__is_kept_for_lists_and_not_repeated_at_once(desk):
    assert refresh() == 1
    assert refresh() == 0
    kept = kept_lights([desk.endpoint_id])[desk.endpoint_id]
    assert kept.outcome is Outcome.FAIL  # no executor ever ran
    assert {verdict.name for verdict in kept.reasons} == set(outcomes(readiness_of(desk.endpoint_id)))
    Readiness.objects.update(at=db_now() - EVERY)
    assert refresh() == 1


def test_refresh__one_more_than_it_takes__is_left_for_the_next_time(desk, workspace):
    make_endpoint(workspace, "home-recs")
    assert (refresh(limit=1), refresh(limit=1), refresh(limit=1)) == (1, 1, 0)


def test_kept_lights__of_one_never_looked_at__are_not_there(desk):
    assert kept_lights([desk.endpoint_id]) == {}


def test_offer__a_target_that_is_too_small_now__proposes_to_scale_it_first(desk):
    completed(desk, ALL_GREEN)
    assert rollback_offer(principal(desk.operator), desk.endpoint_id, desk.workspace.pk).scale_first == {}
    busy(desk.endpoint_id, "blue", requests=500, instances=1, cpu_max=80)
    busy(desk.endpoint_id, "green", requests=1400, instances=2, cpu_max=70)
    Deployment.objects.filter(endpoint=desk.endpoint_id).update(instance_count=2)
    offer = rollback_offer(principal(desk.operator), desk.endpoint_id, desk.workspace.pk)
    proposed = offer.scale_first[key_of(ALL_BLUE, {})]
    assert proposed.instances["blue"] > 2
    assert "would carry it" in proposed.words
    assert proposed.quota is not None and proposed.quota.outcome is Outcome.INCONCLUSIVE  # never read here
    light_now = readiness_of(desk.endpoint_id)
    assert f"Scale first: blue to {proposed.instances['blue']}" in str(light_now.reasons)


def busy(endpoint_id, name, **columns):
    """Half an hour of this load an hour ago."""
    number = Deployment.objects.get(endpoint=endpoint_id, name_key=name).pk
    begin = db_now().astimezone(UTC).replace(second=0, microsecond=0) - timedelta(minutes=60)
    rest = {"status_5xx": 0, "model_errors": 0, "status_429": 0, "p95": 50}
    write_minutes(row(number, begin + timedelta(minutes=each), **columns, **rest) for each in range(30))
