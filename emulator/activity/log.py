"""Events of each subscription, read from the world log and kept as it grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from emulator import names
from emulator.activity.events import Event, event, provider
from emulator.activity.filters import RETENTION, Wanted
from emulator.fold import Record
from emulator.worldlog import WorldLog


@dataclass(slots=True)
class ActivityLog:
    log: WorldLog
    seed: int
    _read: int = 0
    _begun: set[str] = field(default_factory=set)
    _events: dict[str, list[Event]] = field(default_factory=dict)

    def find(
        self, subscription: str, wanted: Wanted, *, now: datetime, soonest: float, latest: float
    ) -> list[Event]:
        """What can be read by now and is wanted, newest first."""
        self._read_on()
        oldest = max(wanted.since, now - RETENTION)
        found = [
            item
            for item in self._events.get(subscription.lower(), ())
            if oldest <= item.at <= wanted.until
            and _is_wanted(item, wanted.field, wanted.value.lower())
            and item.appears(soonest, latest) <= now
        ]
        return sorted(found, key=lambda item: item.order, reverse=True)

    def _read_on(self) -> None:
        for record in self.log.since(self._read):
            subscription = names.subscription_of(record.resource).lower()
            self._events.setdefault(subscription, []).extend(self._of(record))
        self._read = len(self.log.records)

    def _of(self, record: Record) -> Iterator[Event]:
        """A write of one record is a beginning and an end; an operation has a record for each."""
        if record.phase == "begun":
            self._begun.add(record.operation or "")
            yield event(record, "Started", seed=self.seed)
            return
        if record.operation in self._begun:
            self._begun.discard(record.operation)
        else:
            yield event(record, "Started", seed=self.seed)
        yield event(record, "Failed" if record.phase == "failed" else "Succeeded", seed=self.seed)


def _is_wanted(item: Event, name: str, value: str) -> bool:
    resource = item.record.resource.lower()
    if name == "resourceuri":
        return resource == value.rstrip("/")
    if name == "resourcegroupname":
        return resource.split("/")[4] == value
    if name == "resourceprovider":
        return value == provider(item.record).lower()
    return name == "" or item.correlation == value
