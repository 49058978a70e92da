"""Where gates stand after several measurements, one and all together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from endpoints.changes.gates import Measurement
from endpoints.changes.gatespec import gate
from endpoints.changes.standing import overall, standing
from endpoints.changes.verdict import Outcome

SPEC = gate("errors")
LETTERS = {"p": Outcome.PASS, "f": Outcome.FAIL, "i": Outcome.INCONCLUSIVE, "e": Outcome.ERROR}


def history(letters: str) -> list[Measurement]:
    """One measurement a letter; "x" is one that failed and is excused."""
    return [
        Measurement(SPEC.name, LETTERS.get(letter, Outcome.FAIL), f"Number {place}.", excused=letter == "x")
        for place, letter in enumerate(letters)
    ]


def stands(letters: str, **given) -> Outcome:
    return standing(replace(SPEC, **given), history(letters)).outcome


@pytest.mark.parametrize(
    ("letters", "outcome"),
    [
        ("", Outcome.INCONCLUSIVE),
        ("p", Outcome.PASS),
        ("iip", Outcome.PASS),
        ("pi", Outcome.INCONCLUSIVE),
        ("pe", Outcome.ERROR),
        ("f", Outcome.FAIL),
        ("fp", Outcome.FAIL),
        ("ppfpp", Outcome.FAIL),
        ("x", Outcome.PASS),
        ("xxp", Outcome.PASS),
        ("px", Outcome.PASS),
    ],
)
def test_a_gate__with_what_is_usual__stops_at_the_first_failure(letters, outcome):
    assert stands(letters) is outcome


@pytest.mark.parametrize(
    ("letters", "outcome"),
    [
        ("ffp", Outcome.PASS),
        ("ff", Outcome.INCONCLUSIVE),
        ("ffpf", Outcome.FAIL),
        ("feieif", Outcome.INCONCLUSIVE),
        ("ffeii", Outcome.INCONCLUSIVE),
        ("eeee", Outcome.ERROR),
    ],
)
def test_a_gate__that_tolerates_two_failures__counts_failures_only(letters, outcome):
    assert stands(letters, failure_limit=2) is outcome


def test_a_gate__that_tolerates_any_number_of_failures__never_stops_but_passes_no_failure():
    assert stands("f" * 50, failure_limit=-1) is Outcome.INCONCLUSIVE
    assert stands("f" * 50 + "p", failure_limit=-1) is Outcome.PASS


@pytest.mark.parametrize(
    ("letters", "outcome"),
    [
        ("pp", Outcome.INCONCLUSIVE),
        ("ppp", Outcome.PASS),
        ("ppipp", Outcome.INCONCLUSIVE),
        ("ppepp", Outcome.INCONCLUSIVE),
        ("pppi", Outcome.INCONCLUSIVE),
        ("ipxp", Outcome.PASS),
    ],
)
def test_a_gate__that_needs_three_passes_in_a_row__is_reset_by_the_unknown(letters, outcome):
    assert stands(letters, consecutive_successes=3) is outcome


def test_a_gate__that_failed__keeps_the_reason_of_its_last_failure():
    found = standing(replace(SPEC, failure_limit=1), history("fpfp"))
    assert found.reason.startswith("Number 2.")
    assert "Failed 2 times; 1 are tolerated" in found.reason
    assert (found.failures, found.streak, found.harm) == (2, 1, True)


def test_a_gate__that_is_excused__says_so_only_while_it_passes():
    assert standing(SPEC, history("px")).excused
    assert not standing(SPEC, history("xp")).excused
    assert not standing(SPEC, history("fx")).excused


def test_a_dry_run__that_fails__is_shown_and_does_not_block():
    found = standing(replace(SPEC, dry_run=True), history("f"))
    assert found.outcome is Outcome.FAIL
    assert (found.harm, found.blocks, found.dry_run) == (False, False, True)


@pytest.mark.parametrize("letters", ["", "i", "e", "f"])
def test_a_gate__that_has_not_passed__blocks(letters):
    assert standing(SPEC, history(letters)).blocks


def test_all_gates__one_of_them_failed__fail_with_its_reason():
    good, unsure = standing(SPEC, history("p")), standing(gate("cpu"), history("i"))
    bad = standing(gate("memory"), history("pf"))
    found = overall([good, unsure, bad])
    assert (found.name, found.outcome, found.reason) == ("Memory", Outcome.FAIL, "Number 1.")


def test_all_gates__one_of_them_inconclusive__do_not_pass():
    assert (
        overall([standing(SPEC, history("p")), standing(gate("cpu"), history("pi"))]).outcome
        is Outcome.INCONCLUSIVE
    )


def test_all_gates__only_a_dry_run_failed__pass():
    dry = standing(gate("cpu", dry_run=True), history("f"))
    assert overall([standing(SPEC, history("p")), dry]).passed
    assert overall([dry]).passed


def test_all_gates__there_being_none__is_inconclusive():
    assert overall([]).outcome is Outcome.INCONCLUSIVE
