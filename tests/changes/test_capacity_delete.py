"""Deleting: the scream test that may hold it, the files that are kept of it, and who it is kept from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml

from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.audit.models import Entry
from endpoints.azure_gateway import codec
from endpoints.azure_gateway.records import Reading
from endpoints.changes import capacity_checks, hearing, services
from endpoints.changes.capacity_order import CapacityOrder
from endpoints.changes.checks import run
from endpoints.changes.decide import Blocked
from endpoints.changes.executor import outcomes
from endpoints.changes.lifecycle import Hold, State
from endpoints.changes.models import Change, ChangeRevision, Probe, Transition
from endpoints.changes.selectors import holds_against
from endpoints.changes.selectors.kept import file_name, kept_files
from endpoints.changes.selectors.situation import situation_of
from endpoints.changes.verdict import Outcome, Verdict
from endpoints.core.errors import Conflict
from endpoints.dispatch import db_now
from endpoints.holds.services import protect
from endpoints.inventory.models import Deployment
from endpoints.inventory.services import observe_endpoint
from endpoints.metrics.models import Keep
from endpoints.metrics.services import write_minutes
from tests.changes.capacities import DELETE, DELETE_ENDPOINT, SCALE, ask, begun
from tests.changes.desk import ALL_BLUE, HALF, Desk, ledger
from tests.changes.test_rollout_rows import job_of
from tests.changes.test_warm import promoted
from tests.inventory.support import endpoint_document
from tests.metrics.storing import row
from tests.support.people import make_endpoint, principal

SCREAM = replace(DELETE, scream=600)


def screaming(desk: Desk, order: CapacityOrder = SCREAM) -> int:
    """The first step was read back twice: what goes has no traffic, and bakes."""
    number = begun(desk, order)
    outcomes.accept_unanswered(job_of(desk), "Azure shows it.")
    outcomes.confirm(job_of(desk), "azure-1")
    outcomes.step_done(job_of(desk))
    return number


def began(number: int, ago: timedelta) -> datetime:
    """As if the scream test had begun so long ago."""
    at = db_now() - ago
    Change.objects.filter(pk=number).update(started_at=at)
    Transition.objects.create(
        change_id=number,
        version=0,
        before=State.VERIFYING,
        after=State.BAKING,
        step=0,
        actor="system:t",
        at=at,
    )
    return at


def told(desk: Desk, minutes: int, requests: float = 0, name: str = "green") -> None:
    """What metrics say of the last minutes of a deployment."""
    deployment = Deployment.objects.get(endpoint=desk.endpoint_id, name_key=name, deleted_at=None)
    now = db_now().replace(second=0, microsecond=0)
    moments = [now - timedelta(minutes=number) for number in range(1, minutes + 1)]
    write_minutes(row(deployment.pk, moment, requests=requests) for moment in moments)


def at_the_delete(desk: Desk, order: CapacityOrder = SCREAM) -> int:
    number = screaming(desk, order)
    outcomes.stepped_over(job_of(desk))
    return number


def blocked(desk: Desk) -> Blocked | None:
    return job_of(desk).facts.blocked


# The scream test.


def test_delete__silent_scream_test__is_held_by_nothing(desk: Desk) -> None:
    began(at_the_delete(desk), timedelta(minutes=30))
    told(desk, 40)
    assert blocked(desk) is None


def test_delete__a_request_in_its_scream_test__is_held_with_the_number(desk: Desk) -> None:
    began(at_the_delete(desk), timedelta(minutes=30))
    told(desk, 40)
    told(desk, 2, requests=4)
    found = blocked(desk)
    assert found is not None
    assert found.hold is Hold.CHECK
    assert "8 requests for green since its weight is 0" in found.reason


def test_delete__requests_from_before_the_scream_test__do_not_count(desk: Desk) -> None:
    told(desk, 60, requests=4)
    began(at_the_delete(desk), timedelta(minutes=30))
    told(desk, 30)
    assert blocked(desk) is None


def test_delete__our_own_probe_in_its_scream_test__does_not_count(desk: Desk) -> None:
    number = at_the_delete(desk)
    began(number, timedelta(minutes=30))
    told(desk, 40)
    told(desk, 1, requests=1)
    Probe.objects.create(
        endpoint_id=desk.endpoint_id,
        deployment="green",
        outcome=Outcome.PASS,
        status=200,
        reason="",
        at=db_now(),
    )
    assert blocked(desk) is None


@pytest.mark.parametrize("known", [0, 15])
def test_delete__metrics_do_not_tell_of_its_scream_test__is_held_and_nobody_can_accept_that(
    desk: Desk, known: int
) -> None:
    began(at_the_delete(desk), timedelta(minutes=60))
    told(desk, known)
    found = blocked(desk)
    assert found is not None
    assert "Nobody can tell" in found.reason


def test_delete__held__resumed_is_looked_at_anew_and_goes_on_only_when_all_is_known(desk: Desk) -> None:
    number = at_the_delete(desk)
    began(number, timedelta(minutes=30))
    outcomes.held(job_of(desk), Hold.CHECK, "Nobody can tell.")
    services.resume_change(principal=principal(desk.operator), change_id=number)
    assert blocked(desk) is not None
    told(desk, 40)
    assert blocked(desk) is None


def test_delete__held__cannot_be_advanced_past_it(desk: Desk) -> None:
    number = at_the_delete(desk)
    outcomes.held(job_of(desk), Hold.CHECK, "Somebody asks for it.")
    with pytest.raises(Conflict):
        services.advance_change(principal=principal(desk.operator), change_id=number, seen_step=1)


def test_scream_test__advanced_by_a_person__is_refused_until_it_is_over(desk: Desk) -> None:
    number = screaming(desk)
    outcomes.baked(job_of(desk), 500.0)
    with pytest.raises(Conflict, match="lasts another 100"):
        services.advance_change(principal=principal(desk.operator), change_id=number, seen_step=0)
    outcomes.baked(job_of(desk), 100.0)
    services.advance_change(principal=principal(desk.operator), change_id=number, seen_step=0)
    assert desk.change(number).step == 1


def test_scream_test__its_minutes_are_kept_for_its_time_and_more(desk: Desk) -> None:
    number = screaming(desk)
    kept = Keep.objects.get(cause=f"change:{number}")
    assert kept.until - kept.since > timedelta(seconds=600, days=6)


def test_delete_endpoint__a_request_for_any_of_its_deployments__is_held(desk: Desk) -> None:
    number = at_the_delete(desk, replace(DELETE_ENDPOINT, scream=600))
    began(number, timedelta(minutes=30))
    told(desk, 40)
    told(desk, 40, name="blue")
    assert blocked(desk) is None
    told(desk, 1, requests=1, name="blue")
    found = blocked(desk)
    assert found is not None
    assert "1 request for blue" in found.reason


# The files.


def test_delete__its_file_is_kept_with_the_move_to_it(desk: Desk) -> None:
    number = screaming(desk)
    assert kept_files(number) == ()
    outcomes.stepped_over(job_of(desk))
    (file,) = kept_files(number)
    assert file.name == "green.yml"
    assert f"before CR-{number} deleted it" in file.text
    read = yaml.safe_load(file.text)
    assert (read["name"], read["endpoint_name"], read["instance_count"]) == ("green", "checkout-risk", 2)
    assert ledger(number)[-2:] == ["change.files_kept", "change.applying"]
    entry = Entry.objects.filter(subject=f"change:{number}", action="change.files_kept").get()
    assert [one["name"] for one in entry.after["files"]] == ["green.yml"]


def test_delete_endpoint__keeps_all_of_it_with_the_traffic_from_before(desk: Desk) -> None:
    number = screaming(desk, replace(DELETE_ENDPOINT, scream=600))
    desk.azure_shows({})
    outcomes.stepped_over(job_of(desk))
    files = {file.name: yaml.safe_load(file.text) for file in kept_files(number)}
    assert sorted(files) == ["blue.yml", "endpoint.yml", "green.yml"]
    assert files["endpoint.yml"]["traffic"] == ALL_BLUE


def test_delete__whose_state_was_not_read_for_long__is_held_until_it_is(desk: Desk, settings: Any) -> None:
    number = screaming(desk, replace(DELETE, scream=30))
    config = settings.OPSPORTAL
    settings.OPSPORTAL = config.model_copy(update={"stale_read_seconds": 0.0})
    outcomes.stepped_over(job_of(desk))
    found = blocked(desk)
    assert found is not None
    assert found.hold is Hold.CHECK
    assert "YAML can't be kept. green.yml: it was last read" in found.reason
    outcomes.held(job_of(desk), found.hold, found.reason)
    settings.OPSPORTAL = config
    services.resume_change(principal=principal(desk.operator), change_id=number)
    assert blocked(desk) is None
    assert [file.name for file in kept_files(number)] == ["green.yml"]


def test_file_name__of_a_deployment_called_endpoint__is_another_than_the_endpoints() -> None:
    assert (file_name("Blue"), file_name("endpoint")) == ("blue.yml", "endpoint-deployment.yml")


# What stands against it.


def test_delete__of_a_rollback_target_kept_warm__fails_its_check_and_is_held(desk: Desk) -> None:
    number = promoted(desk)
    asked = ask(desk, replace(DELETE, deployment="blue", typed="blue"))
    assert desk.state(asked) == "check_failed"
    found = verdict(desk, asked, capacity_checks.PROMISED)
    assert f"CR-{number} took its traffic" in found.reason
    change = desk.change(asked)
    (held,) = holds_against(change, ChangeRevision.objects.get(change=change))
    assert held.deployment == "blue"


def test_scale_down__of_a_rollback_target_kept_warm__is_held(desk: Desk) -> None:
    promoted(desk)
    change = desk.change(ask(desk, replace(SCALE, instances=1)))
    assert holds_against(change, ChangeRevision.objects.get(change=change))


def test_delete_endpoint__with_a_protected_deployment__is_held(desk: Desk) -> None:
    protect(
        actor=SYSTEM_COMMAND,
        endpoint_id=desk.endpoint_id,
        deployment="green",
        cause="case:7",
        reason="evidence of a case",
    )
    asked = ask(desk, DELETE_ENDPOINT)
    change = desk.change(asked)
    (held,) = holds_against(change, ChangeRevision.objects.get(change=change))
    assert held.cause == "case:7"
    assert "green: evidence of a case." in verdict(desk, asked, capacity_checks.PROMISED).reason


def test_delete__while_metrics_of_the_day_are_unknown__wants_a_reviewers_word(desk: Desk) -> None:
    found = verdict(desk, ask(desk, DELETE), hearing.SCREAM)
    assert found.needs_acceptance


def test_delete__of_what_was_asked_for_at_weight_0_today__fails(desk: Desk) -> None:
    read_before(desk, timedelta(hours=3))
    told(desk, 200)
    assert verdict(desk, ask(desk, DELETE), hearing.SCREAM).passed
    told(desk, 5, requests=2)
    number = ask(desk, DELETE)
    assert desk.state(number) == "check_failed"
    assert "10 requests for green in the last 24" in verdict(desk, number, hearing.SCREAM).reason


def test_delete__of_what_had_traffic_till_now__takes_its_requests_for_ordinary_ones(desk: Desk) -> None:
    read_before(desk, timedelta(hours=3), HALF)
    told(desk, 100, requests=9)
    found = verdict(desk, ask(desk, DELETE), hearing.SCREAM)
    assert (found.outcome, found.needs_acceptance) == (Outcome.INCONCLUSIVE, True)


def read_before(desk: Desk, ago: timedelta, split: Mapping[str, int] = ALL_BLUE) -> None:
    """Another endpoint for the desk, which was read with this split so long ago, and again now."""
    began = db_now() - ago
    document = endpoint_document(desk.workspace, "old-risk", traffic=split)
    reading = Reading(codec.endpoint(document), began, began + timedelta(seconds=1), "azure-request")
    observe_endpoint(workspace_id=desk.workspace.pk, reading=reading)
    desk.endpoint_id = make_endpoint(desk.workspace, "old-risk", traffic=split).pk


def test_delete__of_what_rollbacks_need__names_the_splits(desk: Desk) -> None:
    number = desk.started(HALF)
    desk.azure_shows(HALF)
    desk.finish(number, "succeeded")
    desk.azure_shows(ALL_BLUE)
    found = verdict(desk, ask(desk, DELETE), capacity_checks.LOST)
    assert found.needs_acceptance
    assert f"confirmed by CR-{number}" in found.reason


def verdict(desk: Desk, number: int, name: str) -> Verdict:
    (found,) = [one for one in run(situation_of(desk.change(number))) if one.name == name]
    return found
