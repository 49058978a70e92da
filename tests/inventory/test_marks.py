"""What a person should notice, and how badly."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from endpoints.inventory import marks
from endpoints.inventory.marks import DeploymentFacts, EndpointFacts, Severity
from tests.inventory.support import at

BLUE, GREEN = DeploymentFacts("Blue", "Succeeded", 2), DeploymentFacts("green", "Succeeded", 1)
FINE = EndpointFacts(
    provisioning_state="Succeeded",
    auth_mode="AADToken",
    public_network_access="Disabled",
    owner="payments",
    traffic={"blue": 90, "green": 10},
    mirror_traffic={},
    deployments=(BLUE, GREEN),
)


def codes(**changes) -> dict[str, str]:
    return {mark.code: mark.severity.word for mark in marks.find(replace(FINE, **changes))}


def test_endpoint__in_order__has_no_mark():
    assert marks.find(FINE) == ()
    assert marks.worst(()) is Severity.QUIET


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"provisioning_state": "Failed"}, {"failed": "bad"}),
        ({"provisioning_state": "Canceled"}, {"canceled": "warn"}),
        ({"provisioning_state": "Updating"}, {"busy": "running"}),
        ({"provisioning_state": ""}, {"state-unknown": "unknown"}),
        ({"provisioning_state": "Hibernating"}, {"state-unknown": "unknown"}),
        ({"auth_mode": "key"}, {"key-auth": "quiet"}),
        ({"public_network_access": "enabled"}, {"public": "quiet"}),
        ({"owner": ""}, {"no-owner": "quiet"}),
        ({"traffic": {}}, {"switched-off": "quiet"}),
        ({"traffic": {}, "deployments": ()}, {"no-deployment": "quiet"}),
        ({"drift": "traffic"}, {"drift": "warn"}),
        ({"unreadable_reason": "properties is str"}, {"unreadable": "unknown"}),
        ({"deployments": (BLUE,)}, {"live-deployment-missing": "bad"}),
        (
            {"deployments": (BLUE, replace(GREEN, provisioning_state="Failed"))},
            {"live-deployment-broken": "bad"},
        ),
        ({"deployments": (BLUE, replace(GREEN, provisioning_state=""))}, {"live-deployment-broken": "bad"}),
        ({"deployments": (BLUE, replace(GREEN, instance_count=0))}, {"live-deployment-broken": "bad"}),
        ({"deployments": (BLUE, replace(GREEN, instance_count=None))}, {}),
        ({"deployments": (BLUE, replace(GREEN, provisioning_state="Scaling"))}, {"busy": "running"}),
        ({"deployments": (BLUE, GREEN, DeploymentFacts("x", "Failed"))}, {"deployment-failed": "warn"}),
        ({"deployments": (BLUE, GREEN, DeploymentFacts("x", "Creating"))}, {"busy": "running"}),
        ({"deployments": None}, {}),
    ],
)
def test_marks__of_each_fact__are_these(changes, expected):
    assert codes(**changes) == expected


def test_marks__several__are_worst_first():
    found = marks.find(replace(FINE, owner="", provisioning_state="Failed", drift="traffic"))

    assert [mark.code for mark in found] == ["failed", "drift", "no-owner"]


def test_mirrored_deployment__broken__is_a_warning_because_nobody_waits_for_it():
    mirrored = {"traffic": {"blue": 100}, "mirror_traffic": {"green": 10}}

    assert codes(**mirrored, deployments=(BLUE, replace(GREEN, provisioning_state="Failed"))) == {
        "live-deployment-broken": "warn"
    }


@pytest.mark.parametrize(("age", "is_stale"), [(299, False), (301, True)])
def test_stale__from_its_limit_on__is_unknown_with_the_cause(age, is_stale):
    mark = marks.stale(at(0), at(age), after=timedelta(minutes=5), cause="No role.")

    assert (mark is not None) == is_stale
    if mark:
        assert (mark.severity, mark.sentence.endswith("No role.")) == (Severity.UNKNOWN, True)


def test_stale__never_read__is_unknown():
    assert marks.stale(None, at(0), after=timedelta(minutes=5)) is not None


@pytest.mark.parametrize(
    ("tags", "owner"),
    [({"Owner": " fraud "}, "fraud"), ({"owner": ""}, ""), ({"team": "x"}, ""), ({}, "")],
)
def test_owner__of_tags__is_found_whatever_the_case(tags, owner):
    assert marks.owner_of(tags) == owner
