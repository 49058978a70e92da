"""What is done with a change whose call Azure took."""

from __future__ import annotations

from dataclasses import replace

import pytest

from endpoints.changes import decide as d
from endpoints.changes.lifecycle import State
from tests.changes.deciding import BASE, CANARY, FOREIGN, T0, at, call, decide, forward, rollback, shows

OPERATION = call(0, operation_uri="https://arm/operation/1")
ENDED = replace(OPERATION, operation_ended_at=at(2))
FAILED = replace(ENDED, operation_failure="QuotaExceeded: no room")


def going(**more):
    return forward(State.VERIFYING, **{"last": ENDED} | more)


def returning(**more):
    return rollback(State.VERIFYING, **{"last": ENDED} | more)


def polled(operation):
    return d.Seen(operation=operation)


def test_verifying__operation_named__polls_it():
    assert decide(going(last=OPERATION)) == d.Poll()


def test_verifying__no_operation_named__reads_the_endpoint():
    assert decide(going(last=call(0))) == d.Read()


def test_verifying__operation_runs__waits_for_the_next_poll():
    assert decide(going(last=OPERATION), polled(d.SeenOperation(True))) == d.Wait(
        at(2), "Azure is applying it."
    )


def test_verifying__operation_names_a_time__is_not_asked_before():
    seen = polled(d.SeenOperation(True, retry_at=at(9)))
    assert decide(going(last=OPERATION), seen) == d.Wait(at(9), "Azure is applying it.")


@pytest.mark.parametrize("failure", ["", "QuotaExceeded: no room"])
def test_verifying__operation_ended__is_noted_with_how(failure):
    assert decide(going(last=OPERATION), polled(d.SeenOperation(False, failure))) == d.NoteOperation(failure)


def test_verifying__operation_can_not_be_read__reads_the_endpoint_instead():
    seen = polled(d.ReadFailure(d.Trouble.SERVER, "500"))
    assert decide(going(last=OPERATION), seen) == d.Read()


def test_verifying__target_shown__confirms():
    assert decide(going(), shows(CANARY), 3) == d.Confirm()


def test_verifying__confirmed__waits_for_the_second_reading():
    facts = going(confirmed_at=at(3))
    assert decide(facts, shows(CANARY), 4) == d.Wait(at(8), "Confirmed once; the second reading is due.")
    assert decide(facts, d.Seen(), 8) == d.Read()


def test_verifying__target_shown_twice__is_done():
    assert decide(going(confirmed_at=at(3)), shows(CANARY), 8) == d.StepDone()


def test_verifying__operation_failed_but_target_in_force__is_confirmed():
    assert decide(going(last=FAILED), shows(CANARY, "Failed"), 3) == d.Confirm()


def test_verifying__operation_failed_and_base_in_force__fails_with_azures_words():
    assert decide(going(last=FAILED), shows(BASE, "Failed"), 3) == d.Fail(
        "Azure failed to apply it: QuotaExceeded: no room"
    )


def test_verifying__operation_failed_and_something_else_in_force__is_drift():
    assert decide(going(last=FAILED), shows(FOREIGN), 3) == d.Drift(FOREIGN)


def test_verifying__done_but_not_shown_yet__waits_then_orders_again():
    assert decide(going(), shows(BASE), 3) == d.Wait(
        at(4), "Azure says it is done, but does not show it yet."
    )
    assert isinstance(decide(going(), shows(BASE), 31.9), d.Wait)
    assert isinstance(decide(going(), shows(BASE), 32), d.Again)


def test_verifying__something_else_shown__is_drift():
    assert decide(going(), shows(FOREIGN), 3) == d.Drift(FOREIGN)


def test_verifying__moved_between_the_two_readings__is_drift():
    assert decide(going(confirmed_at=at(3)), shows(BASE), 8) == d.Drift(BASE)


def test_verifying__adopted_without_any_call__counts_from_the_steps_beginning():
    facts = going(last=None)
    assert isinstance(decide(facts, shows(BASE), 29), d.Wait)
    assert isinstance(decide(facts, shows(BASE), 31), d.Again)


def test_rollback__operation_failed__orders_again():
    assert decide(returning(last=FAILED), shows(CANARY), 3) == d.Again(
        "Azure failed to apply it: QuotaExceeded: no room"
    )


def test_rollback__something_else_shown_for_too_long__orders_again():
    assert isinstance(decide(returning(), shows(FOREIGN), 3), d.Wait)
    assert isinstance(decide(returning(), shows(FOREIGN), 33), d.Again)


@pytest.mark.parametrize("found", [CANARY, FOREIGN])
def test_rollback__moved_between_the_two_readings__holds_its_ground(found):
    assert isinstance(decide(returning(confirmed_at=at(3)), shows(found), 8), d.Again)


def test_rollback__shown_twice__is_done():
    assert decide(returning(confirmed_at=at(3)), shows(BASE), 8) == d.StepDone()


@pytest.mark.parametrize(
    ("elapsed", "pause"),
    [(0.0, 0.25), (0.3, 0.5), (0.7, 1.0), (29.9, 1.0), (30.0, 2.0), (59.9, 2.0), (60.0, 5.0), (9000.0, 5.0)],
)
def test_poll__after_so_long__comes_after_that_pause(elapsed, pause):
    assert d.next_poll(T0, at(elapsed)) == at(elapsed + pause)


def test_poll__scaled__is_the_same_schedule_in_less_time():
    assert d.next_poll(T0, at(1.0), scale=0.1) == at(1.1)
    assert d.next_poll(T0, at(4.0), scale=0.1) == at(4.2)


def test_next_poll__of_a_rollback__comes_each_half_second_while_somebody_counts_them():
    running = d.Seen(operation=d.SeenOperation(running=True))
    last = call(operation_uri="op")
    assert decide(rollback(State.VERIFYING, last=last), running, 10.0).until == at(10.5)
    assert decide(forward(State.VERIFYING, last=last), running, 10.0).until == at(11.0)
    assert d.next_poll(T0, at(31.0), hurry=True) == at(33.0)
