"""One request as it stands on record, with who said what of it and since when that is known. Pure.

`origin` and `conflicts` are stored compactly: "*" stands for every field that is not named, "log+caller" says that both
said the same, "@" holds the moments of what a source added after its first word. Here they are read out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from endpoints.challenges.recorded import FIELDS, Source
from endpoints.core.ids import ref

Values = dict[str, Any]
Givers = dict[str, tuple[Source, ...]]
Conflicts = dict[str, dict[str, Any]]
Later = dict[str, dict[Source, datetime]]

RANKED = (Source.LOG, Source.MODEL, Source.CALLER)
"""Whose word counts first: what Azure saw itself, then the model, then the caller."""
LATER = " later"
"""After a source's name in `conflicts`: what it said when it spoke again, and otherwise than at first."""
EVERYTHING, MOMENTS = "*", "@"
_NOT_IN_REFS, _LONGEST_NAME = re.compile(r"[^A-Za-z0-9_.-]"), 50
_TEXTS = frozenset({"request_id", "client_id", "deployment", "model_version", "app_version"})
_BY_NAME = {str(source): source for source in Source}


@dataclass(frozen=True, slots=True)
class SeenRow:
    """A record of one request. "" and None: nobody said it. `day` and `key` are its address, and never change.

    `origin` names the source whose word each field is, `also` those that said the same, `conflicts` what others said
    instead ("caller later": it spoke twice). `later`: fields that a source added after its first word.
    """

    endpoint_id: int
    day: date
    key: str
    at: datetime
    request_id: str = ""
    client_id: str = ""
    deployment: str = ""
    model_version: str = ""
    app_version: str = ""
    status: int | None = None
    model_status: int | None = None
    duration_ms: float | None = None
    request_bytes: int | None = None
    response_bytes: int | None = None
    confidence: float | None = None
    high_risk: bool | None = None
    scores: Mapping[str, float] | None = None
    pinned: bool | None = None
    fingerprint: bytes | None = None
    origin: Mapping[str, str] = field(default_factory=dict)
    conflicts: Mapping[str, Mapping[str, Any]] | None = None
    log_known_at: datetime | None = None
    caller_known_at: datetime | None = None
    model_known_at: datetime | None = None
    workspace_id: int = 0
    endpoint_name: str = ""
    also: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    later: Mapping[str, Mapping[Source, datetime]] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Who spoke of it at all, whose word counts first first."""
        return tuple(source for source in RANKED if self.known_at(source) is not None)

    @property
    def ref(self) -> str:
        """The record as the ledger names it."""
        name = _NOT_IN_REFS.sub(".", self.key)
        if len(name) > _LONGEST_NAME:
            name = f"{name[: _LONGEST_NAME - 17]}.{sha256(self.key.encode()).hexdigest()[:16]}"
        return ref("prediction", f"{self.endpoint_id}.{self.day:%Y%m%d}.{name}")

    def known_at(self, source: Source) -> datetime | None:
        """When a source's first word came in."""
        match source:
            case Source.LOG:
                return self.log_known_at
            case Source.MODEL:
                return self.model_known_at
        return self.caller_known_at

    def since_when(self, name: str) -> datetime | None:
        """When this value of a field was first known, whoever of its sources said it first."""
        givers = [Source(self.origin[name]), *self.also.get(name, ())] if name in self.origin else []
        moments = [self.later.get(name, {}).get(source) or self.known_at(source) for source in givers]
        return min((moment for moment in moments if moment is not None), default=None)

    def as_known(self, known: datetime) -> SeenRow | None:
        """The record as it stood at a moment: only words that had come in. None: there was none of it yet."""
        heard = {source for source in self.sources if self._had_spoken(source, known)}
        if not heard:
            return None
        said = {name: self._said(name, heard, known) for name in FIELDS}
        values: dict[str, Any] = {name: "" if name in _TEXTS else None for name in FIELDS}
        values |= {"at": self.at} | {name: words[0][1] for name, words in said.items() if words}
        conflicts = {
            name: {str(source): jsonable(name, value) for source, value in words[1:] if value != words[0][1]}
            for name, words in said.items()
        }
        return replace(
            self,
            **values,
            origin={name: str(words[0][0]) for name, words in said.items() if words},
            also={name: agreeing for name, words in said.items() if (agreeing := _agreeing(words))},
            later={name: heard_of for name in self.later if (heard_of := self._later_then(name, known))},
            conflicts={name: words for name, words in conflicts.items() if words} or None,
            log_known_at=self.log_known_at if Source.LOG in heard else None,
            caller_known_at=self.caller_known_at if Source.CALLER in heard else None,
            model_known_at=self.model_known_at if Source.MODEL in heard else None,
        )

    def _had_spoken(self, source: Source, known: datetime) -> bool:
        moment = self.known_at(source)
        return moment is not None and moment <= known

    def _later_then(self, name: str, known: datetime) -> dict[Source, datetime]:
        return {source: moment for source, moment in self.later[name].items() if moment <= known}

    def _said(self, name: str, heard: set[Source], known: datetime) -> list[tuple[Source, Any]]:
        """The words of a field that had come in, whose word counts first first."""
        givers = {Source(self.origin[name]), *self.also.get(name, ())} if name in self.origin else set()
        others = (self.conflicts or {}).get(name, {})
        found: list[tuple[Source, Any]] = []
        for source in RANKED:
            moment = self.later.get(name, {}).get(source)
            if source not in heard or (moment is not None and moment > known):
                continue
            if source in givers:
                found.append((source, getattr(self, name)))
            elif source in others:
                found.append((source, native(name, others[source])))
        return found


def _agreeing(words: list[tuple[Source, Any]]) -> tuple[Source, ...]:
    """Those that said what the first one said."""
    return tuple(source for source, value in words[1:] if value == words[0][1])


def givers(raw: Mapping[str, Any], values: Mapping[str, Any]) -> Givers:
    """Who said each field that has a value, whose word counts first first."""
    rest = _split(raw[EVERYTHING]) if EVERYTHING in raw else ()
    found = {name: _split(raw[name]) if name in raw else rest for name in values}
    return {name: sources for name, sources in found.items() if sources}


def moments(raw: Mapping[str, Any]) -> Later:
    """What a source added after its first word, and when."""
    return {
        name: {_BY_NAME[source]: datetime.fromisoformat(moment) for source, moment in said.items()}
        for name, said in raw.get(MOMENTS, {}).items()
    }


def packed_origin(found: Givers, later: Later) -> dict[str, Any]:
    """As it is stored: what most fields have in common stands once."""
    all_of_them = set(found.values())
    if len(all_of_them) == 1 and not later:  # most records
        return {EVERYTHING: "+".join(all_of_them.pop())}
    words = {name: "+".join(sources) for name, sources in found.items()}
    counted = list(words.values())
    common = max(sorted(set(counted)), key=counted.count) if counted else ""
    packed: dict[str, Any] = {EVERYTHING: common} if common else {}
    packed |= {name: said for name, said in words.items() if said != common}
    if later:
        packed[MOMENTS] = {
            name: {str(source): moment.isoformat() for source, moment in said.items()}
            for name, said in later.items()
        }
    return packed


def jsonable(name: str, value: Any) -> Any:
    """A field's value as JSON can hold it."""
    if name == "at":
        return value.isoformat()
    return value.hex() if name == "fingerprint" else value


def native(name: str, value: Any) -> Any:
    """The reverse."""
    if name == "at":
        return datetime.fromisoformat(value).astimezone(UTC)
    return bytes.fromhex(value) if name == "fingerprint" else value


def _split(text: str) -> tuple[Source, ...]:
    return tuple(_BY_NAME[part] for part in text.split("+"))
