"""Who ordered and approved a change, and what its gates had said by a moment: for those who ask about the past.

It asks for nobody's rights; callers do, before, on the change's workspace.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from endpoints.changes.lifecycle import Kind


@dataclass(frozen=True, slots=True)
class Approved:
    """One person's approval."""

    reviewer_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class GateSaid:
    """What a gate had said last."""

    name: str
    outcome: str
    reason: str
    dry_run: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """A change as far as it says who stands for it. `author_id` None: the portal ordered it by itself.

    `approvals` are of the content that counted. `overridden` holds the gates that somebody let it pass; "" is all.
    `reviewed_after_by`: who looked back on what was started in an emergency; None: nobody yet.
    """

    change_id: int
    workspace_id: int
    kind: Kind
    author_id: int | None
    started_by_id: int | None
    started_at: datetime | None
    emergency: bool
    approvals: tuple[Approved, ...]
    gates: tuple[GateSaid, ...]
    overridden: tuple[str, ...]
    reviewed_after_by: int | None


_APPROVAL = """
SELECT c.workspace_id, c.kind, c.author_id, c.started_by_id, c.started_at, c.emergency,
    (SELECT jsonb_agg(jsonb_build_array(d.reviewer_id, d.at) ORDER BY d.id) FROM changes_decision d
        WHERE d.change_id = c.id AND d.revision = c.revision AND d.approved
        AND d.at <= coalesce(%(known)s::timestamptz, 'infinity')),
    (SELECT jsonb_agg(jsonb_build_array(m.gate, m.outcome, m.reason, m.dry_run, m.at) ORDER BY m.gate) FROM (
        SELECT DISTINCT ON (gate) gate, outcome, reason, dry_run, at FROM changes_measurement
        WHERE change_id = c.id AND at <= %(by)s ORDER BY gate, until DESC, id DESC) m),
    (SELECT jsonb_agg(o.gate ORDER BY o.id) FROM changes_gateoverride o WHERE o.change_id = c.id AND o.at <= %(by)s),
    (SELECT reviewer_id FROM changes_afterreview a
        WHERE a.change_id = c.id AND a.at <= coalesce(%(known)s::timestamptz, 'infinity'))
FROM changes_change c WHERE c.id = %(change)s
"""


def approval_of(change_id: int, *, at: datetime, known: datetime | None = None) -> Approval | None:
    """As it stood at a moment, as far as known at `known`; None when there is no such change. One query."""
    by = at if known is None else min(at, known)
    with connection.cursor() as cursor:
        cursor.execute(_APPROVAL, {"change": change_id, "by": by, "known": known})
        row = cursor.fetchone()
    if row is None:
        return None
    *own, approvals, gates, overridden, reviewed_after_by = row
    workspace_id, kind, author_id, started_by_id, started_at, emergency = own
    return Approval(
        change_id=change_id,
        workspace_id=workspace_id,
        kind=Kind(kind),
        author_id=author_id,
        started_by_id=started_by_id,
        started_at=started_at,
        emergency=emergency,
        approvals=tuple(Approved(who, datetime.fromisoformat(when)) for who, when in _listed(approvals)),
        gates=tuple(
            GateSaid(name, outcome, reason, is_dry, datetime.fromisoformat(when))
            for name, outcome, reason, is_dry, when in _listed(gates)
        ),
        overridden=tuple(_listed(overridden)),
        reviewed_after_by=reviewed_after_by if emergency else None,
    )


def _listed(text: str | None) -> list[Any]:
    return list(json.loads(text)) if text else []
