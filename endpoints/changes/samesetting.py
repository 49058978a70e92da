"""Whether an autoscale setting as Azure shows it is the one that was ordered. Pure.

Azure Monitor gives capacities back as strings, adds fields of its own, and spells ids in another case: what counts is
that everything that was ordered is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

Document = Mapping[str, Any]
_BODY = "properties"
# These name the resource and where it is: Azure writes them, in its own spelling.
_NOT_COMPARED = frozenset({"name", "targetResourceLocation"})
_ENABLED = {"enabled": True}


def covers(ordered: Document | None, found: Document | None) -> bool:
    """Whether all that `ordered` says stands in `found`; None is no setting."""
    if ordered is None or found is None:
        return ordered is None and found is None
    # A setting that does not say whether it is enabled is.
    return _within(_compared(ordered), _ENABLED | _compared(found))


def same(one: Document | None, other: Document | None) -> bool:
    """Whether two settings say the same."""
    return covers(one, other) and covers(other, one)


def whole(document: Document, *, location: str) -> dict[str, Any]:
    """A document as Azure wants it: where only its properties were given, with the place of what it scales."""
    return dict(document) if _BODY in document else {"location": location, _BODY: dict(document)}


def _compared(document: Document) -> dict[str, Any]:
    """What the setting says, less what only names it."""
    body = document.get(_BODY, document)
    kept = body.items() if isinstance(body, Mapping) else ()
    return {name: value for name, value in kept if name not in _NOT_COMPARED and value is not None}


def _within(ordered: Any, found: Any) -> bool:
    """Nothing ordered is within everything; an empty list or map is what Azure may leave out."""
    if ordered is None:
        return True
    if isinstance(ordered, Mapping):
        other = {} if found is None else found
        return isinstance(other, Mapping) and all(
            _within(value, other.get(name)) for name, value in ordered.items()
        )
    if isinstance(ordered, list):
        items = [] if found is None else found
        return (
            isinstance(items, list)
            and len(ordered) == len(items)
            and all(_within(each, other) for each, other in zip(ordered, items, strict=True))
        )
    return bool(_plain(ordered) == _plain(found))


def _plain(value: Any) -> Any:
    """Numbers and truths alike with their texts, texts without case; a truth is no number."""
    if value is None:
        return value
    text = str(value).strip().lower()
    try:
        number = float(text)
    except ValueError:
        return text
    return number if isfinite(number) else text
