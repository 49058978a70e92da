"""Define a business figure, take its values in as they are sent, and end it.

A batch is taken as a whole or not at all. The same minute sent again replaces what was there, so that whoever is not
sure whether a batch arrived sends it once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from endpoints.access.policies import Action, Principal, require
from endpoints.access.selectors import workspace
from endpoints.audit.services import record
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import EndpointFacts, deployments_between, endpoint_facts
from endpoints.metrics import retained
from endpoints.metrics.figures import (
    MOST_FIGURES,
    Bounds,
    Definition,
    Kind,
    Value,
    batch_problems,
    definition_problems,
)
from endpoints.metrics.models import Figure
from endpoints.metrics.services import partitions

# The sender's clock may be a little ahead.
_SKEW = timedelta(seconds=30)
# Two who define figures of one endpoint take turns.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('metrics.figure:' || %s::text, 0))"
# In the order of the key: two senders of the same minutes wait for each other and never deadlock.
_STORE = """
INSERT INTO metrics_figure_minute AS t (figure_id, deployment, minute, count, total)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::bigint[], %s::float8[]) AS v (f, d, m, c, t)
ORDER BY f, d, m
ON CONFLICT (figure_id, deployment, minute) DO UPDATE SET (count, total) = (EXCLUDED.count, EXCLUDED.total)
WHERE (t.count, t.total) IS DISTINCT FROM (EXCLUDED.count, EXCLUDED.total)
"""


@dataclass(frozen=True, slots=True)
class Defined:
    """`is_new` False: it was there, with this very meaning, and nothing was done."""

    figure_id: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """Of `values` that were sent, so many were new or replaced another one; the others were there already."""

    values: int
    changed: int


def define_figure(*, principal: Principal, endpoint_id: int, wanted: Definition) -> Defined:
    """Say what values of this name mean. Conflict when the name means something else until it is ended."""
    facts = _permitted(principal, endpoint_id)
    if problems := definition_problems(wanted):
        raise Invalid(problems)
    with transaction.atomic():
        lock_figures(endpoint_id)
        living = {row.name: row for row in living_figures(endpoint_id)}
        if there := living.get(wanted.name):
            return _same(there, wanted)
        if len(living) >= MOST_FIGURES:
            raise Conflict(f"It has {MOST_FIGURES} figures, and no more are taken. End one first.")
        made = Figure.objects.create(
            endpoint_id=endpoint_id,
            name=wanted.name,
            label=wanted.label,
            kind=wanted.kind,
            unit=wanted.unit,
            made_by=principal.ref,
            made_at=db_now(),
        )
        _record("figure.defined", made, principal, facts)
    return Defined(made.pk, True)


def end_figure(*, principal: Principal, endpoint_id: int, name: str) -> None:
    """Take no more values of it; those that are there stay as long as minutes do."""
    facts = _permitted(principal, endpoint_id)
    with transaction.atomic():
        lock_figures(endpoint_id)
        row = next((row for row in living_figures(endpoint_id) if row.name == name), None)
        if row is None:
            raise NotFound(f"There is no figure {name}, or it was ended. Nothing was changed.")
        row.ended_by, row.ended_at = principal.ref, db_now()
        row.save(update_fields=["ended_by", "ended_at"])
        _record("figure.ended", row, principal, facts)


def write_figures(*, principal: Principal, endpoint_id: int, values: Sequence[Value]) -> Taken:
    """Store a batch. Invalid, with every problem in it, when any of its values can't be taken: then none is."""
    _permitted(principal, endpoint_id)
    if not values:
        raise Invalid({"figures": ["Send at least one value. Nothing was stored."]})
    with transaction.atomic():
        living = {row.name: row for row in living_figures(endpoint_id)}
        if measured := _measured(values, living):
            raise Invalid(measured)
        if problems := batch_problems(values, bounds_of(endpoint_id, living)):
            raise Invalid(problems)
        partitions.make("figure_minute", {value.minute.astimezone(UTC).date() for value in values})
        changed = store_values([(living[value.figure].pk, value) for value in values])
    return Taken(len(values), changed)


def _measured(values: Sequence[Value], living: dict[str, Figure]) -> dict[str, list[str]]:
    """Values of figures that the portal counts itself: nobody else may say what they are."""
    ours = {name for name, row in living.items() if row.made_by.startswith("system:")}
    text = "The portal counts this one itself, from records of requests. Nothing was stored."
    return {f"figures.{place}.figure": [text] for place, value in enumerate(values) if value.figure in ours}


def _permitted(principal: Principal, endpoint_id: int) -> EndpointFacts:
    facts = endpoint_facts(endpoint_id)
    if facts.deleted_at is not None:
        raise NotFound("There is no such endpoint, or it was deleted.")
    slug = workspace(facts.workspace_id).slug
    require(principal, Action.FIGURES_WRITE, workspace_id=facts.workspace_id, workspace=slug)
    return facts


def lock_figures(endpoint_id: int) -> None:
    """Until the transaction ends, nobody else defines figures of this endpoint."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME, [endpoint_id])


def living_figures(endpoint_id: int) -> list[Figure]:
    """Those that take values, by name."""
    return list(Figure.objects.filter(endpoint_id=endpoint_id, ended_at=None).order_by("name"))


def _same(there: Figure, wanted: Definition) -> Defined:
    if Definition(there.name, there.label, Kind(there.kind), there.unit) != wanted:
        raise Conflict(
            f"{there.name} is “{there.label}”, a {there.kind}. End it before it means something else."
            " Nothing was changed."
        )
    return Defined(there.pk, False)


def bounds_of(endpoint_id: int, living: dict[str, Figure]) -> Bounds:
    """What values of these figures may be about now."""
    now = db_now()
    oldest = retained.midnight(retained.first_day_of_minutes(now, settings.OPSPORTAL.metrics_minute_days))
    return Bounds(
        figures={name: Kind(row.kind) for name, row in living.items()},
        deployments={
            life.name_key for life in deployments_between(endpoint_id, since=oldest, until=now + _SKEW)
        },
        oldest=oldest,
        newest=now + _SKEW,
    )


def store_values(rows: Sequence[tuple[int, Value]]) -> int:
    """Write values by their figure's id; how many were new or replaced another one."""
    columns: list[Any] = [
        [figure_id for figure_id, _ in rows],
        [value.deployment.lower() for _, value in rows],
        [value.minute for _, value in rows],
        [value.count for _, value in rows],
        [float(value.total) for _, value in rows],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STORE, columns)
        return int(cursor.rowcount)


def _record(action: str, row: Figure, principal: Principal, facts: EndpointFacts) -> None:
    told: dict[str, Any] = {"name": row.name, "label": row.label, "kind": str(row.kind), "unit": row.unit}
    ended = action == "figure.ended"
    record(
        actor=principal.actor,
        action=action,
        subject=ref("figure", row.pk),
        workspace_id=facts.workspace_id,
        endpoint=ref("endpoint", facts.id),
        before=told if ended else None,
        after=None if ended else told,
    )
