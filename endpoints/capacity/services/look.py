"""Look what could be saved in every connected workspace, and keep the findings: new ones, moved ones, ended ones."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import structlog
from django.db import DatabaseError, connection, transaction

from endpoints.access.rows import WorkspaceRow
from endpoints.access.selectors import connected_workspaces
from endpoints.audit.actors import SYSTEM_CAPACITY
from endpoints.audit.services import record
from endpoints.capacity.life import Kind
from endpoints.capacity.looking import Move, Plan, plan
from endpoints.capacity.models import Finding, Looked, Made
from endpoints.capacity.selectors.rules import rules_of
from endpoints.capacity.services import finding_rows
from endpoints.capacity.services.finding_moves import happen
from endpoints.capacity.services.finding_rows import Stored
from endpoints.capacity.services.look_found import Seen, look
from endpoints.core.errors import Conflict
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.inventory.models import SyncTarget

log = structlog.get_logger(__name__)

SELDOM, OFTEN = timedelta(minutes=15), timedelta(minutes=2)
"""A small fleet is looked at often; a look that takes long comes back so much later that it takes a twentieth of the
time, and after `SELDOM` at the latest."""
_SHARE = 20
TOO_OLD = timedelta(days=1)
"""What was read of Azure so long ago is not known to be there."""
_AT_ONCE = 200
"""Moves in one transaction: other writers of the ledger wait for it."""


def look_due() -> int:
    """Look at the workspaces that are due and have days in the ledger; at how many."""
    now = db_now()
    looked = {row.workspace_id: row for row in Looked.objects.all()}
    begun = set(Made.objects.values_list("workspace_id", flat=True).distinct())
    due = [
        place
        for place in connected_workspaces()
        if place.id in begun and ((row := looked.get(place.id)) is None or row.at + _pause(row) <= now)
    ]
    return sum(look_for_findings(workspace_id=place.id) for place in due)


def look_for_findings(*, workspace_id: int | None = None) -> int:
    """Look at one connected workspace, or at all; at how many that worked. What failed goes on record in words."""
    places = [place for place in connected_workspaces() if workspace_id in (None, place.id)]
    return sum(_look(place) for place in places)


def _pause(row: Looked) -> timedelta:
    return min(SELDOM, max(OFTEN, timedelta(seconds=_SHARE * row.seconds)))


def _look(place: WorkspaceRow) -> bool:
    began, now = time.monotonic(), db_now()
    if failed := _too_old(place.id, now):
        _looked(place.id, now, 0, began, failed)
        return False
    try:
        rules = rules_of(place.id)
        stored = Stored(place.id)
        seen = look(place.id, rules.rules, now, taken=stored.taken())
        todo = plan(stored.living(), seen.found, seen.silent, now.astimezone(UTC).date())
        moved = _move(todo.moves, rules.number)
        _store(place.id, seen, stored, todo, moved, rules.number, now)
    except DatabaseError as error:
        log.exception("findings_not_looked_for", workspace=place.slug)
        _looked(place.id, now, 0, began, f"The look came to nothing ({type(error).__name__}).")
        return False
    _looked(place.id, now, seen.deployments, began)
    return True


def _too_old(workspace_id: int, now: datetime) -> str:
    target = SyncTarget.objects.filter(pk=workspace_id).values_list("covered_by__reads_ended").first()
    if target is None or (target[0] is not None and now - target[0] < TOO_OLD):
        return ""
    when = f"last read at {target[0]:%Y-%m-%d %H:%M} UTC" if target[0] else "never read"
    return f"Azure was {when}: what is there now is not known, and nothing is proposed on it."


def _move(moves: Sequence[Move], rule_set: int) -> Counter[Kind]:
    """One after the other, each with its entry in the ledger; a finding that somebody was faster with stays."""
    done: Counter[Kind] = Counter()
    for begin in range(0, len(moves), _AT_ONCE):
        part = moves[begin : begin + _AT_ONCE]
        with transaction.atomic():
            rows = Finding.objects.in_bulk([one.id for one in part])
            for one in part:
                done[one.kind] += _happened(rows[one.id], one, rule_set)
    return done


def _happened(row: Finding, move: Move, rule_set: int) -> bool:
    content = finding_rows.columns(move.found, rule_set) if move.found else None
    data = {"because": str(move.because)} if move.because else {}
    try:
        happen(finding=row, kind=move.kind, actor=SYSTEM_CAPACITY, data=data, content=content)
    except Conflict:
        return False
    return True


@transaction.atomic
def _store(
    workspace_id: int,
    seen: Seen,
    stored: Stored,
    todo: Plan,
    moved: Counter[Kind],
    rule_set: int,
    now: datetime,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('findings:' || %s::text, 0))", [workspace_id]
        )
    here = Finding.objects.filter(workspace_id=workspace_id, ended_at=None)
    living = set(here.values_list("endpoint_id", "deployment_id"))
    changed = [(number, found) for number, found in todo.follow if stored.is_new(number, found)]
    finding_rows.follow(changed, rule_set)
    here.filter(pk__in=[number for number, _ in todo.follow]).update(seen_at=now)
    flagged = stored.flagged()
    finding_rows.flag(set(todo.flagged) - flagged, on=True)
    finding_rows.flag(flagged - set(todo.flagged), on=False)
    new = finding_rows.insert(
        workspace_id, [(key, found) for key, found in todo.new if key not in living], rule_set, now
    )
    subjects = {deployment_id for _, deployment_id in living} | {row.deployment_id for row in new}
    finding_rows.leave_alone(workspace_id, seen.alone, {one: True for one in subjects if one}, now)
    if new or any(moved.values()):
        _tell(workspace_id, seen, new, moved)


def _tell(workspace_id: int, seen: Seen, new: Sequence[Finding], moved: Counter[Kind]) -> None:
    """One entry for all that is new; a digest says which. What moved has entries of its own."""
    lines = [[row.pk, row.kind, row.facts, row.low_nanos, row.high_nanos, row.currency] for row in new]
    record(
        actor=SYSTEM_CAPACITY,
        action="finding.looked",
        subject=ref("workspace", workspace_id),
        workspace_id=workspace_id,
        after={
            "deployments": seen.deployments,
            "found": len(new),
            "kinds": dict(sorted(Counter(row.kind for row in new).items())),
            "first": min((row.pk for row in new), default=None),
            "last": max((row.pk for row in new), default=None),
            "sha256": sha256(json.dumps(lines).encode()).hexdigest(),
            "moved": {kind.value: count for kind, count in sorted(moved.items()) if count},
            "left_alone": len(seen.alone),
        },
    )


def _looked(workspace_id: int, now: datetime, deployments: int, began: float, failed: str = "") -> None:
    Looked.objects.update_or_create(
        workspace_id=workspace_id,
        defaults={
            "at": now,
            "deployments": deployments,
            "seconds": time.monotonic() - began,
            "failed": failed,
        },
    )
