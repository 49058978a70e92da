"""Marks of higher rooms: pushed down as data, because a lower room never asks a higher one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from django.db import transaction

from endpoints.inventory.marks import Mark
from endpoints.inventory.models import Endpoint
from endpoints.inventory.services.projection import refresh_marks


@transaction.atomic
def set_outer_marks(source: str, found: Mapping[int, Sequence[Mark]]) -> int:
    """What `source` finds now about these endpoints, none included; how many endpoints changed by it.

    An endpoint that somebody else is writing at this moment is left for the next time.
    """
    wanted = {endpoint_id: [asdict(mark) for mark in marks] for endpoint_id, marks in found.items()}
    stored = Endpoint.objects.filter(pk__in=list(wanted)).values_list("pk", "outer_marks")
    changed = [pk for pk, outer in stored if outer.get(source, []) != wanted[pk]]
    rows = Endpoint.objects.select_for_update(skip_locked=True, of=("self",)).select_related("open_drift")
    done = 0
    for row in rows.filter(pk__in=changed).order_by("pk"):
        row.outer_marks = {**row.outer_marks, source: wanted[row.pk]}
        refresh_marks(row)
        row.save(update_fields=["outer_marks", "marks", "severity"])
        done += 1
    return done
