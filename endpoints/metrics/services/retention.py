"""Drop what is older than it is kept, whole partitions at a time, after its kept windows were copied."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dropped:
    """`partitions` by name; `kept` minutes were copied out of them first; `postponed` are still to be rolled up."""

    partitions: tuple[str, ...] = ()
    postponed: tuple[str, ...] = ()
    kept: int = 0


def drop_old() -> Dropped:
    """Drop minutes and hours past their retention. Called again, it finds nothing to do."""
    raise NotImplementedError
