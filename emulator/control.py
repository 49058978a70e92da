"""The only writer of the world log: begins operations, settles them when their time has come, writes at once.

Time passes when somebody looks: `advance()` runs before every request and settles what is due, stamped with
the time at which it was due. A restart therefore needs no timer to be brought back.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from emulator import names
from emulator.fold import Kind, Operation, Phase, Record, Resource, Who, World, apply, fold
from emulator.settings import Settings
from emulator.values import Clock, Json, new_guid, stamp, system_clock
from emulator.worldlog import WorldLog

SERVICE = Who("00000000-0000-0000-0000-000000000000", "Azure Machine Learning", "Application")


@dataclass(frozen=True, slots=True)
class Fate:
    """How an operation will go when it is not to go well: a fault's or a quota's word."""

    stuck: bool = False
    error: Json | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """One intended write: what, by whom, what shall hold after it."""

    verb: str
    resource: str
    kind: Kind
    who: Who
    document: Json | None
    request_id: str | None = None


class Control:
    def __init__(self, *, log: WorldLog, settings: Settings, clock: Clock = system_clock) -> None:
        self.log = log
        self.settings = settings
        self.clock = clock
        self.world: World = fold(log.records)
        self._due: list[tuple[str, str]] = [
            (running.due, running.id) for running in self.world.running.values() if running.due
        ]
        heapq.heapify(self._due)

    def now(self) -> str:
        return stamp(self.clock())

    def advance(self) -> None:
        """Settle every operation whose end has passed."""
        if not self._due:
            return
        now = self.now()
        while self._due and self._due[0][0] <= now:
            _, operation = heapq.heappop(self._due)
            self._end(self.world.operations[operation])

    def begin(self, write: Write, *, state: str, seconds: float, fate: Fate | None = None) -> Operation:
        """Write the begun record and return its operation."""
        fate = fate or Fate()
        now = self.clock()
        due = None if fate.stuck else stamp(now + timedelta(seconds=seconds))
        operation = new_guid()
        self._append(
            [self._record(write, "begun", stamp(now), operation, state=state, due=due, error=fate.error)]
        )
        if due is not None:
            heapq.heappush(self._due, (due, operation))
        return self.world.operations[operation]

    def write_now(self, write: Write, *, state: str | None = None) -> None:
        """A write that takes effect at once and shows no operation."""
        self._append([self._record(write, "applied", self.now(), None, state=state)])

    def seed(self, records: Iterable[Record]) -> None:
        """Take a scenario's records into an empty world, numbered in their order of time."""
        ordered = sorted(records, key=lambda record: record.at)
        self._append([replace(record, n=self.world.last + i) for i, record in enumerate(ordered, 1)])

    def running_on(self, resource_id: str) -> Operation | None:
        return self.world.running.get(names.key(resource_id))

    def _end(self, operation: Operation) -> None:
        planned = operation.planned
        if planned is None:
            return  # the resource went away under it
        found = self.world.find(operation.resource)
        at = operation.due or self.now()
        done = replace(planned, n=self.world.last + 1, at=at, due=None, phase="applied", state="Succeeded")
        if planned.error is not None:
            kept = found.body if found is not None else planned.document
            done = replace(done, phase="failed", state="Failed", document=kept)
        self._append([done])

    def _record(
        self,
        write: Write,
        phase: Phase,
        at: str,
        operation: str | None,
        *,
        state: str | None,
        due: str | None = None,
        error: Json | None = None,
    ) -> Record:
        return Record(
            n=self.world.last + 1,
            at=at,
            who=write.who,
            verb=write.verb,
            phase=phase,
            resource=write.resource,
            kind=write.kind,
            state=state,
            document=write.document,
            operation=operation,
            due=due,
            error=error,
            request_id=write.request_id,
        )

    def _append(self, records: list[Record]) -> None:
        self.log.append(records)
        for record in records:
            apply(self.world, record)


def effective_body(resource: Resource, operation: Operation | None, *, takes_effect: str) -> Json:
    """The document in force: a running write counts already where traffic takes effect at its beginning."""
    if takes_effect == "begin" and operation is not None and resource.pending is not None:
        return resource.pending
    return resource.body
