"""The faults that the portal must live through, as data: what is done to it, what must come of it, what shows it.

`injections` names what `bench faults` throws; `tests` what the suite shows, scaled in time. `remark` is what is
left to say.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One of F1 to F40."""

    number: int
    injected: str
    expected: str
    tests: tuple[str, ...] = ()
    injections: tuple[str, ...] = ()
    remark: str = ""


CRASHES = "tests/flows/test_crashes.py::"
REFUSES = "tests/flows/test_azure_refuses.py::"
ELSE = "tests/flows/test_somebody_else.py::"
STOPS = "tests/flows/test_fault_stops.py::"
PARTED = "tests/flows/test_fault_partitions.py::"
CLOCKS = "tests/flows/test_fault_clocks.py::"
WAKES = "tests/flows/test_fault_wakeups.py::"
FALTERS = "tests/flows/test_database_falters.py::"
VANISH = "tests/flows/test_things_vanish.py::"
TOGETHER = "tests/changes/test_at_the_same_time.py::"
ORDERS = "tests/changes/test_interleavings.py::"
BROKER = "tests/flows/test_broker_away.py::"
GATES = "tests/flows/test_fault_gates.py::"
WORKER = "tests/changes/test_executor_worker.py::"
APPROVAL = "tests/changes/test_approval.py::"
ROLLOUT = "tests/flows/test_rollout.py::"
_DIES = f"{CRASHES}test_change__executor_dies__is_finished_by_another_with_one_effect"
_SECOND = f"{ROLLOUT}test_second_step__executor_dies_in_it__is_finished_by_another_and_ordered_once"

FAULTS = (
    Fault(
        1,
        "executor killed before the intent",
        "nothing was sent; another one begins",
        (_DIES, _SECOND),
        ("killed at a place",),
    ),
    Fault(
        2,
        "… after the intent, before the call",
        "sent once after the bound",
        (_DIES, _SECOND),
        ("killed at a place",),
    ),
    Fault(
        3,
        "… while the call is under way",
        "adopted; no second call",
        (
            f"{CRASHES}test_change__executor_killed_while_its_call_is_unanswered__is_adopted",
            f"{CRASHES}test_rollback__after_the_executor_was_killed_in_mid_call__waits_for_that_call_and_wins",
        ),
        ("killed",),
    ),
    Fault(
        4,
        "… after the answer, before it is on record",
        "adopted; one ledger entry says so",
        (_DIES,),
        ("killed at a place",),
    ),
    Fault(
        5,
        "… during Azure's operation",
        "another one waits and verifies",
        (_DIES,),
        ("killed at a place", "killed"),
    ),
    Fault(
        6,
        "… during a bake",
        "goes on from what was baked",
        (f"{ROLLOUT}test_bake__executor_killed_in_it__goes_on_from_what_was_baked",),
        ("killed",),
    ),
    Fault(
        7,
        "… between what gates said and what is done",
        "one measurement each, one decision",
        (f"{GATES}test_gates__executor_dies_when_they_have_spoken__are_asked_again_and_decide_once",),
    ),
    Fault(
        8,
        "… during a rollback, at each of F1 to F5",
        "rolled back within 300 s",
        (f"{CRASHES}test_rollback__executor_dies__is_finished_by_another",),
        ("killed at a place", "killed"),
    ),
    Fault(
        9,
        "process stopped between check and call, then run on",
        "the call is not sent; no harm after the rollback",
        (
            f"{STOPS}test_call__whose_process_is_stopped_before_the_first_byte__is_never_sent_after_its_bound",
            f"{STOPS}test_change__whose_process_is_stopped_after_the_answer__is_adopted_and_its_word_comes_late",
        ),
        ("stopped",),
    ),
    Fault(
        10,
        "broker gone",
        "changes and rollbacks go on",
        (
            f"{BROKER}test_change_and_rollback__broker_killed_in_mid_change__are_done_and_readings_come_back_with_it",
        ),
    ),
    Fault(
        11,
        "broker loses everything",
        "as F10: the portal's broker forgets all when it dies",
        (
            f"{BROKER}test_change_and_rollback__broker_killed_in_mid_change__are_done_and_readings_come_back_with_it",
        ),
    ),
    Fault(
        12,
        "wake-ups a hundred times, and days late",
        "no further call",
        (
            f"{WAKES}test_wake_ups__a_hundred_and_of_former_changes__send_nothing_more",
            f"{WAKES}test_wake_up__that_makes_no_sense__harms_nobody",
        ),
        ("wake-ups",),
    ),
    Fault(
        13,
        "PostgreSQL killed again and again",
        "no step twice, none lost",
        (f"{FALTERS}test_change_and_rollback__server_killed_again_and_again__end_with_one_effect_each",),
        ("database killed",),
    ),
    Fault(
        14,
        "PostgreSQL away during a rollback",
        "no call repeated blindly; goes on",
        (f"{FALTERS}test_rollback__server_away_for_a_while__is_finished_when_it_is_back",),
        ("database killed",),
    ),
    Fault(
        15,
        "sessions ended in mid-transaction",
        "the transaction is undone and made again",
        (f"{FALTERS}test_change__sessions_ended_in_mid_transaction__is_finished",),
        ("sessions cut",),
    ),
    Fault(
        16,
        "Azure answers 409 for a while",
        "waits, then applies",
        (
            f"{REFUSES}test_change__azure_busy_for_a_while__waits_then_applies",
            f"{REFUSES}test_rollback__azure_busy_for_a_while__keeps_trying_until_it_gets_through",
        ),
        ("busy",),
    ),
    Fault(
        17,
        "Azure answers 412",
        "read again; never forced",
        (
            f"{REFUSES}test_change__precondition_failed_once__is_tried_again",
            f"{REFUSES}test_change__precondition_failed_because_somebody_was_faster__is_never_forced",
        ),
        ("precondition failed",),
    ),
    Fault(
        18,
        "Azure answers 429 with a time",
        "not before that time",
        (
            f"{REFUSES}test_change__throttled_with_a_time__does_not_call_before_it",
            f"{REFUSES}test_rollback__throttled_with_a_time__says_until_when_and_obeys",
        ),
        ("throttled",),
    ),
    Fault(
        19,
        "Azure answers 500, 502, 503 in a row",
        "one row per call, with pauses",
        (f"{REFUSES}test_change__server_errors_in_a_row__is_one_row_each_and_then_applied",),
        ("server errors",),
    ),
    Fault(
        20,
        "answer lost after the call took effect",
        "adopted; no second effect",
        (f"{REFUSES}test_change__applied_but_the_answer_is_lost__is_adopted_without_a_second_call",),
        ("answer lost",),
    ),
    Fault(
        21,
        "call lost, nothing applied",
        "sent once more, after the bound",
        (f"{REFUSES}test_change__call_lost_and_nothing_applied__is_sent_again_after_the_bound",),
        ("call lost",),
    ),
    Fault(
        22,
        "connection accepted and never answered",
        "cut at its deadline",
        (
            f"{REFUSES}test_change__call_lost_and_nothing_applied__is_sent_again_after_the_bound",
            f"{REFUSES}test_change__readings_hang__goes_on_when_they_do_not_any_more",
        ),
        ("call hangs", "readings hang"),
    ),
    Fault(
        23,
        "operation never ends",
        "asks for a person; rolling back stays possible",
        (f"{REFUSES}test_change__operation_never_ends__asks_for_a_person_and_so_does_its_rollback",),
    ),
    Fault(
        24,
        "operation fails",
        "what Azure shows decides",
        (
            f"{REFUSES}test_change__operation_fails__fails_with_azures_words",
            f"{REFUSES}test_rollback__operation_fails__is_ordered_again",
        ),
        ("operation fails",),
    ),
    Fault(
        25,
        "endpoint or deployment deleted",
        "fails; nothing is created",
        (
            f"{VANISH}test_change__deployment_deleted__fails_and_nothing_is_created",
            f"{VANISH}test_rollback__endpoint_deleted__fails_and_nothing_is_created",
        ),
    ),
    Fault(
        26,
        "somebody else writes",
        "drifts; both splits on record; not fought",
        (
            f"{ELSE}test_change__foreign_write_before_the_call__drifts_and_sends_nothing",
            f"{ELSE}test_change__foreign_write_between_the_two_readings__drifts_and_is_not_fought",
            f"{ROLLOUT}test_foreign_write__while_a_step_is_in_force__drifts_and_nothing_more_is_sent",
        ),
        ("foreign write",),
    ),
    Fault(
        27,
        "deployment failed before its weight rises",
        "no weight goes to it",
        (f"{ELSE}test_change__deployment_failed_before_its_weight_rises__fails",),
        ("deployment fails",),
    ),
    Fault(
        28,
        "one executor's clock an hour off",
        "no early step, no stolen lease",
        (
            f"{CLOCKS}test_bake__on_an_executor_whose_clock_is_off__takes_its_whole_time",
            f"{CLOCKS}test_lease__beside_an_executor_whose_clock_is_off__is_neither_stolen_nor_kept",
        ),
    ),
    Fault(
        29,
        "executor cut off from PostgreSQL",
        "sends nothing",
        (
            f"{PARTED}test_executor__cut_off_from_the_database__sends_nothing_though_azure_answers",
            f"{PARTED}test_change__whose_executor_is_cut_off_in_mid_call__is_finished_by_another",
        ),
    ),
    Fault(
        30,
        "executor cut off from Azure",
        "says that it does not know; nothing passes",
        (f"{PARTED}test_executor__cut_off_from_azure__says_that_it_does_not_know_and_passes_nothing",),
    ),
    Fault(
        31,
        "two approve and one rejects at once",
        "one legal outcome",
        (
            f"{TOGETHER}test_review__two_approve_one_rejects_and_the_author_edits__has_one_legal_outcome",
            f"{ORDERS}test_interleavings__any_order__uses_no_stale_approval_and_no_ones_own",
        ),
    ),
    Fault(
        32,
        "approved while the author edits",
        "the approval is void",
        (
            f"{TOGETHER}test_approval__while_the_author_edits__is_never_used_for_what_was_not_read",
            f"{ORDERS}test_interleavings__any_order__uses_no_stale_approval_and_no_ones_own",
        ),
    ),
    Fault(
        33,
        "rollback clicked twenty times",
        "one rollback",
        (
            f"{ELSE}test_rollback__twenty_clicks_by_two_people_while_it_runs__is_one_call",
            f"{TOGETHER}test_rollback__twenty_clicks_by_two_people__is_one",
        ),
        ("rollback",),
    ),
    Fault(
        34,
        "rollback at any moment of a change",
        "it wins, or finds the change done",
        (f"{ELSE}test_rollback__at_any_moment_of_a_change__wins_or_finds_it_done",),
        ("rollback",),
    ),
    Fault(
        35,
        "approval expires, or the approver loses the role",
        "not started",
        (
            f"{ORDERS}test_interleavings__any_order__uses_no_stale_approval_and_no_ones_own",
            f"{APPROVAL}test_start__approval_expired__is_refused",
            f"{APPROVAL}test_start__approver_lost_the_role_meanwhile__is_refused",
            "tests/changes/test_schedule.py::test_start_due__the_reviewer_lost_the_role__is_suspended",
        ),
    ),
    Fault(
        36,
        "metrics missing, late or absurd",
        "inconclusive or error, never a pass",
        (
            f"{ROLLOUT}test_gates__without_any_metrics__never_let_the_next_step_begin",
            "tests/changes/test_gating.py::test_gates__values_that_no_measurement_can_have__pass_nothing",
            "tests/changes/test_gates.py::test_a_gate__given_minutes_out_of_order__says_the_same",
        ),
    ),
    Fault(
        37,
        "the ledger takes nothing",
        "nothing is done, rollback included; goes on when it does",
        (
            f"{WORKER}test_worker__ledger_takes_nothing_for_a_while__sends_nothing_and_sets_nothing_aside",
            "tests/changes/test_record.py::test_record__ledger_takes_nothing__nothing_is_done_either",
        ),
        remark="Nothing of a change waits for an anchor file or a webhook.",
    ),
    Fault(
        38,
        "a step of a newer version",
        "refused by the older one",
        (
            f"{ELSE}test_poison__one_change_that_can_not_be_worked_on__holds_up_no_other_and_can_be_rolled_back",
        ),
    ),
    Fault(
        39,
        "token refused",
        "another one; then asks for a person",
        (
            f"{REFUSES}test_change__token_refused_once__asks_for_another_and_goes_on",
            f"{REFUSES}test_change__refused_for_lack_of_rights__keeps_asking_for_a_person_until_it_is_let_in",
        ),
        ("token refused",),
    ),
    Fault(
        40,
        "a change that can't be worked on",
        "set aside; others go on",
        (
            f"{ELSE}test_poison__one_change_that_can_not_be_worked_on__holds_up_no_other_and_can_be_rolled_back",
        ),
    ),
)


def _named(test: str) -> str:
    path, _, name = test.partition("::")
    return f"`{name}` ({path.rpartition('/')[2]})"


def as_table() -> list[str]:
    """The rows of the documentation's table."""
    rows = [
        "| | Injected | Must come of it | Shown by | Thrown by `bench faults` as |",
        "|---|---|---|---|---|",
    ]
    for fault in FAULTS:
        shown = "<br>".join([*map(_named, fault.tests), *([fault.remark] if fault.remark else [])])
        thrown = ", ".join(fault.injections) or "-"
        rows.append(f"| F{fault.number} | {fault.injected} | {fault.expected} | {shown} | {thrown} |")
    return rows
