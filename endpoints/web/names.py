"""Opaque references as people know them: "user:7" is a name, "change:42" is CR-42, "endpoint:5" its own name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from endpoints.access import selectors as access
from endpoints.audit.selectors import EntryRow
from endpoints.inventory import selectors as inventory

_CHANGE = re.compile(r"^(?:CR-|change:)?(\d{1,18})$", re.IGNORECASE)


def change_number(text: str) -> int | None:
    """42 out of "CR-42", "change:42" or "42"."""
    found = _CHANGE.match(text.strip())
    return int(found[1]) if found else None


def change_ref(text: str) -> str:
    """ "change:42" out of "CR-42"; any other text stays as it is."""
    number = change_number(text) if text.upper().startswith("CR-") else None
    return f"change:{number}" if number is not None else text


def of_refs(refs: Iterable[str]) -> dict[str, str]:
    """What to call each reference; one that nobody knows keeps its own text."""
    wanted = {text for text in refs if text}
    ids = {text: int(text.partition(":")[2]) for text in wanted if re.fullmatch(r"endpoint:\d+", text)}
    known = inventory.endpoint_names(ids.values()) if ids else {}
    changes = {text: f"CR-{text.partition(':')[2]}" for text in wanted if text.startswith("change:")}
    endpoints = {text: known[number] for text, number in ids.items() if number in known}
    return access.display_names(wanted) | endpoints | changes


def of_entries(rows: Iterable[EntryRow]) -> dict[str, str]:
    """Names for every reference in these entries."""
    return of_refs(text for row in rows for text in (row.actor, row.subject, row.endpoint, row.on_behalf))
