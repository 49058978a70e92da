"""The one way anything happens to a finding: a conditional UPDATE, its event, note and ledger entry, together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from endpoints.audit.actors import Actor
from endpoints.audit.services import record
from endpoints.capacity.life import ENDED, Kind, State, after
from endpoints.capacity.models import Finding, FindingEvent, FindingNote
from endpoints.core.errors import Conflict
from endpoints.core.ids import ref
from endpoints.dispatch import db_now

_OPENS: Mapping[str, Any] = {"claimed_by": None, "due": None, "until": None, "change": None}
"""What an open finding does not have."""


def moved_on(finding: Finding) -> Conflict:
    """Somebody else was first."""
    return Conflict(f"SV-{finding.pk} is {finding.state} by now. Nothing was stored; look at it again.")


def as_seen(finding: Finding, seen: int | None) -> None:
    """Conflict when something happened to the finding after the caller looked at it. None: they need not have."""
    if seen is not None and seen != finding.version:
        raise Conflict(
            f"Something happened to SV-{finding.pk} after you opened it. Nothing was stored; read what is new first."
        )


@transaction.atomic
def happen(
    *,
    finding: Finding,
    kind: Kind,
    actor: Actor,
    data: Mapping[str, Any] | None = None,
    words: str = "",
    author_id: int | None = None,
    content: Mapping[str, Any] | None = None,
    **values: Any,
) -> None:
    """Store that `kind` happened, with `values` of the finding's columns; Conflict when it can't any more.

    `content`: what it says from then on, as columns too. `data` are facts for its history and the ledger: text, whole
    numbers, never a person's words. Those are `words`, of the account `author_id`. A finding that opens loses its
    claim, its dates and its change, unless `values` say more.
    """
    before = State(finding.state)
    to = after(before, kind)
    if to is None:
        raise moved_on(finding)
    now = db_now()
    fields = (
        (dict(_OPENS) if to is State.OPEN and before is not State.OPEN else {}) | dict(content or {}) | values
    )
    if to in ENDED and before not in ENDED:
        fields["ended_at"] = now
    here = Finding.objects.filter(pk=finding.pk, version=finding.version, state=before)
    if here.update(state=to, version=F("version") + 1, **fields) != 1:
        finding.refresh_from_db()
        raise moved_on(finding)
    finding.refresh_from_db()
    _tell(finding, kind, before, actor, dict(data or {}), words, author_id, now)


def _tell(
    finding: Finding,
    kind: Kind,
    before: State,
    actor: Actor,
    data: dict[str, Any],
    words: str,
    author_id: int | None,
    now: datetime,
) -> None:
    """The move as rows and as a ledger entry, which comes last."""
    event = FindingEvent.objects.create(
        finding=finding,
        version=finding.version,
        kind=kind,
        before=before,
        after=finding.state,
        actor=actor.ref,
        data=data,
        at=now,
    )
    if words and author_id is not None:
        FindingNote.objects.create(event=event, author_id=author_id, text=words, at=now)
    record(
        actor=actor,
        action=f"finding.{kind.name.lower()}",
        subject=ref("finding", finding.pk),
        workspace_id=finding.workspace_id,
        endpoint=ref("endpoint", finding.endpoint_id),
        before={"state": before.value},
        after={"state": finding.state, "version": finding.version, "kind": finding.kind, **data},
        personal={"comment" if kind is Kind.COMMENTED else "reason": words} if words else None,
    )
