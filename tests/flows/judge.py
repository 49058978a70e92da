"""The history checker: what the rows and the ledger say, against the emulator's own log of what it was sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from endpoints.audit.models import Entry
from endpoints.audit.verification import verify_stored
from endpoints.changes.lifecycle import TERMINAL, Kind
from endpoints.changes.models import Attempt, Change, Transition
from endpoints.core import traffic
from tests.flows.stage import TIMES, Stage

CALL = timedelta(seconds=float(TIMES["OPSPORTAL_REMOTE_CALL_SECONDS"]))
SLACK = timedelta(seconds=0.5)
"""Between a row's stamp and the emulator's: they share a clock, but not a process."""


def judge(world: Stage) -> None:
    """Every rule that holds for every history, whatever went wrong in it."""
    attempts = list(Attempt.objects.select_related("change").order_by("pk"))
    sent = world.sent()
    each_call_has_its_row(attempts, sent)
    no_call_outlives_its_goal(attempts, sent)
    goals_only_grow(attempts)
    each_move_is_on_record_once()


def never_left(attempt: Attempt) -> bool:
    """Refused by our own side: no connection, an empty bucket."""
    return attempt.outcome == "refused" and attempt.status is None


def each_call_has_its_row(attempts: list[Attempt], sent: list[dict[str, Any]]) -> None:
    """I2: a row before the call, one call per row, and in it what the row says."""
    rows = {attempt.request_id: attempt for attempt in attempts}
    ids = [request["client_request_id"] for request in sent]
    assert len(ids) == len(set(ids)), "a call was repeated below the executor"
    assert set(ids) <= set(rows), "a call without a row"
    for request in sent:
        attempt = rows[request["client_request_id"]]
        assert attempt.sent_at <= moment(request["started"]), "a row after its call"
        if request["body"]:
            properties = request["body"]["properties"]
            assert traffic.same(properties["traffic"], attempt.intended["split"])


def no_call_outlives_its_goal(attempts: list[Attempt], sent: list[dict[str, Any]]) -> None:
    """I7: once a rollback is on record, no call of an older goal begins later than its bound."""
    rows = {attempt.request_id: attempt for attempt in attempts}
    for rollback in Change.objects.filter(kind=Kind.ROLLBACK):
        for request in sent:
            attempt = rows[request["client_request_id"]]
            if attempt.change_id >= rollback.pk or attempt.change.endpoint_id != rollback.endpoint_id:
                continue
            assert attempt.sent_at <= rollback.created_at, "a call was decided for a goal that was given up"
            assert moment(request["started"]) <= rollback.created_at + CALL + SLACK


def goals_only_grow(attempts: list[Attempt]) -> None:
    """I3: generations and epochs of one endpoint's calls never go back."""
    by_endpoint: dict[int, list[Attempt]] = {}
    for attempt in attempts:
        by_endpoint.setdefault(attempt.change.endpoint_id, []).append(attempt)
    for calls in by_endpoint.values():
        for earlier, later in pairwise(calls):
            assert earlier.generation <= later.generation
            assert earlier.epoch <= later.epoch


def each_move_is_on_record_once() -> None:
    """I9: one ledger entry per transition, an unbroken path of states, an intact chain."""
    for change in Change.objects.all():
        moves = list(Transition.objects.filter(change=change).order_by("version"))
        entries = Entry.objects.filter(subject=f"change:{change.pk}", after__has_key="version").order_by(
            "seq"
        )
        assert [entry.after["version"] for entry in entries] == [move.version for move in moves]
        assert all(later.before == earlier.after for earlier, later in pairwise(moves))
        assert moves[-1].after == change.state
        assert (change.ended_at is not None) == (change.state in TERMINAL)
    found = verify_stored()
    assert found.ok, found.reason


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
