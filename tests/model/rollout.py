"""The world of a staged rollout, small enough to be walked completely: two executors, one Azure, one person.

The lease can run out under a process that lives, calls land late or never, readings are old for a while, gates
pass, fail or say nothing, and a rollback is ordered by a gate, a person, or both. What is decided is decided by
the product's own `decide`; rows, fence and lease are said again here in the plainest form. Time is not counted:
a bound is over when its move is made, and that move waits for what the bound is there to outlast.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from endpoints.changes import decide as d
from endpoints.changes.lifecycle import Kind
from endpoints.changes.lifecycle import State as Life
from tests.changes.deciding import STANDING, at

BASE, CANARY, FULL, FOREIGN = range(4)
SPLITS = (
    d.Split.of({"blue": 100}),
    d.Split.of({"blue": 90, "green": 10}),
    d.Split.of({"green": 100}),
    d.Split.of({"blue": 50, "green": 50}),
)
STEPS = (CANARY, FULL)
NOBODY, DEAD = -1, -2
AT_WORK = ("applying", "verifying", "baking")
FAIR = frozenset({"work", "land", "end", "show", "bound", "lapse"})
"""What happens some time if it stays possible: processes go on, calls and operations end, bounds pass."""


class Call(NamedTuple):
    """One call: its row, and what became of it on the way. `row` is open, unknown or closed."""

    generation: int
    split: int
    epoch: int
    worker: int
    place: str = "written"  # flying, taken, refused, gone
    row: str = "open"
    late: bool = False  # its bound is over
    newest: bool = True

    @property
    def pending(self) -> bool:
        return self.row != "closed" and not self.late


class Worker(NamedTuple):
    """What one process holds in its head."""

    at: str = "idle"  # decided, sending, waiting
    action: str = ""
    generation: int = 0
    epoch: int = 0
    state: str = ""
    split: int = 0


class World(NamedTuple):
    """Everything. `flaws` are the rules that some move has broken."""

    split: int = BASE
    shown: int = BASE
    operation: int = -1
    holder: int = NOBODY
    held: bool = False
    epoch: int = 0
    generation: int = 1
    change: str = "applying"
    step: int = 0
    back: str = ""
    by_person: bool = False
    confirmed: bool = False
    accepted: bool = False
    """The newest call of this step was taken, and the move that belongs to it was fenced."""
    answered: bool = False
    """Some call of this step was, be it an older one."""
    calls: tuple[Call, ...] = ()
    workers: tuple[Worker, Worker] = (Worker(), Worker())
    crashes: int = 0
    pauses: int = 0
    losses: int = 0
    failures: int = 0
    foreign: int = 0
    outlivings: int = 0
    holds: int = 0
    expected: frozenset[int] = frozenset()
    """What a reading would be taken for ours: splits that were ordered by whoever owns the endpoint."""
    drift: bool = False
    flaws: frozenset[str] = frozenset()

    @property
    def rolling_back(self) -> bool:
        return self.back in AT_WORK

    @property
    def state(self) -> str:
        """The state of the change that owns the endpoint; "" when none does."""
        if self.back:
            return self.back if self.rolling_back else ""
        return self.change if self.change in (*AT_WORK, "held") else ""

    @property
    def target(self) -> int:
        return BASE if self.back else STEPS[self.step]


@dataclass(frozen=True)
class Rules:
    """What protects the endpoint. A model with one of them off must be seen to fail."""

    recheck: bool = True
    """The fence is read again in the statement that writes a call down."""
    bound: bool = True
    """A call without an answer is waited for before another order is sent or an end believed."""
    take_over_waits: bool = True
    """A lease with a call in the middle is taken over only after the call's bound."""
    raises_generation: bool = True
    """A rollback voids what was decided for the former goal."""
    level: bool = True
    """What Azure shows decides, not that a call or an operation ended well."""
    second_reading: bool = True
    """One reading confirms, and only another one, later, ends."""
    gate_fenced: bool = True
    """A gate rolls back only the goal that it judged."""
    one_explanation: bool = True
    """Where a call was answered, no other call is taken for the reason of what Azure shows."""
    cancels: bool = True
    """When a change ends, no write is expected from it any more."""


def moves(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """All that can happen next; the first word of each label is its kind."""
    for number in (0, 1):
        yield from _process(world, number, rules)
    for index in range(len(world.calls)):
        yield from _on_the_way(world, index)
    yield from _azure(world)
    yield from _people(world, rules)


# Processes


def _process(world: World, number: int, rules: Rules) -> Iterator[tuple[str, World]]:
    worker = world.workers[number]
    if worker.at == "idle":
        yield from _look(world, number, rules)
    elif worker.at == "decided":
        yield f"work acts: {worker.action}", _settled(_act(world, number, rules))
    elif worker.at == "sending":
        yield "work sends or gives up", _settled(_send(world, number))
    else:
        yield from _hear(world, number)
    if world.crashes and worker.at != "idle":
        yield f"crash while {worker.at} {worker.action}", _settled(_crash(world, number))
    if world.holder == number and world.held and world.pauses and worker.at != "idle":
        yield f"pause while {worker.at} {worker.action}", world._replace(held=False, pauses=world.pauses - 1)
    if world.holder == number and not world.state and worker.at == "idle":
        yield "work gives the lease back", world._replace(holder=NOBODY, held=False)


def _look(world: World, number: int, rules: Rules) -> Iterator[tuple[str, World]]:
    """Take or renew the lease, load the rows, read Azure, decide: the fence finds whatever changed in between."""
    leased = _leased(world, number, rules)
    if leased is None:
        return
    actions = _decisions(leased, rules)
    if not actions and leased.holder != world.holder:
        yield "work takes the lease and waits", _settled(leased)
    for action in actions:
        worker = Worker("decided", action, leased.generation, leased.epoch, leased.state, leased.target)
        yield f"work reads and decides: {action}", _settled(_set(leased, number, worker))


def _leased(world: World, number: int, rules: Rules) -> World | None:
    if not world.state:
        return None
    if world.holder == number:
        return world._replace(held=True)
    if world.held or world.shown != world.split:
        return None  # a lease outlasts the time for which readings are old
    if world.holder != NOBODY and rules.take_over_waits and any(_silent(call) for call in world.calls):
        return None
    return world._replace(holder=number, held=True, epoch=world.epoch + 1)


def _silent(call: Call) -> bool:
    return call.row == "open" and not call.late


def _decisions(world: World, rules: Rules) -> tuple[str, ...]:
    if world.state == "baking":
        if world.shown != world.target:
            return ("Drift",)
        return ("StepOver", "RollBack", "HoldHere") if world.holds else ("StepOver", "RollBack")
    if world.state == "held":
        return ()
    back = bool(world.back)
    mine = [call for call in world.calls if call.generation == world.generation and call.pending]
    rival = any(call.pending and call.generation != world.generation for call in world.calls)
    before = STEPS[world.step - 1] if world.step else BASE
    situation = Situation(
        back,
        world.state,
        world.target,
        before,
        last="accepted" if world.accepted else "open" if mine and rules.bound else "",
        confirmed=world.confirmed,
        rival=rival and rules.bound,
        shown=world.shown,
        settled=world.shown == world.split,
        busy=world.operation >= 0,
    )
    return _mutated(decided(situation), situation, rules)


def _mutated(action: str, situation: Situation, rules: Rules) -> tuple[str, ...]:
    if not rules.level and situation.state == "verifying":
        return () if situation.busy else ("StepDone",)
    if not rules.second_reading and action == "Confirm":
        return ("StepDone",)
    if action == "Wait" or (action == "Confirm" and situation.confirmed):
        return ()
    return (action,)


class Situation(NamedTuple):
    """What the decider is told, as far as it matters here. `settled`: readings are up to date again."""

    back: bool
    state: str
    target: int
    before: int
    last: str
    confirmed: bool
    rival: bool
    shown: int
    settled: bool
    busy: bool


@cache
def decided(situation: Situation) -> str:
    """The name of the product's decision."""
    limits = d.Limits(in_flight=30, settle=10, second_read=5)
    long_ago, just_now = at(-20.0), at(-1.0)
    last = None
    if situation.last == "open":
        last = d.LastAttempt(just_now, None)
    elif situation.last == "accepted" or situation.state == "verifying":
        last = d.LastAttempt(long_ago if situation.settled else just_now, d.AttemptOutcome.ACCEPTED)
    facts = d.Facts(
        kind=Kind.ROLLBACK if situation.back else Kind.TRAFFIC,
        state=Life(situation.state),
        target=SPLITS[situation.target],
        before=None if situation.back else SPLITS[situation.before],
        step_since=long_ago,
        last=last,
        # The second reading is late enough to be up to date: Azure shows what is in force within those seconds.
        confirmed_at=(long_ago if situation.settled else just_now) if situation.confirmed else None,
        rival_sent_at=just_now if situation.rival else None,
    )
    state = "Updating" if situation.busy else "Succeeded"
    endpoint = d.SeenEndpoint(True, SPLITS[situation.shown], state, STANDING)
    action = d.decide(facts, d.Seen(), at(0), limits)
    if isinstance(action, d.Read):
        action = d.decide(facts, d.Seen(endpoint=endpoint), at(0), limits)
    return type(action).__name__


def _fenced(world: World, number: int) -> bool:
    """Whether the rows are not any more what was decided on. The product compares the goal as well."""
    worker = world.workers[number]
    return not (
        world.held
        and world.holder == number
        and world.epoch == worker.epoch
        and world.generation == worker.generation
        and world.state == worker.state
    )


def _act(world: World, number: int, rules: Rules) -> World:
    worker = world.workers[number]
    fenced = _fenced(world, number)
    if worker.action == "Put" and not rules.recheck:
        fenced = False
    if worker.action == "RollBack" and not rules.gate_fenced:
        return _set(_roll_back(world, rules, by_person=False), number, Worker())
    if fenced:
        return _set(world, number, Worker())
    if worker.action == "Put":
        return _open(world, number)
    return _set(_turn(world, worker.action, rules), number, Worker())


def _turn(world: World, action: str, rules: Rules) -> World:
    match action:
        case "Accept":
            return _moved(_adopted(world, rules), "verifying", confirmed=False, accepted=False)
        case "Confirm":
            return world._replace(confirmed=True)
        case "Again":
            return _moved(world, "applying", confirmed=False, accepted=False)
        case "Drift":
            world = _flawed(world, "a rollback drifts", bool(world.back))
            return _ended(world, "drifted", rules)._replace(drift=True)
        case "StepDone" if not world.back:
            return _moved(world, "baking", confirmed=False, accepted=False)
        case "StepDone":
            return _ended(world, "succeeded", rules)
        case _:
            return _baked(world, action, rules)


def _baked(world: World, action: str, rules: Rules) -> World:
    match action:
        case "StepOver" if world.step + 1 < len(STEPS):
            return _moved(world, "applying", accepted=False, answered=False)._replace(step=world.step + 1)
        case "StepOver":
            return _ended(world, "succeeded", rules)
        case "HoldHere":
            return _moved(world, "held")._replace(holds=world.holds - 1)
        case "RollBack":
            return _roll_back(world, rules, by_person=False)
        case _:
            raise AssertionError(f"nothing is done for {action}")


def _open(world: World, number: int) -> World:
    """The intent. Judged here: only the goal is ordered, its steps in their order."""
    worker = world.workers[number]
    call = Call(worker.generation, worker.split, worker.epoch, number)
    wrong = not world.state or worker.split != world.target
    world = _flawed(world, "a call for a goal that was given up", wrong)
    skipped = worker.split == FULL and world.step == 0
    world = _flawed(world, "steps out of order", skipped)
    former = tuple(one._replace(newest=False) for one in world.calls)
    world = world._replace(calls=(*former, call), expected=world.expected | {call.split}, accepted=False)
    return _set(world, number, worker._replace(at="sending", action=""))


def _send(world: World, number: int) -> World:
    """Off it goes, unless the deadline has passed: it runs from the intent, so it is over before the bound."""
    index = _call_of(world, number)
    call = world.calls[index]
    if call.late and not world.outlivings:
        return _set(_with(world, index, call._replace(place="gone", row="closed", worker=NOBODY)), number)
    rivals = [one for one in world.calls if one.epoch < call.epoch and _silent(one)]
    in_the_middle = any(one.place in ("written", "flying") for one in rivals)
    world = _flawed(world, "two processes in the middle of a call", in_the_middle)
    world = world._replace(outlivings=world.outlivings - call.late)
    world = _with(world, index, call._replace(place="flying"))
    return _set(world, number, world.workers[number]._replace(at="waiting"))


def _hear(world: World, number: int) -> Iterator[tuple[str, World]]:
    index = _call_of(world, number)
    call = world.calls[index]
    if call.place == "taken":
        yield "work hears yes", _settled(_taken(world, number, index))
    elif call.place == "refused":
        closed = call._replace(row="closed", worker=NOBODY)
        yield "work hears no", _settled(_set(_with(world, index, closed), number))
    if call.place == "gone" or world.losses:
        spent = world.losses - (call.place != "gone")
        unknown = _with(world._replace(losses=spent), index, call._replace(row="unknown", worker=NOBODY))
        yield "work hears nothing", _settled(_set(unknown, number))


def _taken(world: World, number: int, index: int) -> World:
    """The answer is kept in any case; the move is fenced."""
    call, fenced = world.calls[index], _fenced(world, number)
    world = _set(_with(world, index, call._replace(row="closed", worker=NOBODY)), number)
    if fenced:
        same = (call.generation, call.split) == (world.generation, world.target)
        newest = call.newest and same
        return world._replace(accepted=world.accepted or newest, answered=world.answered or same)
    return _moved(world, "verifying", confirmed=False, accepted=False)


def _crash(world: World, number: int) -> World:
    calls = tuple(
        call._replace(worker=NOBODY, place="gone" if call.place == "written" else call.place)
        if call.worker == number
        else call
        for call in world.calls
    )
    holder = DEAD if world.holder == number else world.holder
    return _set(world._replace(calls=calls, holder=holder, crashes=world.crashes - 1), number)


# What people and gates do


def _people(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    if not world.by_person and not world.back:
        yield "click: roll back", _settled(_roll_back(world, rules, by_person=True))
    if world.state == "held":
        yield "click: go on", _settled(_moved(world, "baking"))


def _roll_back(world: World, rules: Rules, *, by_person: bool) -> World:
    """Supersede, raise the generation, take the goal: one transaction."""
    world = _flawed(world, "a gate undoes what a person ordered", world.by_person and not by_person)
    change = "superseded" if world.change in (*AT_WORK, "held", "drifted") else world.change
    return world._replace(
        change=change,
        back="applying",
        by_person=by_person,
        generation=world.generation + rules.raises_generation,
        confirmed=False,
        accepted=False,
        answered=False,
    )


# Calls on the way, and Azure


def _on_the_way(world: World, index: int) -> Iterator[tuple[str, World]]:
    call = world.calls[index]
    if call.place == "flying":
        yield f"land of {call.split}", _settled(_land(world, index))
        if world.losses:
            gone = _with(world, index, call._replace(place="gone"))._replace(losses=world.losses - 1)
            yield f"lost is {call.split}", _settled(gone)
    # A process that goes on sends within the bound; one that was held up for so long has lost its lease.
    about_to_send = call.place == "written" and world.held and world.holder == call.worker
    if call.pending and call.place != "flying" and not about_to_send:
        yield f"bound of {call.split} passes", _settled(_with(world, index, call._replace(late=True)))


def _land(world: World, index: int) -> World:
    """Azure takes it, or refuses it because an operation runs. Judged here: no older goal after a newer one."""
    call = world.calls[index]
    if world.operation >= 0:
        return _with(world, index, call._replace(place="refused"))
    newer = any(
        other.generation > call.generation and other.place not in ("written",) for other in world.calls
    )
    done = world.back == "succeeded" and call.split != BASE
    world = _flawed(world, "an older goal's call lands after a newer one's", newer or done)
    return _with(world._replace(operation=call.split), index, call._replace(place="taken"))


def _azure(world: World) -> Iterator[tuple[str, World]]:
    if world.operation >= 0:
        yield f"end of {world.operation}", world._replace(split=world.operation, operation=-1)
        if world.failures:
            yield "fails", world._replace(operation=-1, failures=world.failures - 1)
    if world.shown != world.split:
        yield "show what is in force", world._replace(shown=world.split)
    if world.foreign:
        yield "foreign write", world._replace(split=FOREIGN, foreign=world.foreign - 1, drift=True)
    if not world.held or world.holder != DEAD:
        return
    yield "lapse of the dead one's lease", world._replace(held=False)


# Helpers


def _set(world: World, number: int, worker: Worker = Worker()) -> World:  # noqa: B008 - frozen
    first, second = world.workers
    return world._replace(workers=(worker, second) if number == 0 else (first, worker))


def _with(world: World, index: int, call: Call) -> World:
    return world._replace(calls=(*world.calls[:index], call, *world.calls[index + 1 :]))


def _call_of(world: World, number: int) -> int:
    return next(index for index, call in enumerate(world.calls) if call.worker == number)


def _flawed(world: World, rule: str, broken: bool) -> World:
    return world._replace(flaws=world.flaws | {rule}) if broken else world


def _moved(world: World, to: str, **values: bool) -> World:
    return world._replace(**({"back": to} if world.back else {"change": to}), **values)  # type: ignore[arg-type]


def _ended(world: World, to: str, rules: Rules) -> World:
    """Nobody owns the split any more: the generation grows and no write is expected."""
    world = _moved(world, to, confirmed=False, accepted=False, answered=False)
    expected = frozenset() if rules.cancels else world.expected
    return world._replace(expected=expected, generation=world.generation + 1)


def _adopted(world: World, rules: Rules) -> World:
    """One call explains what Azure shows: one that was answered, or else the oldest of this goal."""
    if world.answered and rules.one_explanation:
        return world
    for index, call in enumerate(world.calls):
        if call.generation == world.generation and call.split == world.target and call.row != "closed":
            return _with(world, index, call._replace(row="closed"))
    return world


def _settled(world: World) -> World:
    """Without calls that nothing can come of any more, and with the two processes in one order: they are alike."""
    calls = tuple(
        call
        for call in world.calls
        if call.worker != NOBODY
        or call.place == "flying"
        or call.pending
        or (call.row != "closed" and call.generation == world.generation)
    )
    world = world._replace(calls=calls)
    first, second = world.workers
    swap = {0: 1, 1: 0}
    if (first, world.holder == 0) <= (second, world.holder == 1):
        return world
    return world._replace(
        workers=(second, first),
        holder=swap.get(world.holder, world.holder),
        calls=tuple(call._replace(worker=swap.get(call.worker, call.worker)) for call in calls),
    )
