"""The fleet at a moment: every endpoint that was or may have been there, by name, with how sure each state is.

A page takes as many queries as one endpoint does. With `known`, what was on record then stands beside what is now.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from endpoints.core.errors import Invalid
from endpoints.inventory import filters
from endpoints.inventory.filters import Query
from endpoints.inventory.models import Endpoint
from endpoints.inventory.selectors.asof import (
    Answer,
    DeploymentThen,
    EndpointThen,
    deployments_of,
    endpoints_as_of,
)
from endpoints.inventory.selectors.conditions import condition
from endpoints.inventory.timeline import Certainty

# What a filter can say of the past: all else is a field that was another one then.
_KEYS = frozenset({"name", "ws", "env"})


@dataclass(frozen=True, slots=True)
class FleetRowThen:
    """One endpoint at a moment. `then` is as known at the moment asked for, `now_known` as known now.

    The two are one where no `known` was asked for.
    """

    id: int
    workspace_id: int
    workspace: str
    environment: str
    name: str
    then: EndpointThen
    now_known: EndpointThen
    deployments: tuple[DeploymentThen, ...]

    @property
    def corrected(self) -> bool:
        """Whether later knowledge says something else than was known then."""
        return differ(self.then, self.now_known)

    @property
    def cursor(self) -> str:
        """Where the next page begins when this row ends one."""
        return f"{self.id}.{self.name.lower()}"


@dataclass(frozen=True, slots=True)
class FleetThen:
    """A page. `next_cursor` is "" on the last one. `gone` counts those of this page that certainly were not there."""

    rows: tuple[FleetRowThen, ...]
    next_cursor: str
    problems: tuple[str, ...]
    gone: int = 0


def differ(one: Answer, other: Answer) -> bool:
    """Whether two answers about one thing say different things."""
    return (one.certainty, one.is_gone, _told(one)) != (other.certainty, other.is_gone, _told(other))


def fleet_as_of(
    workspace_ids: Collection[int],
    at: datetime,
    *,
    known: datetime | None = None,
    text: str = "",
    cursor: str = "",
    limit: int = 50,
) -> FleetThen:
    """A page of endpoints by name. Invalid when the cursor is none that a page gave.

    One that certainly was not there is left out, unless later knowledge differs; so a page may hold fewer than
    `limit`, and only `next_cursor` says that it is the last.
    """
    query, problems = _understood(filters.parse(text))
    found = _there(workspace_ids, at, known).filter(condition(query))
    if cursor:
        found = found.filter(_after(cursor))
    ordered = list(found.select_related("workspace").order_by("name_key", "pk")[: limit + 1])
    rows = _rows(ordered[:limit], at, known)
    shown = tuple(row for row in rows if not (row.then.is_gone and row.now_known.is_gone))
    more = rows[-1].cursor if len(ordered) > limit else ""
    return FleetThen(shown, more, problems, len(rows) - len(shown))


def _there(workspace_ids: Collection[int], at: datetime, known: datetime | None) -> QuerySet[Endpoint]:
    """Endpoints that may have been there: neither created later nor found gone before, as far as was known."""
    made = Q(azure_created_at__isnull=True) | Q(azure_created_at__lte=at)
    alive = Q(deleted_at__isnull=True) | Q(deleted_at__gt=at)
    if known is not None:
        alive |= Q(latest_revision__known_at__gt=known)
    return Endpoint.objects.filter(made & alive, workspace_id__in=list(workspace_ids))


def _rows(found: Sequence[Endpoint], at: datetime, known: datetime | None) -> list[FleetRowThen]:
    then = endpoints_as_of(found, at, known=known)
    now_known = then if known is None else endpoints_as_of(found, at)
    deployments = deployments_of([row.pk for row in found], at, known=known, maybe_there=True)
    return [
        FleetRowThen(
            id=row.pk,
            workspace_id=row.workspace_id,
            workspace=row.workspace.slug,
            environment=row.workspace.environment,
            name=row.name,
            then=then[row.pk],
            now_known=now_known[row.pk],
            deployments=tuple(one for one in deployments.get(row.pk, ()) if not one.is_gone),
        )
        for row in found
    ]


def _told(answer: Answer) -> list[tuple[bool, Mapping[str, Any]]]:
    if answer.certainty is Certainty.UNKNOWN:
        return []
    return [(one.deleted, one.state) for one in answer.states]


def _understood(query: Query) -> tuple[Query, tuple[str, ...]]:
    """What can be asked of the past, and in words what can't."""
    problems = [
        f"{term.key}: can't be asked of the past; there are ws, env and names."
        for term in query.terms
        if term.key not in _KEYS
    ]
    kept = tuple(term for term in query.terms if term.key in _KEYS)
    return Query(kept), (*query.problems, *problems)


def _after(cursor: str) -> Q:
    try:
        number, name = cursor.split(".", 1)
        pk = int(number)
    except ValueError:
        raise Invalid("This page of the list does not exist; start at the first one.") from None
    return Q(name_key__gt=name) | Q(name_key=name, pk__gt=pk)
