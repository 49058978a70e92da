"""Erasing people: text and salt of named entries go, and an entry says that they went. The chain stays valid."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from endpoints.audit.actors import Actor
from endpoints.audit.models import Entry
from endpoints.audit.services.record import append
from endpoints.core.errors import Invalid

MOST_ENTRIES = 10_000
# The function's own rights delete; the runtime role has none to.
_ERASE = "SELECT audit_erase(%s, '{}', '{}', '{}')"
_ERASE_WITH_PERSONAL = "SELECT audit_erase(%s, %s::text[], %s::bytea[], %s::text[])"


@transaction.atomic
def erase(
    *,
    actor: Actor,
    entries: Collection[int],
    reason: str = "",
    subject: str = "ledger:1",
    workspace_id: int | None = None,
) -> int:
    """Erase the personal text of these entries for good, and return the number of the entry that says so.

    Like `record()`, it comes last in its transaction. `reason` is personal text of that new entry.
    """
    named = sorted(set(entries))
    if not 1 <= len(named) <= MOST_ENTRIES:
        raise Invalid(f"Name 1 to {MOST_ENTRIES} entries. Nothing was erased.")
    known = set(Entry.objects.filter(seq__in=named).values_list("seq", flat=True))
    if missing := [seq for seq in named if seq not in known]:
        raise Invalid(f"There is no entry {missing[0]}. Nothing was erased.")
    return append(
        (_ERASE, _ERASE_WITH_PERSONAL),
        actor=actor,
        action="personal.erased",
        subject=subject,
        workspace_id=workspace_id,
        endpoint="",
        before=None,
        after={"entries": named},
        personal={"reason": reason},
        azure_request_id="",
    )
