"""Which changes had to do with which deployments, and how they ended: why a deployment is still there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import base_from_json, steps_from_json


@dataclass(frozen=True, slots=True)
class Part:
    """What a change was about: `gaining` were to get traffic, `losing` were to lose all of theirs. Lower-case names.

    `whole`: it was carried through to its last step. `warm_until`: until then the losing ones are kept to roll back to.
    """

    change_id: int
    endpoint_id: int
    gaining: frozenset[str]
    losing: frozenset[str]
    started_at: datetime
    ended_at: datetime | None
    whole: bool
    warm_until: datetime | None


def parts_of(endpoint_ids: Iterable[int], *, until: datetime) -> dict[int, list[Part]]:
    """The started changes of traffic of these endpoints, by endpoint, oldest first. Rollbacks and drills are none."""
    rows = Change.objects.filter(endpoint_id__in=set(endpoint_ids), kind=Kind.TRAFFIC, started_at__lt=until)
    found: dict[int, list[Part]] = {}
    changes = {row.pk: row for row in rows.order_by("started_at", "pk")}
    revisions = {
        (row.change_id, row.number): row for row in ChangeRevision.objects.filter(change_id__in=changes)
    }
    for change in changes.values():
        revision = revisions[change.pk, change.revision]
        before, after = base_from_json(revision.base).split, steps_from_json(revision.plan)[-1].split
        assert change.started_at is not None
        found.setdefault(change.endpoint_id, []).append(
            Part(
                change_id=change.pk,
                endpoint_id=change.endpoint_id,
                gaining=frozenset(name for name in after if after[name] > before.get(name, 0)),
                losing=frozenset(name for name in before if not after.get(name)),
                started_at=change.started_at,
                ended_at=change.ended_at,
                whole=change.state == State.SUCCEEDED,
                warm_until=change.warm_until,
            )
        )
    return found
