"""The executor asks a step's gates: from stored minutes to measurements, one word, and what the change does next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from endpoints.changes import services
from endpoints.changes.draft import walk
from endpoints.changes.executor import jobs, outcomes
from endpoints.changes.executor.gating import ALL_OVERRIDDEN, NOT_COMPARED, measure_gates
from endpoints.changes.executor.lease import Held, acquire
from endpoints.changes.gatespec import GateSpec, gate
from endpoints.changes.models import Change, Measurement
from endpoints.changes.terms import Terms
from endpoints.changes.verdict import Outcome
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment
from endpoints.metrics.models import Minute, Telemetry
from endpoints.metrics.services import write_minutes
from endpoints.metrics.telemetry import State
from tests.changes.desk import ALL_BLUE, Desk, ledger
from tests.metrics.storing import row
from tests.support.people import principal

ERRORS = gate("errors", limit=0.01)
BESIDE = gate("errors_vs_stable", limit=0.005)
MINUTE = timedelta(minutes=1)
LONG = 12


def job_of(desk: Desk) -> jobs.Job:
    held = acquire(desk.endpoint_id, "host-1-a")
    assert isinstance(held, Held)
    job = jobs.load_job(desk.endpoint_id, "host-1-a", held.epoch)
    assert job is not None
    return job


def minutes_ago(count: int) -> datetime:
    return db_now().astimezone(UTC).replace(second=0, microsecond=0) - count * MINUTE


def bakes(desk: Desk, *gates: GateSpec, weights: tuple[int, ...] = (5, 100)) -> int:
    """A change whose first step has been in force for LONG minutes, of an endpoint that is read."""
    draft = walk(ALL_BLUE, "green", [(weight, 600, False) for weight in weights], Terms(gates=gates))
    number = desk.start(desk.approve(desk.request(split=None, draft=draft)))
    outcomes.accept_unanswered(job_of(desk), "Azure shows it.")
    outcomes.confirm(job_of(desk), "azure-1")
    outcomes.step_done(job_of(desk))
    began = minutes_ago(LONG)
    Change.objects.filter(pk=number).update(confirmed_at=began, started_at=began - MINUTE)
    now = db_now()
    Telemetry.objects.create(endpoint_id=desk.endpoint_id, state=State.FLOWING, minute=now, read_at=now)
    return number


def serve(
    desk: Desk, name: str, requests: float, failed: float = 0, *, minutes: int = LONG, since: int = LONG
) -> None:
    """So many requests and failures in each of the minutes."""
    key = Deployment.objects.get(endpoint=desk.endpoint_id, name_key=name, deleted_at=None).pk
    told = {"requests": requests, "status_5xx": failed, "model_errors": 0, "status_429": 0, "p95": 50}
    first = minutes_ago(since)
    write_minutes(row(key, first + number * MINUTE, **told) for number in range(minutes))


def said(number: int) -> dict[str, tuple[str, bool]]:
    """The newest word of each gate."""
    rows = Measurement.objects.filter(change=number).order_by("until", "pk")
    return {one.gate: (one.outcome, one.excused) for one in rows}


def test_gates__healthy_minutes__pass_and_are_written_down_with_their_words(desk: Desk) -> None:
    number = bakes(desk, ERRORS)
    serve(desk, "blue", 1900)
    serve(desk, "green", 100)
    measure_gates(job_of(desk))
    change, row_ = desk.change(number), Measurement.objects.get(change=number)
    assert (change.gate_outcome, change.gate_harm) == (Outcome.PASS, "")
    assert (row_.outcome, row_.requests, row_.minutes) == (Outcome.PASS, 1200, LONG)
    assert row_.until == minutes_ago(0)
    assert "1,200" in row_.reason
    assert ledger(number)[-1] == "change.gates"
    assert job_of(desk).facts.bake.gates.until == row_.until


def test_gates__candidate_that_fails_requests__is_harm_and_says_how_much(desk: Desk) -> None:
    number = bakes(desk, ERRORS)
    serve(desk, "blue", 1900)
    serve(desk, "green", 100, 8)
    measure_gates(job_of(desk))
    change = desk.change(number)
    assert change.gate_outcome == Outcome.FAIL
    assert change.gate_harm.startswith("Errors: ")
    assert job_of(desk).facts.bake.gates.harm == change.gate_harm


def test_gates__same_minutes_again__are_judged_once(desk: Desk) -> None:
    number = bakes(desk, ERRORS)
    serve(desk, "green", 100, 8)
    for _ in range(3):
        measure_gates(job_of(desk))
    assert Measurement.objects.filter(change=number).count() == 1
    assert ledger(number).count("change.gates") == 1


def test_gates__no_metrics_yet__cant_tell(desk: Desk) -> None:
    number = bakes(desk, ERRORS)
    measure_gates(job_of(desk))
    assert desk.change(number).gate_outcome in (Outcome.INCONCLUSIVE, Outcome.ERROR)
    assert desk.change(number).gate_harm == ""


def test_gates__zero_traffic__cant_tell(desk: Desk) -> None:
    number = bakes(desk, ERRORS)
    serve(desk, "blue", 1900)
    serve(desk, "green", 0)
    measure_gates(job_of(desk))
    assert said(number)["Errors"] == (Outcome.INCONCLUSIVE, False)


def test_gates__metrics_that_nobody_can_read__are_an_error_although_they_passed_before(desk: Desk) -> None:
    number = bakes(desk, ERRORS)
    serve(desk, "blue", 1900)
    serve(desk, "green", 100)
    measure_gates(job_of(desk))
    long_ago = db_now() - timedelta(hours=1)
    Telemetry.objects.update(state=State.FORBIDDEN, reason="No permission to read metrics.", read_at=long_ago)
    _forget_newest(desk, 5)
    measure_gates(job_of(desk))
    change = desk.change(number)
    assert change.gate_outcome == Outcome.ERROR
    assert "No permission" in change.gate_reason


def _forget_newest(desk: Desk, count: int) -> None:
    keys = Deployment.objects.filter(endpoint=desk.endpoint_id).values("pk")
    Minute.objects.filter(deployment_id__in=keys, minute__gte=minutes_ago(count)).delete()


def test_gates__against_stable__with_none_beside__hold_nothing_up_and_say_so(desk: Desk) -> None:
    number = bakes(desk, BESIDE, ERRORS, weights=(100,))
    serve(desk, "green", 2000)
    measure_gates(job_of(desk))
    row_ = Measurement.objects.get(change=number, gate=BESIDE.name)
    assert (row_.outcome, row_.excused, row_.reason) == (Outcome.INCONCLUSIVE, True, NOT_COMPARED)
    assert desk.change(number).gate_outcome == Outcome.PASS


def test_gates__overridden__are_measured_and_hold_nothing(desk: Desk) -> None:
    number = bakes(desk, ERRORS)
    serve(desk, "green", 100, 8)
    measure_gates(job_of(desk))
    services.override_gate(
        principal=principal(desk.operator), change_id=number, seen_step=0, gate="Errors", reason="known"
    )
    measure_gates(job_of(desk))
    change = desk.change(number)
    assert (change.gate_outcome, change.gate_reason, change.gate_harm) == (Outcome.PASS, ALL_OVERRIDDEN, "")
    assert said(number)["Errors"][0] == Outcome.FAIL


def test_gates__dry_run__is_shown_and_stops_nothing(desk: Desk) -> None:
    number = bakes(desk, gate("errors", limit=0.01, dry_run=True), BESIDE)
    serve(desk, "blue", 1900, 1)
    serve(desk, "green", 100, 8)
    measure_gates(job_of(desk))
    assert said(number)["Errors"][0] == Outcome.FAIL
    assert desk.change(number).gate_harm.startswith(BESIDE.name)


def test_gates__red_before_the_change__do_not_block_a_repair(desk: Desk) -> None:
    number = bakes(desk, ERRORS)
    serve(desk, "blue", 1900, 100, minutes=90, since=LONG + 91)
    serve(desk, "blue", 1900, 100)
    serve(desk, "green", 100, 3)
    measure_gates(job_of(desk))
    assert said(number)["Errors"][1] is True
    assert desk.change(number).gate_harm == ""


@pytest.mark.parametrize("bad", [float("nan"), -5.0])
def test_gates__values_that_no_measurement_can_have__pass_nothing(desk: Desk, bad: float) -> None:
    number = bakes(desk, ERRORS)
    serve(desk, "green", bad)
    measure_gates(job_of(desk))
    assert desk.change(number).gate_outcome in (Outcome.INCONCLUSIVE, Outcome.ERROR)
