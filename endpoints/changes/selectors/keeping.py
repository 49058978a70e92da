"""Which deployments changes still need: those that open ones are about, and those that a rollback would go back to."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from endpoints.changes.lifecycle import OPEN, Kind, State
from endpoints.changes.models import ChangeRevision
from endpoints.changes.plan import Base, Step, base_from_json, steps_from_json


@dataclass(frozen=True, slots=True)
class Kept:
    """By one change, deployments of an endpoint. `names` in lower case; None: all of them.

    `warm_until`: a rollback would go back to them until then; None: the change is open and about them.
    """

    change_id: int
    endpoint_id: int
    names: frozenset[str] | None
    warm_until: datetime | None
    origin: str

    def keeps(self, name_key: str) -> bool:
        return self.names is None or name_key in self.names


def kept_by_changes(endpoint_ids: Collection[int], now: datetime) -> dict[int, list[Kept]]:
    """By endpoint. One query."""
    warm = Q(change__kind=Kind.TRAFFIC, change__state=State.SUCCEEDED, change__warm_until__gt=now)
    rows = ChangeRevision.objects.filter(
        warm | Q(change__state__in=OPEN),
        number=F("change__revision"),
        change__endpoint_id__in=set(endpoint_ids),
    )
    found: dict[int, list[Kept]] = {}
    for row in rows.select_related("change").order_by("change_id"):
        change, base, steps = row.change, base_from_json(row.base), steps_from_json(row.plan)
        over = change.state not in OPEN
        found.setdefault(change.endpoint_id, []).append(
            Kept(
                change_id=change.pk,
                endpoint_id=change.endpoint_id,
                names=_former(base, steps) if over else _touched(base, steps),
                warm_until=change.warm_until if over else None,
                origin=change.origin,
            )
        )
    return found


def _former(base: Base, steps: tuple[Step, ...]) -> frozenset[str]:
    """Those that had traffic and lost all of it."""
    return frozenset(name for name in base.split if not steps[-1].split.get(name))


def _touched(base: Base, steps: tuple[Step, ...]) -> frozenset[str] | None:
    """Those whose share changes on the way, or that a step is about."""
    if any(step.verb == "delete_endpoint" for step in steps):
        return None
    return frozenset(name for step in steps for name in _of(base, step))


def _of(base: Base, step: Step) -> Iterator[str]:
    if step.deployment:
        yield step.deployment
    for before, after in ((base.split, step.split), (base.mirror, step.mirror)):
        yield from (name for name in {*before, *after} if before.get(name, 0) != after.get(name, 0))
