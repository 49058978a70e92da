"""Figures that the portal itself counts: defined when there is first something to count, and never against a person.

A figure of the same name that somebody defined stays theirs, and one of ours that somebody ended stays ended.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from endpoints.audit.actors import Actor
from endpoints.audit.services import record
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import endpoint_facts
from endpoints.metrics.figures import MOST_FIGURES, Definition, Value, batch_problems
from endpoints.metrics.models import Figure
from endpoints.metrics.services import partitions
from endpoints.metrics.services.figures import bounds_of, living_figures, lock_figures, store_values

# Who counted a minute anew knows all of it: what is not among the values any more has no observation.
_EMPTY = """
UPDATE metrics_figure_minute t SET count = 0, total = 0
WHERE t.figure_id = ANY (%(figures)s::bigint[]) AND t.minute = ANY (%(minutes)s::timestamptz[]) AND t.count > 0
AND NOT EXISTS (
    SELECT FROM unnest(%(ids)s::bigint[], %(names)s::text[], %(times)s::timestamptz[]) AS v (f, d, m)
    WHERE v.f = t.figure_id AND v.d = t.deployment AND v.m = t.minute)
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """`values` that were stored; `left_out` figures by name: somebody else's, ended, or one too many."""

    values: int
    left_out: tuple[str, ...]


@transaction.atomic
def measure_figures(
    *,
    actor: Actor,
    endpoint_id: int,
    definitions: Sequence[Definition],
    values: Sequence[Value],
    minutes: Collection[datetime],
) -> Measured:
    """Store what was counted in these whole minutes, replacing what was counted before.

    Values of minutes that are not kept, or of deployments that the portal never saw, are left out.
    """
    lock_figures(endpoint_id)
    mine = _mine(actor, endpoint_id, definitions)
    bounds = bounds_of(endpoint_id, {row.name: row for row in mine.values()})
    good = [value for value in values if value.figure in mine and not batch_problems([value], bounds)]
    if good:
        partitions.make("figure_minute", {value.minute.astimezone(UTC).date() for value in good})
        store_values([(mine[value.figure].pk, value) for value in good])
    ours = [row.pk for row in living_figures(endpoint_id) if row.made_by == actor.ref]
    _empty([(mine[value.figure].pk, value) for value in good], ours, minutes)
    left_out = sorted({each.name for each in definitions} - set(mine))
    return Measured(len(good), tuple(left_out))


def _mine(actor: Actor, endpoint_id: int, definitions: Sequence[Definition]) -> dict[str, Figure]:
    """Our own living figures among these, those that were not there made now."""
    living = {row.name: row for row in living_figures(endpoint_id)}
    ended = set(
        Figure.objects.filter(endpoint_id=endpoint_id, made_by=actor.ref, ended_at__isnull=False).values_list(
            "name", flat=True
        )
    )
    found: dict[str, Figure] = {}
    for wanted in definitions:
        there = living.get(wanted.name)
        if there is None and wanted.name not in ended and len(living) < MOST_FIGURES:
            there = living[wanted.name] = _made(actor, endpoint_id, wanted)
        if there is not None and there.made_by == actor.ref and there.kind == wanted.kind:
            found[wanted.name] = there
    return found


def _made(actor: Actor, endpoint_id: int, wanted: Definition) -> Figure:
    facts = endpoint_facts(endpoint_id)
    made = Figure.objects.create(
        endpoint_id=endpoint_id,
        name=wanted.name,
        label=wanted.label,
        kind=wanted.kind,
        unit=wanted.unit,
        made_by=actor.ref,
        made_at=db_now(),
    )
    record(
        actor=actor,
        action="figure.defined",
        subject=ref("figure", made.pk),
        workspace_id=facts.workspace_id,
        endpoint=ref("endpoint", endpoint_id),
        after={"name": made.name, "label": made.label, "kind": str(made.kind), "unit": made.unit},
    )
    return made


def _empty(
    rows: Sequence[tuple[int, Value]], figure_ids: Sequence[int], minutes: Collection[datetime]
) -> None:
    values: dict[str, Any] = {
        "figures": list(figure_ids),
        "minutes": list(minutes),
        "ids": [figure_id for figure_id, _ in rows],
        "names": [value.deployment.lower() for _, value in rows],
        "times": [value.minute for _, value in rows],
    }
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY, values)
