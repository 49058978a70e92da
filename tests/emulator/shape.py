"""Whether an answer has the shape of Microsoft's example: the same names, and values of the same types."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


def misfits(example: Any, found: Any, *, optional: Collection[str] = (), path: str = "$") -> list[str]:
    """Where the shapes differ. A name that is optional may be missing, or be there without being in the example."""
    if isinstance(example, list) and isinstance(found, list):
        whole = _together(example)
        return [
            text
            for i, item in enumerate(found)
            for text in misfits(whole, item, optional=optional, path=f"{path}[{i}]")
        ]
    if isinstance(example, dict) and isinstance(found, dict):
        missing = [f"{path}: without {name}" for name in set(example) - set(found) - set(optional)]
        strange = [f"{path}: with {name}" for name in set(found) - set(example) - set(optional)]
        both = set(example) & set(found)
        return [
            *missing,
            *strange,
            *(
                t
                for name in both
                for t in misfits(example[name], found[name], optional=optional, path=f"{path}.{name}")
            ),
        ]
    return [] if _kind(example) == _kind(found) else [f"{path}: {found!r} is not like {example!r}"]


def _together(items: list[Any]) -> Any:
    """One item that stands for all: objects with every name that any of them has."""
    objects = [item for item in items if isinstance(item, dict)]
    return (
        {name: value for item in objects for name, value in item.items()} if objects else (items or [None])[0]
    )


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "flag"
    return "number" if isinstance(value, (int, float)) else type(value).__name__
