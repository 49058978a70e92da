"""Lives of changes on the real rows: services and executor against PostgreSQL, and an Azure that delivers as it likes.

Only what is possible is drawn, so that nothing is a silent no-op; calls land in any order, late or never, but within
their bound. Time passes by moving what the rows remember into the past, and every wait is a thousand times as long
as by default, so that the seconds which this takes do not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, pairwise
from random import Random
from typing import Any

import pytest
from django.conf import settings
from django.db.models import F
from hypothesis import HealthCheck, Phase, note
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
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
from endpoints.dispatch import db_now
from opsportal.embedded.throwaway import Servers
from tests.changes.deciding import STANDING
from tests.changes.desk import ALL_BLUE, Desk
from tests.support import databases
from tests.support.people import make_person, make_workspace

CANARY, FULL, FOREIGN = {"blue": 90, "green": 10}, {"green": 100}, {"blue": 50, "green": 50}
PLAN = Draft((DraftStep(CANARY, bake=30), DraftStep(FULL)))
SLOWER = 1000.0
BOUND = 30.0 * SLOWER


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
        self._start()
        self._see()

    def teardown(self) -> None:
        try:
            self._moves_are_on_record_once()
        finally:
            self.stack.close()

    @initialize(chance=st.randoms(use_true_random=True), foreign_writes=st.integers(0, 3))
    def begins(self, chance: Random, foreign_writes: int) -> None:
        """A foreign writer in one life of four: it ends most of what could still go wrong."""
        self.chance, self.foreign_writes = chance, foreign_writes // 3

    @rule()
    def something_happens(self) -> None:
        """One of what can happen now, likelier what leads on.

        Drawn from a generator of its own: what Hypothesis draws by itself repeats and leans to what comes first, and
        most of those lives sent no call at all.
        """
        possible = list(self._possible())
        act = self.chance.choices([act for _, act in possible], [weight for weight, _ in possible])[0]
        note(f"{getattr(act, 'func', act).__name__}{getattr(act, 'args', ())}")
        act()

    def _possible(self) -> Iterator[tuple[int, Callable[[], None]]]:
        yield from self._elsewhere()
        for process in self.processes:
            yield from self._of(process)
        yield from self._of_people()

    # What processes do

    def _of(self, process: Process) -> Iterator[tuple[int, Callable[[], None]]]:
        active = self._active()
        if process.at == "idle" and active and active.state in EXECUTING and self._may_work(process):
            yield 8, partial(self._looks, process)
        if process.at == "decided":
            yield 10, partial(self._acts, process)
        if process.at == "sending":
            yield 10, partial(self._sends, process)
        if process.call:
            flying = process.call.fate == "flying"
            yield (4, partial(self._hears_nothing, process)) if flying else (8, partial(self._hears, process))
        if process.call and process.call.fate == "taken":
            yield 2, partial(self._hears_nothing, process)
        if process.at != "idle":
            yield 1, partial(self._dies, process)

    def _may_work(self, process: Process) -> bool:
        lease = Lease.objects.filter(endpoint_id=self.desk.endpoint_id).first()
        return lease is None or lease.holder in ("", process.name) or lease.expires_at < db_now()

    def _looks(self, process: Process) -> None:
        held = acquire(self.desk.endpoint_id, process.name)
        if not isinstance(held, Held):
            assert any(row.outcome == "" for row in self.rows), (
                "only a call without an answer outlasts a lease"
            )
            return
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

    def _acts(self, process: Process) -> None:
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

    def _sends(self, process: Process) -> None:
        assert process.job is not None
        assert process.sent is not None
        age = self.clock - process.opened
        if age >= BOUND:
            self._refused(process, unknown=False, status=None, text="held up for too long")
            return
        process.call = Call(process.sent.request_id, dict(process.job.step.split), age)
        self.calls.append(process.call)

    def _hears(self, process: Process) -> None:
        """The answer, where there is one."""
        assert process.job is not None
        assert process.sent is not None
        assert process.call is not None
        if process.call.fate == "taken":
            outcomes.accepted(process.job, process.sent, _answer())
            process.forget()
        elif process.call.fate == "refused":
            self._refused(process, unknown=False, status=409, text="busy")
        else:
            self._hears_nothing(process)

    def _hears_nothing(self, process: Process) -> None:
        self._refused(process, unknown=True, status=None, text="no answer")

    def _refused(self, process: Process, **told: Any) -> None:
        assert process.job is not None
        assert process.sent is not None
        outcomes.refused(process.job, process.sent, attempts.Refusal(**told), fatal="")
        process.forget()

    def _dies(self, process: Process) -> None:
        """Another one, with another name, in its place."""
        self.processes[self.processes.index(process)] = Process(next(self.names))

    # What people do

    def _of_people(self) -> Iterator[tuple[int, Callable[[], None]]]:
        active = self._active()
        if active is None and self.remote.split == ALL_BLUE and not self.remote.wanted:
            yield 6, self._start
        if not self._rollback_done() and (active is None or active.kind != Kind.ROLLBACK):
            heard = {process.call.request_id for process in self.processes if process.call}
            astray = any(call.fate == "flying" and call.request_id not in heard for call in self.calls)
            yield (12 if astray else 2 if self.calls else 1), self._roll_back  # in the worst moment

    def _start(self) -> None:
        self.remote.ours_since_goal.clear()
        self.desk.azure_shows(self.remote.split)
        change_id = self.desk.request(split=None, draft=PLAN)
        self.desk.start(self.desk.approve(change_id))

    def _roll_back(self) -> None:
        receipt = self.desk.roll_back(ALL_BLUE)
        assert receipt.created
        assert self.desk.roll_back(ALL_BLUE).change_id == receipt.change_id
        self.remote.ours_since_goal.clear()

    # What happens elsewhere

    def _elsewhere(self) -> Iterator[tuple[int, Callable[[], None]]]:
        idle = all(process.at == "idle" for process in self.processes)
        yield (6 if idle else 1), partial(self._time_passes, 6.0 * SLOWER, True)
        for seconds, lands in ((16.0, True), (31.0, False), (95.0, True)):
            yield 1, partial(self._time_passes, seconds * SLOWER, lands)
        for call in self.calls:
            if call.fate == "flying":
                yield 2, partial(self.remote.land, call)
                yield 1, partial(self._is_lost, call)
        if self.remote.wanted is not None:
            yield 8, self.remote.end
        elif self.foreign_writes:
            yield 1, self._somebody_else_writes

    def _is_lost(self, call: Call) -> None:
        call.fate = "lost"

    def _somebody_else_writes(self) -> None:
        self.foreign_writes -= 1
        self.remote.split = dict(FOREIGN)

    def _time_passes(self, seconds: float, lands: bool) -> None:
        """Calls that reach their bound on the way land, or never do."""
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
        assert len({tuple(sorted(call.split.items())) for call in flying}) <= 1

    def _what_is_rolled_back_stays_back(self) -> None:
        """I7: nothing of ours moves the split after a rollback is done, whatever is still on its way."""
        if self._rollback_done():
            assert self.remote.ours_since_goal[-1:] in ([], [ALL_BLUE])
            assert self.remote.wanted in (None, ALL_BLUE)
            assert all(call.split == ALL_BLUE for call in self.calls if call.fate == "flying")

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
        stateful_step_count=70,
        deadline=None,
        # A life can't be shortened: one other draw makes it another life.
        phases=[Phase.reuse, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    with django_db_blocker.unblock():
        run_state_machine_as_test(machine, settings=ample)  # type: ignore[no-untyped-call]
