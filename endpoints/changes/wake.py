"""What NOTIFY says when a change moved: which change, which endpoint, and which process moved it.

A hint only. The executor skips its own, pages listen for theirs.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

CHANNEL = "opsportal_changes"
origin: ContextVar[str] = ContextVar("changes_origin", default="")


@dataclass(frozen=True, slots=True)
class Wake:
    """One notification. `origin` is the executor that caused it, "" for people."""

    change_id: int
    endpoint_id: int
    origin: str = ""

    def encode(self) -> str:
        return f"{self.change_id}:{self.endpoint_id}:{self.origin}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def parse(payload: str) -> Wake | None:
    """The notification in a payload; None for anything else that somebody sent on the channel."""
    change, _, rest = payload.partition(":")
    endpoint, _, sender = rest.partition(":")
    if not (_is_number(change) and _is_number(endpoint)):
        return None
    return Wake(int(change), int(endpoint), sender)
