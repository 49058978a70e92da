"""Azure's answers and refusals in the decider's words, and how long each of them makes the executor wait."""

from __future__ import annotations

import pytest

from endpoints.azure_gateway import errors
from endpoints.azure_gateway.records import OperationStatus
from endpoints.changes.decide import SeenOperation, Trouble
from endpoints.changes.executor.calling import pause_after
from endpoints.changes.executor.jobs import scaled
from endpoints.changes.executor.reading import LONGEST_PAUSE, failure_of, names_in, operation
from tests.changes.deciding import at


def status(word: str, code: str = "", message: str = "", retry_after: float | None = None) -> OperationStatus:
    return OperationStatus(word, None, code, message, retry_after, "azure-1")


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (errors.Throttled("no", retry_after=None), Trouble.THROTTLED),
        (errors.Forbidden("no"), Trouble.FORBIDDEN),
        (errors.Unauthenticated("no"), Trouble.UNAUTHENTICATED),
        (errors.Unreachable("no"), Trouble.UNREACHABLE),
        (errors.Malformed("item", "no"), Trouble.MALFORMED),
        (errors.ServerError("no"), Trouble.SERVER),
        (errors.Rejected("no"), Trouble.SERVER),
    ],
)
def test_failure__of_each_kind__is_named(error, trouble):
    assert failure_of(error, at(0)).trouble is trouble


def test_failure__with_a_time__is_due_then_and_not_in_a_year():
    assert failure_of(errors.Throttled("no", retry_after=7.0), at(0)).retry_at == at(7)
    assert failure_of(errors.Throttled("no", retry_after=3e7), at(0)).retry_at == at(LONGEST_PAUSE)


def test_failure__with_characters_that_no_database_holds__is_cleaned():
    assert failure_of(errors.Unreachable("a\x00b"), at(0)).text == "ab"


@pytest.mark.parametrize("word", ["InProgress", "Updating", "Accepted", "anything else"])
def test_operation__not_ended__runs(word):
    assert operation(status(word), at(0)) == SeenOperation(running=True)


def test_operation__running_with_a_time__is_due_then():
    assert operation(status("Updating", retry_after=5.0), at(0)).retry_at == at(5)


def test_operation__ended_well__has_no_failure():
    assert operation(status("Succeeded"), at(0)) == SeenOperation(running=False)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (status("Failed", "Quota", "No room."), "Quota: No room."),
        (status("Failed", "", "No room."), "No room."),
        (status("Canceled"), "the operation ended as Canceled"),
    ],
)
def test_operation__ended_badly__says_how(found, words):
    assert operation(found, at(0)).failure == words


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (errors.Throttled("no", retry_after=4.0), 4.0),
        (errors.Throttled("no", retry_after=3e7), LONGEST_PAUSE),
        (errors.Throttled("no", retry_after=None), None),
        (errors.Busy("no"), scaled(3.0)),
        (errors.Forbidden("no"), scaled(15.0)),
        (errors.Unauthenticated("no"), scaled(15.0)),
        (errors.ServerError("no"), None),
    ],
)
def test_pause__after_each_refusal__is_azures_wish_or_ours(error, pause):
    assert pause_after(error) == pause


@pytest.mark.parametrize(
    ("item", "name"),
    [("/subscriptions/s/x/deployments/Green", "green"), ("item 3 of page 1", ""), ("", "")],
)
def test_item__that_can_not_be_understood__is_named_where_it_can_be(item, name):
    assert names_in(item) == name
