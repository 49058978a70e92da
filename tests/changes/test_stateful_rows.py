"""Lives of changes on the real rows: services and executor against PostgreSQL, and an Azure that delivers as it likes.

Every rule has a precondition, so that none is a silent no-op; calls land in any order, late or never, but within
their bound. Time passes by moving what the rows remember into the past, and every wait is a thousand times as long
as by default, so that the seconds which this takes do not matter.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any

import pytest
from django.conf import settings
from django.db.models import F
from hypothesis import HealthCheck, target
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pytest_django.plugin import DjangoDbBlocker

from endpoints.audit.models import Entry
from endpoints.azure_gateway.records import Accepted
from endpoints.changes import decide as d
from endpoints.changes.draft import Draft, DraftStep
from endpoints.changes.executor import attempts, outcomes
from endpoints.changes.executor.jobs import Fenced, Job, limits, load_job
from endpoints.changes.executor.lease import Held, acquire
from endpoints.changes.lifecycle import EXECUTING, TERMINAL, Kind, State
from endpoints.changes.models import Attempt, Change, Lease, Transition
from opsportal.embedded.throwaway import Servers
from tests.changes.deciding import STANDING
from tests.changes.desk import ALL_BLUE, Desk
from tests.support import databases
from tests.support.people import make_person, make_workspace

CANARY, FULL, FOREIGN = {"blue": 90, "green": 10}, {"green": 100}, {"blue": 50, "green": 50}
PLAN = Draft((DraftStep(CANARY, bake=30), DraftStep(FULL)))
SLOWER = 1000.0
BOUND = 30.0 * SLOWER
PROCESSES = st.integers(0, 1)


@dataclass
class Call:
    """A call on its way. `fate`: flying, taken, refused, lost."""

    request_id: str
    split: dict[str, int]
    age: float = 0.0
    fate: str = "flying"


@dataclass
class Remote:
    """One endpoint in force, and the one operation that it runs."""

    split: dict[str, int] = field(default_factory=lambda: dict(ALL_BLUE))
    wanted: dict[str, int] | None = None
    ours_since_goal: list[dict[str, int]] = field(default_factory=list)

    def look(self) -> d.Seen:
        state = "Updating" if self.wanted is not None else "Succeeded"
        return d.Seen(endpoint=d.SeenEndpoint(True, d.Split.of(self.split), state, STANDING))

    def land(self, call: Call) -> None:
        call.fate = "refused" if self.wanted is not None else "taken"
        if call.fate == "taken":
            self.wanted = call.split

    def end(self) -> None:
        assert self.wanted is not None
        self.split, self.wanted = self.wanted, None
        self.ours_since_goal.append(self.split)


@dataclass
class Process:
    """An executor in the middle of something."""

    name: str
    job: Job | None = None
    action: d.Action | None = None
    sent: attempts.Sent | None = None
    opened: float = 0.0
    call: Call | None = None

    @property
    def at(self) -> str:
        if self.call:
            return "waiting"
        if self.sent:
            return "sending"
        return "decided" if self.action else "idle"

    def forget(self) -> None:
        self.job = self.action = self.sent = self.call = None


def any_process(at: str) -> Any:
    return precondition(lambda self: any(process.at == at for process in self.processes))


class Lives(RuleBasedStateMachine):
    """One endpoint, two processes, people, and a remote."""

    servers: Servers
    template: str

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        database = self.stack.enter_context(databases.cloned(self.servers, self.template))
        self.stack.enter_context(databases.default_database(database.url))
        self.desk = new_desk()
        self.names = (f"host-{number}" for number in count())
        self.processes = [Process(next(self.names)) for _ in range(2)]
        self.remote = Remote()
        self.calls: list[Call] = []
        self.foreign_writes = 0
        self.clock = 0.0
        self.most_flying = 0
        self._start()
        self._see()

    def teardown(self) -> None:
        try:
            self._moves_are_on_record_once()
            target(float(self.most_flying), label="calls on their way at once")
        finally:
            self.stack.close()

    # What people do

    def _start(self) -> None:
        change_id = self.desk.request(split=None, draft=PLAN)
        self.desk.start(self.desk.approve(change_id))

    @precondition(
        lambda self: self._active() is None and self.remote.split == ALL_BLUE and not self.remote.wanted
    )
    @rule()
    def somebody_starts_another(self) -> None:
        self.desk.azure_shows(self.remote.split)
        self.remote.ours_since_goal.clear()
        self._start()

    @precondition(lambda self: (active := self._active()) is None or active.kind != Kind.ROLLBACK)
    @precondition(lambda self: not self._rollback_done())
    @rule()
    def somebody_rolls_back(self) -> None:
        receipt = self.desk.roll_back(ALL_BLUE)
        assert receipt.created
        assert self.desk.roll_back(ALL_BLUE).change_id == receipt.change_id
        self.remote.ours_since_goal.clear()

    # What processes do

    @any_process("idle")
    @precondition(lambda self: (active := self._active()) is not None and active.state in EXECUTING)
    @rule(number=PROCESSES)
    def process_looks(self, number: int) -> None:
        process = self._pick(number, "idle")
        held = acquire(self.desk.endpoint_id, process.name)
        if not isinstance(held, Held):
            return  # somebody else's: how long is judged by the rows' own tests
        job = load_job(self.desk.endpoint_id, process.name, held.epoch)
        assert job is not None
        action = d.decide(job.facts, d.Seen(), job.now, limits())
        if isinstance(action, d.Poll):
            operation = d.SeenOperation(self.remote.wanted is not None)
            action = d.decide(job.facts, d.Seen(operation=operation), job.now, limits())
        if isinstance(action, d.Read):
            action = d.decide(job.facts, self.remote.look(), job.now, limits())
        if isinstance(action, d.Wait):
            outcomes.waiting(job, action)
        else:
            process.job, process.action = job, action

    @any_process("decided")
    @rule(number=PROCESSES)
    def process_acts(self, number: int) -> None:
        process = self._pick(number, "decided")
        job, action = process.job, process.action
        assert job is not None
        process.action = None
        try:
            if isinstance(action, d.Put):
                process.sent, process.opened = attempts.open_attempt(job), self.clock
            else:
                _turn(job, action)
        except Fenced:
            pass
        if not process.sent:
            process.forget()

    @any_process("sending")
    @rule(number=PROCESSES)
    def process_sends(self, number: int) -> None:
        process = self._pick(number, "sending")
        assert process.job is not None
        assert process.sent is not None
        if self.clock - process.opened >= BOUND:
            refusal = attempts.Refusal(unknown=False, status=None, text="held up for too long")
            outcomes.refused(process.job, process.sent, refusal, fatal="")
            process.forget()
            return
        process.call = Call(
            process.sent.request_id, dict(process.job.step.split), self.clock - process.opened
        )
        self.calls.append(process.call)

    @any_process("waiting")
    @rule(number=PROCESSES)
    def process_hears(self, number: int) -> None:
        """The answer, where there is one; else that there is none."""
        process = self._pick(number, "waiting")
        job, sent, call = process.job, process.sent, process.call
        assert job is not None
        assert sent is not None
        assert call is not None
        if call.fate == "taken":
            outcomes.accepted(job, sent, _answer())
        elif call.fate == "refused":
            outcomes.refused(job, sent, attempts.Refusal(unknown=False, status=409, text="busy"), fatal="")
        else:
            outcomes.refused(
                job, sent, attempts.Refusal(unknown=True, status=None, text="no answer"), fatal=""
            )
        process.forget()

    @any_process("waiting")
    @rule(number=PROCESSES)
    def answer_is_lost(self, number: int) -> None:
        process = self._pick(number, "waiting")
        assert process.job is not None
        assert process.sent is not None
        refusal = attempts.Refusal(unknown=True, status=None, text="cut off")
        outcomes.refused(process.job, process.sent, refusal, fatal="")
        process.forget()

    @precondition(lambda self: any(process.at != "idle" for process in self.processes))
    @rule(number=PROCESSES)
    def process_dies(self, number: int) -> None:
        """Another one, with another name, in its place."""
        order = (number, 1 - number)
        at = next(one for one in order if self.processes[one].at != "idle")
        self.processes[at] = Process(next(self.names))

    # What happens elsewhere

    @precondition(lambda self: any(call.fate == "flying" for call in self.calls))
    @rule(which=st.integers(0, 9))
    def call_lands(self, which: int) -> None:
        flying = [call for call in self.calls if call.fate == "flying"]
        self.remote.land(flying[which % len(flying)])

    @precondition(lambda self: any(call.fate == "flying" for call in self.calls))
    @rule(which=st.integers(0, 9))
    def call_is_lost(self, which: int) -> None:
        flying = [call for call in self.calls if call.fate == "flying"]
        flying[which % len(flying)].fate = "lost"

    @precondition(lambda self: self.remote.wanted is not None)
    @rule()
    def operation_ends(self) -> None:
        self.remote.end()

    @precondition(lambda self: self.foreign_writes < 1 and self.remote.wanted is None)
    @rule()
    def somebody_else_writes(self) -> None:
        self.foreign_writes += 1
        self.remote.split = dict(FOREIGN)

    @rule(seconds=st.sampled_from([1.0, 6.0, 16.0, 31.0, 61.0, 95.0]), lands=st.booleans())
    def time_passes(self, seconds: float, lands: bool) -> None:
        """Calls that reach their bound on the way land, or never do."""
        seconds *= SLOWER
        for call in self.calls:
            call.age += seconds
            if call.fate == "flying" and call.age >= BOUND:
                if lands:
                    self.remote.land(call)
                else:
                    call.fate = "lost"
        self.clock += seconds
        _into_the_past(timedelta(seconds=seconds))

    # What always holds

    @invariant()
    def every_promise_is_kept(self) -> None:
        self._see()
        self._one_is_active_and_owns_the_goal()
        self._each_call_has_its_row_and_rows_only_grow()
        self._no_order_overlaps_another()
        self._what_is_rolled_back_stays_back()

    def _see(self) -> None:
        self.changes = list(Change.objects.order_by("pk"))
        self.rows = list(Attempt.objects.order_by("pk"))

    def _one_is_active_and_owns_the_goal(self) -> None:
        """I1."""
        active = [change for change in self.changes if change.started_at and not change.ended_at]
        assert len(active) <= 1
        if active and active[0].state != State.DRIFTED:
            assert Lease.objects.get(endpoint_id=self.desk.endpoint_id).goal_id == active[0].pk

    def _each_call_has_its_row_and_rows_only_grow(self) -> None:
        """I2, I3, I8."""
        by_id = {row.request_id: row for row in self.rows}
        assert len(by_id) == len(self.rows)
        for call in self.calls:
            assert by_id[call.request_id].intended["split"] == call.split
            assert sum(call.split.values()) == 100
        for earlier, later in pairwise(self.rows):
            assert (earlier.generation, earlier.epoch) <= (later.generation, later.epoch)
            assert earlier.generation < later.generation or earlier.step <= later.step

    def _no_order_overlaps_another(self) -> None:
        """One writer: while a call of one order may still land, no call of another one is on its way."""
        flying = [call for call in self.calls if call.fate == "flying"]
        self.most_flying = max(self.most_flying, len(flying))
        assert len({tuple(sorted(call.split.items())) for call in flying}) <= 1

    def _what_is_rolled_back_stays_back(self) -> None:
        """I7: nothing of ours moves the split after a rollback is done, whatever is still on its way."""
        if self._rollback_done():
            assert self.remote.ours_since_goal[-1:] in ([], [ALL_BLUE])
            assert self.remote.wanted in (None, ALL_BLUE)

    def _moves_are_on_record_once(self) -> None:
        """I4, I9: judged at the end, because nothing here is ever updated."""
        for change in Change.objects.all():
            moves = list(Transition.objects.filter(change=change).order_by("version"))
            assert [move.version for move in moves] == list(range(1, change.version + 1))
            assert all(later.before == earlier.after for earlier, later in pairwise(moves))
            assert moves[-1].after == change.state
            assert (change.ended_at is not None) == (change.state in TERMINAL)
            told = Entry.objects.filter(subject=f"change:{change.pk}", after__has_key="version")
            assert told.count() == len(moves)

    def _active(self) -> Change | None:
        return next((change for change in self.changes if change.started_at and not change.ended_at), None)

    def _rollback_done(self) -> bool:
        newest = max((change for change in self.changes if change.started_at), key=lambda change: change.pk)
        return newest.kind == Kind.ROLLBACK and newest.state == State.SUCCEEDED

    def _pick(self, number: int, at: str) -> Process:
        return next(self.processes[one] for one in (number, 1 - number) if self.processes[one].at == at)


def new_desk() -> Desk:
    workspace = make_workspace("mlw-prod-weu")
    people = {
        role: make_person(role, {workspace.slug: [role]}) for role in ("requester", "reviewer", "operator")
    }
    return Desk(workspace, **people)


def _turn(job: Job, action: d.Action | None) -> None:
    """What the worker makes of it."""
    match action:
        case d.NoteOperation():
            outcomes.note_operation(job, action.failure)
        case d.Confirm():
            outcomes.confirm(job, "azure-1")
        case d.StepDone():
            outcomes.step_done(job)
        case d.Baked():
            outcomes.baked(job, action.seconds)
        case d.StepOver():
            outcomes.stepped_over(job)
        case d.Accept():
            outcomes.accept_unanswered(job, action.reason)
        case d.Again():
            outcomes.again(job, action.reason)
        case d.Drift():
            outcomes.drifted(job, action.found)
        case _:
            raise AssertionError(f"nothing leads to {action!r} here")


def _answer() -> Accepted:
    now = datetime.now(UTC)
    return Accepted(201, "https://arm/op/1", "azure-1", "", "", None, now, now)


def _into_the_past(gone: timedelta) -> None:
    Attempt.objects.update(
        sent_at=F("sent_at") - gone,
        ended_at=F("ended_at") - gone,
        retry_at=F("retry_at") - gone,
        operation_ended_at=F("operation_ended_at") - gone,
    )
    Lease.objects.update(expires_at=F("expires_at") - gone)
    Change.objects.filter(ended_at=None).update(
        step_since=F("step_since") - gone,
        confirmed_at=F("confirmed_at") - gone,
        baked_at=F("baked_at") - gone,
        next_check_at=F("next_check_at") - gone,
    )


@pytest.fixture
def slow_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait of the executor, so much longer."""
    config = settings.OPSPORTAL
    names = ("lease_seconds", "in_flight_bound_seconds", "remote_call_seconds", "second_read_seconds")
    waits = {name: getattr(config, name) * SLOWER for name in names}
    monkeypatch.setattr(settings, "OPSPORTAL", config.model_copy(update=waits | {"poll_scale": SLOWER}))


def test_rows__in_any_life__keep_every_promise(
    servers: Servers, migrated_template: str, django_db_blocker: DjangoDbBlocker, slow_waits: None
) -> None:
    machine = type("LivesOnTheseServers", (Lives,), {"servers": servers, "template": migrated_template})
    ample = hypothesis_settings(
        max_examples=12,
        stateful_step_count=50,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    with django_db_blocker.unblock():
        run_state_machine_as_test(machine, settings=ample)  # type: ignore[no-untyped-call]
