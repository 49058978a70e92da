"""What a pack is made of, as frozen data: `selectors/pack.py` collects it, `assemble.py` makes files of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One entry as it is stored; `at_us` counts microseconds since 1970."""

    seq: int
    at_us: int
    prev: bytes
    hash: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class PersonalText:
    """A text that entry `seq` commits to with SHA-256(salt || text)."""

    seq: int
    field: str
    salt: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That entry `seq` is in the tree of `size` entries."""

    seq: int
    size: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Growth:
    """That the tree of `new` entries begins with the tree of `old` ones."""

    old: int
    new: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ChainLink:
    """An entry without its content: enough to follow the chain through it."""

    seq: int
    at_us: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class LedgerPart:
    """Entries, oldest first, with what proves them. `checkpoints`: signed notes by size."""

    entries: tuple[LedgerEntry, ...] = ()
    personal: tuple[PersonalText, ...] = ()
    proofs: tuple[Inclusion, ...] = ()
    growth: tuple[Growth, ...] = ()
    links: tuple[ChainLink, ...] = ()
    checkpoints: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: a value for each of the chart's times; None: not known, and drawn as a gap."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart over time. `name` is its file's, `mark` the moment of the request; `source` says whose figures."""

    name: str
    title: str
    unit: str
    times: tuple[datetime, ...]
    lines: tuple[Line, ...]
    mark: datetime | None = None
    source: str = ""
    is_stepped: bool = False


@dataclass(frozen=True, slots=True)
class NotKept:
    """Something that is not in the pack, and why: a whole sentence."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class PackInput:
    """All of a pack. `case`, `changes` and `splits` are documents that JSON can hold.

    `passports` are the stored bytes of each evidence by number, `releases` by change the files of what it left behind.
    `people`: a name by opaque id; None: erased, or never known.
    """

    origin: str
    made_at: datetime
    case: Mapping[str, Any]
    passports: Mapping[int, bytes] = field(default_factory=dict)
    changes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    releases: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    splits: Mapping[str, Any] = field(default_factory=dict)
    charts: tuple[Chart, ...] = ()
    people: Mapping[str, str | None] = field(default_factory=dict)
    not_kept: tuple[NotKept, ...] = ()
    ledger: LedgerPart = LedgerPart()


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that a pack is signed with: its public half (32 bytes), and what signs (64 bytes)."""

    public: bytes
    sign: Callable[[bytes], bytes]
