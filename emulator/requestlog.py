"""The last requests that came in, for tests that count them: who asked what, and how it was answered."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from emulator.values import Json

KEPT = 50_000


@dataclass(slots=True)
class Entry:
    n: int
    plane: str
    method: str
    path: str
    started: str
    api_version: str | None = None
    client_request_id: str | None = None
    user_agent: str | None = None
    caller: str | None = None
    status: int | None = None
    """None while the request runs, and for connections that a fault cut."""
    ended: str | None = None
    fault: str | None = None
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    """What a write sent. Bodies of scoring requests are never kept."""
    deployment: str | None = None
    """The deployment that answered a scoring request."""
    mirrored_to: str | None = None
    """The deployment that got a copy of it. Copies are counted here, not run."""

    def to_json(self) -> Json:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class RequestLog:
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))
    count: int = 0

    def open(self, *, plane: str, method: str, path: str, started: str) -> Entry:
        self.count += 1
        entry = Entry(self.count, plane, method, path, started)
        self.entries.append(entry)
        return entry

    def since(self, n: int) -> list[Entry]:
        return [entry for entry in self.entries if entry.n > n]
