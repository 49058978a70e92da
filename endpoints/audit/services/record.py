"""The one way into the ledger."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.db import Error, connection

from endpoints.audit.actors import Actor
from endpoints.audit.canonical import canonical
from endpoints.core.errors import Unavailable
from endpoints.core.ids import split_ref
from endpoints.core.request import current_request_id

BODY_VERSION = 1
PERSONAL_FIELDS = frozenset({"reason", "comment", "ip", "name"})

_ENTRY = "INSERT INTO audit_entry (body) VALUES (%s) RETURNING seq"
_ENTRY_WITH_PERSONAL = """
WITH entry AS (INSERT INTO audit_entry (body) VALUES (%s) RETURNING seq)
INSERT INTO audit_personal (entry_id, field, salt, text)
SELECT entry.seq, p.field, p.salt, p.text
FROM entry, unnest(%s::text[], %s::bytea[], %s::text[]) AS p (field, salt, text)
RETURNING entry_id
"""


def record(
    *,
    actor: Actor,
    action: str,
    subject: str,
    workspace_id: int | None = None,
    endpoint: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    personal: Mapping[str, str] | None = None,
    azure_request_id: str = "",
) -> int:
    """Append one event and return its number.

    Call it last in the transaction of what it records: from here to the commit every other writer waits.
    `before` and `after` hold text, whole numbers, booleans, None, lists and dicts only (else NotCanonical),
    and never a name or free text: those go into `personal`, whose keys are PERSONAL_FIELDS. Raises
    Unavailable when the ledger can't take the event; the caller's transaction must then end.
    """
    return append(
        (_ENTRY, _ENTRY_WITH_PERSONAL),
        actor=actor,
        personal=personal,
        action=action,
        subject=subject,
        workspace_id=workspace_id,
        endpoint=endpoint,
        before=before,
        after=after,
        azure_request_id=azure_request_id,
    )


def append(
    statements: tuple[str, str],
    *,
    actor: Actor,
    action: str,
    personal: Mapping[str, str] | None = None,
    **rest: Any,
) -> int:
    """Run the first statement with the entry's body, or the second with its fields, salts and texts as well."""
    if not connection.in_atomic_block:
        raise RuntimeError("record() belongs into the transaction of what it records")
    texts = _personal_texts(actor, personal)
    salts = {field: secrets.token_bytes(32) for field in texts}
    commitments = {field: commitment(salts[field], text) for field, text in texts.items()}
    body = _body(actor=actor, action=action, commitments=commitments, **rest)
    if texts:
        return _insert(statements[1], [body, list(texts), list(salts.values()), list(texts.values())], action)
    return _insert(statements[0], [body], action)


def commitment(salt: bytes, text: str) -> str:
    """What an entry holds in place of personal text; without the salt nobody can guess the text from it."""
    return sha256(salt + text.encode()).hexdigest()


def _personal_texts(actor: Actor, personal: Mapping[str, str] | None) -> dict[str, str]:
    texts = {"ip": actor.ip, **(personal or {})}
    if unknown := set(texts) - PERSONAL_FIELDS:
        raise ValueError(f"no personal field of the ledger: {', '.join(sorted(unknown))}")
    return {field: text.replace("\x00", "\ufffd") for field, text in texts.items() if text}


def _body(
    *,
    actor: Actor,
    subject: str,
    endpoint: str,
    workspace_id: int | None,
    commitments: dict[str, str],
    **rest: Any,
) -> bytes:
    for ref in (actor.ref, subject, *filter(None, (actor.on_behalf, endpoint))):
        split_ref(ref)  # ValueError: a name, or nothing, where an opaque id belongs
    return canonical(
        {
            "v": BODY_VERSION,
            "event": str(uuid.uuid4()),
            "app_at": datetime.now(UTC).isoformat(timespec="microseconds"),
            "actor": actor.ref,
            "on_behalf": actor.on_behalf,
            "auth": actor.auth,
            "workspace": workspace_id,
            "subject": subject,
            "endpoint": endpoint,
            "action": rest["action"],
            "request": current_request_id.get(),
            "azure_request": rest["azure_request_id"],
            "before": rest["before"],
            "after": rest["after"],
            "personal": commitments,
        }
    )


def _insert(statement: str, parameters: list[Any], action: str) -> int:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            row = cursor.fetchone()
    except Error as error:
        raise Unavailable(
            f"This ({action}) could not be recorded in the audit ledger, so it was not done."
        ) from error
    seq: int = row[0]
    return seq
