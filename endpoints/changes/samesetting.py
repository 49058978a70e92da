"""Whether an autoscale setting as Azure shows it is the one that was ordered. Pure.

Azure Monitor gives capacities back as strings, adds fields of its own, and spells ids in another case: what counts is
that everything that was ordered is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
# Of the document only this is the setting; the rest names the resource.
_BODY = "properties"


def covers(ordered: Document | None, found: Document | None) -> bool:
    """Whether all that `ordered` says stands in `found`; None is no setting."""
    if ordered is None or found is None:
        return ordered is None and found is None
    return _within(ordered.get(_BODY), found.get(_BODY))


def same(one: Document | None, other: Document | None) -> bool:
    """Whether two settings say the same."""
    return covers(one, other) and covers(other, one)


def _within(ordered: Any, found: Any) -> bool:
    if isinstance(ordered, Mapping):
        return isinstance(found, Mapping) and all(
            value is None or _within(value, found.get(name)) for name, value in ordered.items()
        )
    if isinstance(ordered, list):
        return (
            isinstance(found, list)
            and len(ordered) == len(found)
            and all(_within(each, other) for each, other in zip(ordered, found, strict=True))
        )
    return bool(_plain(ordered) == _plain(found))


def _plain(value: Any) -> Any:
    """Numbers and their texts alike, texts without case."""
    if isinstance(value, bool) or value is None:
        return value
    text = str(value).strip()
    try:
        return float(text)
    except ValueError:
        return text.lower()
