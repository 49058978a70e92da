"""The history checker: what the rows and the ledger say, against the emulator's own log of what it was sent.

The rules are the invariants I1 to I11 of a change; how long things may take is for those who measure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from endpoints.audit.models import Entry
from endpoints.audit.verification import verify_stored
from endpoints.changes import samesetting
from endpoints.changes.lifecycle import TERMINAL, Kind, State
from endpoints.changes.models import Attempt, Change, ChangeRevision, Decision, Transition
from endpoints.changes.plan import rising, steps_from_json
from endpoints.core import traffic
from tests.flows.stage import Stage

SLACK = timedelta(seconds=0.5)
"""Between a row's stamp and the emulator's: they share a clock, but not a process."""
FRESH = timedelta(seconds=2)
"""How old the reading may be on which a call is based."""


def judge(world: Stage) -> None:
    """Every rule that holds for every history, whatever went wrong in it."""
    attempts = list(Attempt.objects.select_related("change__endpoint").order_by("pk"))
    writes, log = world.writes(), world.azure.admin.log()
    sent = [request for request in writes if orders_a_split(request)]
    one_at_a_time()
    each_call_has_its_row(attempts, writes)
    no_call_outlives_its_goal(attempts, writes, float(world.times["OPSPORTAL_REMOTE_CALL_SECONDS"]))
    goals_only_grow(attempts)
    what_was_approved_is_what_was_ordered(attempts)
    weight_rises_only_on_what_stands(attempts, sent, log)
    what_is_deleted_had_no_traffic(attempts, writes, log)
    steps_are_walked_in_order(attempts)
    what_was_rolled_back_stays_back(attempts, log)
    each_move_is_on_record_once()
    targets_had_been_in_force(log)


def one_at_a_time() -> None:
    """I1: on one endpoint the next change starts when the former has ended."""
    started = Change.objects.filter(started_at__isnull=False).order_by("endpoint_id", "started_at", "pk")
    for _, changes in groupby(started, lambda change: change.endpoint_id):
        for earlier, later in pairwise(changes):
            assert earlier.ended_at is not None, "two changes at work on one endpoint"
            assert later.started_at is not None
            assert earlier.ended_at <= later.started_at


def never_left(attempt: Attempt) -> bool:
    """Refused by our own side: no connection, an empty bucket."""
    return attempt.outcome == "refused" and attempt.status is None


def orders_a_split(request: dict[str, Any]) -> bool:
    return request["method"] == "PUT" and request["path"].lower().split("/")[-2] == "onlineendpoints"


def each_call_has_its_row(attempts: list[Attempt], writes: list[dict[str, Any]]) -> None:
    """I2: a row before the call, one call per row, and in it what the row says."""
    rows = {attempt.request_id: attempt for attempt in attempts}
    ids = [request["client_request_id"] for request in writes]
    assert len(ids) == len(set(ids)), "a call was repeated below the executor"
    assert set(ids) <= set(rows), "a call without a row"
    for request in writes:
        attempt = rows[request["client_request_id"]]
        assert attempt.sent_at <= moment(request["started"]), "a row after its call"
        assert request["path"].lower() == attempt.target.lower(), "a call of something else"
        assert request["method"] == method_of(attempt.intended)
        if request["body"]:
            says_what_the_row_says(attempt.intended, request["body"])


def method_of(intended: dict[str, Any]) -> str:
    """How a step reaches Azure. A setting that shall not be there is deleted, too."""
    verb = intended["verb"]
    if verb == "patch_capacity":
        return "PATCH"
    deletes = verb.startswith("delete_") or (verb == "put_autoscale" and intended["document"] is None)
    return "DELETE" if deletes else "PUT"


def says_what_the_row_says(intended: dict[str, Any], body: dict[str, Any]) -> None:
    match intended["verb"]:
        case "patch_capacity":
            assert body["sku"]["capacity"] == intended["instances"]
        case "put_autoscale":
            assert samesetting.covers(intended["document"], body)
        case "put_split":
            assert traffic.same(body["properties"]["traffic"], intended["split"])
        case verb:
            raise AssertionError(f"{verb} has no body")


def no_call_outlives_its_goal(attempts: list[Attempt], writes: list[dict[str, Any]], seconds: float) -> None:
    """I7: once a rollback is on record, no call of an older goal begins later than its bound."""
    call = timedelta(seconds=seconds)
    rows = {attempt.request_id: attempt for attempt in attempts}
    for rollback in Change.objects.filter(kind=Kind.ROLLBACK):
        for request in writes:
            attempt = rows[request["client_request_id"]]
            if attempt.change_id >= rollback.pk or attempt.change.endpoint_id != rollback.endpoint_id:
                continue
            assert attempt.sent_at <= rollback.created_at, "a call was decided for a goal that was given up"
            assert moment(request["started"]) <= rollback.created_at + call + SLACK


def goals_only_grow(attempts: list[Attempt]) -> None:
    """I3: generations and epochs of one endpoint's calls never go back."""
    by_endpoint: dict[int, list[Attempt]] = {}
    for attempt in attempts:
        by_endpoint.setdefault(attempt.change.endpoint_id, []).append(attempt)
    for calls in by_endpoint.values():
        for earlier, later in pairwise(calls):
            assert earlier.generation <= later.generation
            assert earlier.epoch <= later.epoch


def what_was_approved_is_what_was_ordered(attempts: list[Attempt]) -> None:
    """I5: somebody else's approval of exactly this content. A rollback needs none, and break-glass has its own rule."""
    for change in {
        attempt.change for attempt in attempts if attempt.change.kind in (Kind.TRAFFIC, Kind.CAPACITY)
    }:
        if not Transition.objects.filter(change=change, after=State.APPROVED).exists():
            continue
        sealed = set(ChangeRevision.objects.filter(change=change).values_list("number", "content_hash"))
        approvals = list(Decision.objects.filter(change=change, approved=True))
        assert approvals, f"{change} was approved by nobody"
        assert all((one.revision, one.content_hash) in sealed for one in approvals)
        assert change.author_id not in {one.reviewer_id for one in approvals}


def weight_rises_only_on_what_stands(
    attempts: list[Attempt], sent: list[dict[str, Any]], log: list[dict[str, Any]]
) -> None:
    """I6: when a change's call went out, each deployment that gains weight was Succeeded, or just before."""
    rows = {attempt.request_id: attempt for attempt in attempts}
    for request in sent:
        attempt = rows[request["client_request_id"]]
        if attempt.change.kind == Kind.ROLLBACK or not request["body"]:
            continue
        began, endpoint = moment(request["started"]), attempt.target.lower()
        served: dict[str, int] = {}
        for record in _records_of(endpoint, log, until=began):
            served = record["document"]["properties"]["traffic"]
        for name in rising(served, request["body"]["properties"]["traffic"]):
            states = _states(f"{endpoint}/deployments/{name}", log, began - FRESH, began)
            assert "Succeeded" in states, f"{name} was {states} when its weight was to rise"


def what_is_deleted_had_no_traffic(
    attempts: list[Attempt], writes: list[dict[str, Any]], log: list[dict[str, Any]]
) -> None:
    """I11: a delete goes out for what had no traffic, or just before; and no rollback deletes."""
    rows = {attempt.request_id: attempt for attempt in attempts}
    for request in writes:
        attempt, began = rows[request["client_request_id"]], moment(request["started"])
        if not attempt.verb.startswith("delete_"):
            continue
        assert attempt.change.kind == Kind.CAPACITY, "a delete that nobody approved"
        endpoint, _, name = attempt.target.lower().partition("/deployments/")
        served: list[dict[str, int]] = []
        for record in _records_of(endpoint, log, until=began):
            split = traffic.normalise(record["document"]["properties"]["traffic"])
            served = [*(served if moment(record["at"]) > began - FRESH else []), split]
        assert any(name not in split if name else not split for split in served), f"{served} was deleted"


def _records_of(resource: str, log: list[dict[str, Any]], *, until: datetime) -> Iterator[dict[str, Any]]:
    """What was in force, in order."""
    for record in log:
        if record["resource"].lower() == resource and record["phase"] == "applied" and record["document"]:
            if moment(record["at"]) > until:
                return
            yield record


def _states(resource: str, log: list[dict[str, Any]], since: datetime, until: datetime) -> list[str]:
    """The state that held at `since`, and all that came until `until`."""
    found: list[str] = []
    for record in log:
        if record["resource"].lower() == resource and moment(record["at"]) <= until:
            found = [*(found if moment(record["at"]) > since else []), str(record["state"])]
    return found


def steps_are_walked_in_order(attempts: list[Attempt]) -> None:
    """I8: steps as they were written, one after the other; shares that sum to 100, or to 0 where all is off."""
    for (change_id, _), calls in groupby(attempts, lambda one: (one.change_id, one.generation)):
        made = list(calls)
        assert all(earlier.step <= later.step for earlier, later in pairwise(made)), "a step backwards"
        plans = [steps_from_json(one.plan) for one in ChangeRevision.objects.filter(change_id=change_id)]
        for call in made:
            ordered = [plan[call.step].as_json() for plan in plans if call.step < len(plan)]
            assert call.intended in ordered, "something else than the plan says"
            assert sum(call.intended["split"].values()) in (0, 100)


def what_was_rolled_back_stays_back(attempts: list[Attempt], log: list[dict[str, Any]]) -> None:
    """I7: once a rollback is done, nothing of ours puts another split in force until somebody starts a change."""
    ours = {attempt.request_id for attempt in attempts}
    for rollback in Change.objects.filter(kind=Kind.ROLLBACK, state=State.SUCCEEDED).select_related(
        "endpoint"
    ):
        later = Change.objects.filter(endpoint=rollback.endpoint, started_at__gt=rollback.started_at)
        until = later.order_by("started_at").values_list("started_at", flat=True).first()
        target = _target(rollback)
        for record in log:
            at = moment(record["at"])
            if record["resource"].lower() != rollback.endpoint.arm_key or record["request_id"] not in ours:
                continue
            if (
                record["phase"] != "applied"
                or not record["document"]
                or at <= rollback.ended_at
                or (until and at >= until)
            ):
                continue
            split = record["document"]["properties"]["traffic"]
            assert traffic.same(split, target), f"{rollback} was done, and then a call of ours put {split}"


def _target(rollback: Change) -> traffic.Split:
    revision = ChangeRevision.objects.get(change=rollback, number=rollback.revision)
    return steps_from_json(revision.plan)[-1].split


def targets_had_been_in_force(log: list[dict[str, Any]]) -> None:
    """I10: a rollback goes where the endpoint has been before, or all to one deployment."""
    for rollback in Change.objects.filter(kind=Kind.ROLLBACK).select_related("endpoint"):
        target = _target(rollback)
        before = _records_of(rollback.endpoint.arm_key, log, until=rollback.created_at)
        served = [record["document"]["properties"]["traffic"] for record in before]
        assert len(target) == 1 or any(traffic.same(split, target) for split in served)


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
