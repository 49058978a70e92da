"""Opaque references as people know them: "user:7" is a name, "change:42" CR-42, "case:7" CH-7, "endpoint:5" its name.

"workspace:2" is its short name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from endpoints.access import selectors as access
from endpoints.access.rows import WorkspaceRow
from endpoints.audit.selectors import EntryRow
from endpoints.inventory import selectors as inventory

_CHANGE = re.compile(r"^(?:CR-|change:)?(\d{1,18})$", re.IGNORECASE)

_CASE = re.compile(r"^CH-(\d{1,18})$", re.IGNORECASE | re.ASCII)


def change_number(text: str) -> int | None:
    """42 out of "CR-42", "change:42" or "42"."""
    found = _CHANGE.match(text.strip())
    return int(found[1]) if found else None


def case_number(text: str) -> int | None:
    """7 out of "CH-7"."""
    found = _CASE.match(text.strip())
    return int(found[1]) if found else None


def change_ref(text: str) -> str:
    """ "change:42" out of "CR-42", "case:7" out of "CH-7"; any other text stays as it is."""
    number = change_number(text) if text.upper().startswith("CR-") else None
    case = case_number(text)
    if case is not None:
        return f"case:{case}"
    return f"change:{number}" if number is not None else text


def of_refs(refs: Iterable[str]) -> dict[str, str]:
    """What to call each reference; one that nobody knows keeps its own text."""
    wanted = {text for text in refs if text}
    changes = {text: f"CR-{text.partition(':')[2]}" for text in wanted if text.startswith("change:")}
    cases = {text: f"CH-{text.partition(':')[2]}" for text in wanted if text.startswith("case:")}
    endpoints = _known(wanted, "endpoint", inventory.endpoint_names)
    workspaces = _known(wanted, "workspace", access.workspace_names)
    return access.display_names(wanted) | endpoints | workspaces | changes | cases


def _known(refs: set[str], kind: str, names: Callable[[Iterable[int]], dict[int, str]]) -> dict[str, str]:
    ids = {text: int(text.partition(":")[2]) for text in refs if re.fullmatch(rf"{kind}:\d{{1,18}}", text)}
    known = names(ids.values()) if ids else {}
    return {text: known[number] for text, number in ids.items() if number in known}


def of_entries(rows: Iterable[EntryRow], workspaces: Iterable[WorkspaceRow] = ()) -> dict[str, str]:
    """Names for every reference in these entries; of these workspaces they are known."""
    known = {f"workspace:{one.id}": one.slug for one in workspaces}
    return known | of_refs(text for row in rows for text in _refs(row) if text not in known)


def _refs(row: EntryRow) -> tuple[str, ...]:
    return row.actor, row.subject, row.endpoint, row.on_behalf, workspace_of(row)


def workspace_of(row: EntryRow) -> str:
    """The reference of the workspace that an entry belongs to, or ""."""
    return f"workspace:{row.workspace_id}" if row.workspace_id is not None else ""
