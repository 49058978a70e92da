"""The executor's loop around the real decider, with an Azure that answers late, out of order or never.

One seed is one run: a change, crashes, perhaps a rollback and a foreign writer, in virtual time. What the rows
would hold is kept here in the plainest form; every rule is judged as the run goes on.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from endpoints.changes import decide as d
from endpoints.changes.decide import AttemptOutcome
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.plan import rising
from tests.changes.deciding import BASE, CANARY, FOREIGN, LIMITS, STANDING, T0, at

FULL = d.Split.of({"green": 100})
LEASE = 60.0
END = 3600.0


class Fate(StrEnum):
    """What becomes of a call."""

    TAKEN = "taken"
    REFUSED = "refused"
    LOST = "lost"  # no answer, never applied
    LATE = "late"  # no answer, applied some time within the bound


@dataclass
class Landing:
    """A call on its way to Azure."""

    lands_at: float
    split: d.Split


@dataclass
class Azure:
    """One endpoint. An operation takes a while, and only one runs at a time."""

    rng: random.Random
    split: d.Split = BASE
    wanted: d.Split | None = None
    ends_at: float = 0.0
    fails: bool = False
    failed: bool = False
    flying: list[Landing] = field(default_factory=list)
    moves: list[tuple[float, d.Split]] = field(default_factory=list)

    def pass_to(self, now: float) -> None:
        """Land and end what is due, in the order of time."""
        while True:
            landing = min(self.flying, key=lambda one: one.lands_at, default=None)
            next_landing = landing.lands_at if landing else END * 9
            next_end = self.ends_at if self.wanted is not None else END * 9
            if min(next_landing, next_end) > now:
                return
            if next_end <= next_landing:
                self._end()
            else:
                assert landing is not None
                self.flying.remove(landing)
                if self.wanted is None:  # else it meets a 409 that nobody hears
                    self._begin(landing.split, landing.lands_at)

    def put(self, split: d.Split, now: float) -> Fate:
        if self.wanted is not None:
            return Fate.REFUSED
        fate = self.rng.choices(list(Fate), weights=[6, 2, 1, 2])[0]
        if fate is Fate.TAKEN:
            self._begin(split, now)
        if fate is Fate.LATE:
            self.flying.append(Landing(now + self.rng.uniform(0, LIMITS.in_flight - 0.001), split))
        return fate

    def foreign(self, now: float) -> None:
        """Somebody else's write, in force at once."""
        self.split = FOREIGN
        self.moves.append((now, FOREIGN))

    def look(self) -> d.SeenEndpoint | d.ReadFailure:
        if self.rng.random() < 0.1:
            return d.ReadFailure(self.rng.choice(list(d.Trouble)), "not now")
        state = "Updating" if self.wanted is not None else "Failed" if self.failed else "Succeeded"
        return d.SeenEndpoint(True, self.split, state, STANDING)

    def operation(self) -> d.SeenOperation | d.ReadFailure:
        if self.rng.random() < 0.1:
            return d.ReadFailure(d.Trouble.SERVER, "not now")
        return d.SeenOperation(self.wanted is not None, "Quota" if self.failed else "")

    def _begin(self, split: d.Split, now: float) -> None:
        self.wanted, self.fails = split, self.rng.random() < 0.1
        self.ends_at = now + self.rng.choice([0.05, 1.0, 8.0, 45.0])

    def _end(self) -> None:
        assert self.wanted is not None
        self.failed = self.fails
        if not self.fails:
            self.split = self.wanted
            self.moves.append((self.ends_at, self.wanted))
        self.wanted = None


@dataclass
class Order:
    """One change as its row would hold it."""

    kind: Kind
    steps: tuple[d.Split, ...]
    generation: int
    since: float
    state: State = State.APPLYING
    step: int = 0
    confirmed_at: datetime | None = None
    reached: list[int] = field(default_factory=list)


@dataclass
class Call:
    """One attempt as its row would hold it."""

    generation: int
    step: int
    split: d.Split
    sent: float
    last: d.LastAttempt


@dataclass
class Run:
    """One seed's life."""

    seed: int
    rollback_at: float | None = None
    foreign_at: float | None = None
    crashes: bool = True
    decider: Callable[[d.Facts, d.Seen, datetime, d.Limits], d.Action] = d.decide

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.azure = Azure(self.rng)
        self.now = 0.0
        self.order = Order(Kind.TRAFFIC, (CANARY, FULL), 1, 0.0)
        self.calls: list[Call] = []
        self.ended_at = 0.0

    def go(self) -> Run:
        while self.now < END and (self._active or self._to_come):
            self._happen()
            if self._active:
                self._round()
            else:
                self.now += 1.0
            self.azure.pass_to(self.now)
        return self

    @property
    def _active(self) -> bool:
        return self.order.state in (State.APPLYING, State.VERIFYING)

    @property
    def _to_come(self) -> bool:
        return self.rollback_at is not None or self.foreign_at is not None

    def _happen(self) -> None:
        """What people do, as soon as its time has come."""
        if self.foreign_at is not None and self.now >= self.foreign_at:
            self.azure.foreign(self.now)
            self.foreign_at = None
        if self.rollback_at is not None and self.now >= self.rollback_at:
            self.order = Order(Kind.ROLLBACK, (BASE,), self.order.generation + 1, self.now)
            self.rollback_at = None

    def _round(self) -> None:
        facts, seen, now = self._facts(), d.Seen(), self.now
        while True:
            action = self.decider(facts, seen, at(now), LIMITS)
            self.now += self.rng.uniform(0.01, 0.4)
            self.azure.pass_to(self.now)
            if isinstance(action, d.Poll):
                seen = replace(seen, operation=self.azure.operation())
            elif isinstance(action, d.Read):
                seen = replace(seen, endpoint=self.azure.look())
            else:
                break
        due_people = [moment for moment in (self.rollback_at, self.foreign_at) if moment is not None]
        if self.rollback_at is not None and self.now >= self.rollback_at:
            return  # the fence finds another generation
        if isinstance(action, d.Wait):
            until = min([(action.until - T0).total_seconds(), *due_people])
            self.now = max(self.now + 0.01, until)
            return
        self._act(action, facts, seen)

    def _act(self, action: d.Action, facts: d.Facts, seen: d.Seen) -> None:
        order = self.order
        match action:
            case d.Put():
                self._put(facts, seen)
            case d.NoteOperation():
                self._amend(operation_ended_at=at(self.now), operation_failure=action.failure)
            case d.Accept():
                self._adopt()
                order.state, order.confirmed_at = State.VERIFYING, None
            case d.Confirm():
                order.confirmed_at = at(self.now)
            case d.StepDone():
                self._step_done()
            case d.Again():
                pause = min(30.0, 2.0 ** len(self._mine()))
                self._amend(outcome=AttemptOutcome.NOT_APPLIED, retry_at=at(self.now + pause))
                order.state, order.confirmed_at = State.APPLYING, None
            case d.Drift():
                self._end(State.DRIFTED)
            case d.Fail():
                self._end(State.FAILED)

    def _put(self, facts: d.Facts, seen: d.Seen) -> None:
        order, split = self.order, facts.target
        assert isinstance(seen.endpoint, d.SeenEndpoint)
        self._judge_put(order, split, seen.endpoint)
        if self._crashed():
            return
        sent = self.now
        self.calls.append(Call(order.generation, order.step, split, sent, d.LastAttempt(at(sent), None)))
        if self._crashed():
            return
        fate = self.azure.put(split, self.now)
        if self._crashed():
            return
        if fate is Fate.TAKEN:
            self._amend(outcome=AttemptOutcome.ACCEPTED, operation_uri="op")
            order.state, order.confirmed_at = State.VERIFYING, None
        elif fate is Fate.REFUSED:
            self._amend(outcome=AttemptOutcome.REFUSED, retry_at=at(self.now + 3))
        else:
            self._amend(outcome=AttemptOutcome.UNKNOWN, retry_at=at(self.now + 1))

    def _judge_put(self, order: Order, split: d.Split, endpoint: d.SeenEndpoint) -> None:
        """I3, I6, I7, I8, and one writer at a time."""
        assert order is self.order, "a call for a goal that was given up"
        assert split == order.steps[order.step], "steps in their order, and nothing else"
        flying = [one.split for one in self.azure.flying]
        assert all(one == split for one in flying), "a call while another order may still land"
        if order.kind is Kind.TRAFFIC:
            assert not flying, "a call while an unanswered one may still land"
            assert rising(endpoint.split.live, split.live), "weights as planned"

    def _crashed(self) -> bool:
        """The process dies here; another one takes over when the lease, and an unanswered call, have run out."""
        if not self.crashes or self.rng.random() > 0.08:
            return False
        newest = self.calls[-1] if self.calls else None
        pending = newest is not None and newest.last.outcome is None
        self.now += LEASE + (LIMITS.in_flight if pending else 0.0)
        self.azure.pass_to(self.now)
        return True

    def _step_done(self) -> None:
        order = self.order
        order.reached.append(order.step)
        assert self.azure.wanted is None or self.azure.wanted == order.steps[order.step]
        if order.step + 1 < len(order.steps):
            order.step, order.since = order.step + 1, self.now
            order.state, order.confirmed_at = State.APPLYING, None
            return
        self._end(State.SUCCEEDED)

    def _end(self, state: State) -> None:
        self.order.state, self.ended_at = state, self.now

    def _mine(self) -> list[Call]:
        return [call for call in self.calls if call.generation == self.order.generation]

    def _amend(self, **values: object) -> None:
        mine = self._mine()
        if mine:
            mine[-1].last = replace(mine[-1].last, **values)  # type: ignore[arg-type]

    def _adopt(self) -> None:
        for call in self._mine():
            if call.step == self.order.step and call.last.unresolved:
                call.last = replace(call.last, outcome=AttemptOutcome.ADOPTED)
                return

    def _facts(self) -> d.Facts:
        order, mine = self.order, self._mine()
        last = mine[-1] if mine and mine[-1].step == order.step else None
        before = order.steps[order.step - 1] if order.step else BASE
        rivals = [c.sent for c in self.calls if c.generation != order.generation and c.last.unresolved]
        return d.Facts(
            kind=order.kind,
            state=order.state,
            target=order.steps[order.step],
            before=None if order.kind is Kind.ROLLBACK else before,
            step_since=at(order.since),
            last=last.last if last else None,
            confirmed_at=order.confirmed_at,
            rival_sent_at=at(max(rivals)) if rivals else None,
        )
