"""One field before and after, as review pages and histories set them beside each other. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Compared:
    """One field before and after."""

    field: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        return self.before != self.after
