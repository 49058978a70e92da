"""When which split was in force and which deployments stood, read from the world log and kept as it grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from emulator import names
from emulator.fold import Record
from emulator.traffic import positive
from emulator.values import Json, moment
from emulator.worldlog import WorldLog

_NOT_SERVING = frozenset({"Failed", "Creating"})
_GONE: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Split:
    """From `at` on: weights by lower-case name. A begun one counts only where splits take effect at once."""

    at: float
    live: Mapping[str, int]
    mirror: Mapping[str, int]
    begun: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """From `at` on, a deployment with so many instances. None of them where it does not exist."""

    at: float
    state: str
    instances: int
    body: Json
    kept_up: bool = False
    """A change of it failed, and what stood before goes on serving."""
    coming: int = 0
    """Further instances that a running change brings up."""

    @property
    def exists(self) -> bool:
        return self.instances > 0

    @property
    def serves(self) -> bool:
        return self.exists and (self.kept_up or self.state not in _NOT_SERVING)


@dataclass(slots=True)
class Life:
    """Everything that one endpoint went through, oldest first."""

    id: str
    splits: list[Split] = field(default_factory=list)
    standings: dict[str, list[Standing]] = field(default_factory=dict)
    """By the lower-case name of the deployment."""
    spelt: dict[str, str] = field(default_factory=dict)
    """A deployment's name as it is written."""


class History:
    """Lives of endpoints by their key; reads on in the log whenever it is asked."""

    def __init__(self, log: WorldLog) -> None:
        self._log = log
        self._read = 0
        self._lives: dict[str, Life] = {}

    def life(self, endpoint: str) -> Life | None:
        for record in self._log.since(self._read):
            self._take(record)
        self._read = len(self._log.records)
        return self._lives.get(names.key(endpoint))

    def _take(self, record: Record) -> None:
        if record.kind in {"workspace", "autoscale"} or record.verb == "regenerate_keys":
            return
        key = names.key(record.resource)
        if record.kind == "endpoint":
            self._endpoint(self._lives.setdefault(key, Life(record.resource)), record)
        else:
            parent = record.resource.rpartition("/deployments/")[0]
            self._deployment(self._lives.setdefault(names.parent_key(key), Life(parent)), record)

    def _endpoint(self, life: Life, record: Record) -> None:
        at = moment(record.at).timestamp()
        if record.verb == "delete":
            if record.phase == "applied":
                life.splits.append(Split(at, _GONE, _GONE))
                for standings in life.standings.values():
                    standings.append(Standing(at, "Deleted", 0, {}))
        elif record.document is not None:
            properties = record.document["properties"]
            live, mirror = positive(properties["traffic"]), positive(properties["mirrorTraffic"])
            life.splits.append(Split(at, live, mirror, record.phase == "begun"))

    def _deployment(self, life: Life, record: Record) -> None:
        at = moment(record.at).timestamp()
        written = names.last(record.resource)
        standings = life.standings.setdefault(written.lower(), [])
        last = standings[-1] if standings and standings[-1].exists else None
        if record.verb == "delete":
            if record.phase == "applied":
                standings.append(Standing(at, "Deleted", 0, {}))
        elif record.document is None:
            return
        elif record.phase == "begun" and last is not None:
            coming = int(record.document["sku"]["capacity"]) - last.instances
            if coming > 0:  # what is in force stays so until the operation ends
                standings.append(replace(last, at=at, coming=coming))
        else:
            life.spelt[written.lower()] = written
            standings.append(_standing(record, at, last))


def _standing(record: Record, at: float, last: Standing | None) -> Standing:
    document = record.document or {}
    return Standing(
        at,
        record.state or (last.state if last is not None else "Succeeded"),
        int(document["sku"]["capacity"]),
        document["properties"],
        kept_up=record.phase == "failed" and last is not None and last.serves,
    )
