"""Find the record of a request by what somebody has of it: Azure's id or the client's, with or without a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection

from endpoints.challenges import ids
from endpoints.challenges.copytext import COLUMNS, decoded
from endpoints.challenges.merge import Merged
from endpoints.challenges.recorded import Source
from endpoints.challenges.seen import SeenRow, jsonable
from endpoints.core.errors import NotFound

MOST_FOUND = 50
"""Records under one id: a client that uses its id for more has none."""
_LONGEST = 300
_OWN = ", ".join(f"p.{name}" for name in COLUMNS)
# The newest, or the nearest on both sides of a time: an id that a client uses for everything costs no more.
_BY_ID = """
(SELECT {columns} FROM {table} p WHERE p.{column} = %({column})s AND p.{column} <> '' {own} {side} LIMIT %(limit)s)
"""
_NEWEST = ("ORDER BY p.at DESC",)
_BOTH_SIDES = ("AND p.at <= %(near)s ORDER BY p.at DESC", "AND p.at > %(near)s ORDER BY p.at")
_TABLES = ("challenges_prediction", "challenges_kept_prediction")
# "+ 0": the index of the id is the one to use, not the key's, which begins with the endpoint.
_OF_ENDPOINT = """
AND p.endpoint_id + 0 IN (SELECT id FROM inventory_endpoint WHERE workspace_id = ANY (%(workspaces)s::bigint[]))
"""
_AROUND = """
SELECT f.*, e.workspace_id, e.name FROM ({found}) AS f JOIN inventory_endpoint e ON e.id = f.endpoint_id
"""
_ONE = " UNION ALL ".join(
    f"SELECT {_OWN} FROM {table} p WHERE p.endpoint_id = %(endpoint)s AND p.key = %(key)s AND p.day = %(day)s"  # noqa: S608 - names
    for table in _TABLES
)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What was asked for, as the two ids that it may be ("" when it can't be one), and the records that have it.

    More than one: the client used its id again, or two sources could not be joined. `is_cut`: there are still more.
    """

    request_id: str
    client_id: str
    found: tuple[SeenRow, ...]
    is_cut: bool = False


def lookup(asked: str, *, workspace_ids: Collection[int] | None, near: datetime | None = None) -> Lookup:
    """Records with this id in these workspaces (None: in all), the nearest to a time first, or the newest."""
    text = asked.strip()
    if not text or len(text) > _LONGEST:
        return Lookup("", "", ())
    request_id, client_id = ids.request_id(text), ids.client_id(text)
    values: dict[str, Any] = {"limit": MOST_FOUND + 1, "near": near}
    if workspace_ids is not None:
        values["workspaces"] = list(workspace_ids)
    wanted = {name: value for name, value in (("request_id", request_id), ("client_id", client_id)) if value}
    if not wanted:
        return Lookup(request_id, client_id, ())
    sides = _NEWEST if near is None else _BOTH_SIDES
    rows = _rows(_statement(wanted, sides, is_narrow=workspace_ids is not None), values | wanted)
    ordered = sorted(rows, key=lambda row: row.at, reverse=True)
    if near is not None:
        ordered.sort(key=lambda row: abs(row.at - near))
    return Lookup(request_id, client_id, tuple(ordered[:MOST_FOUND]), len(ordered) > MOST_FOUND)


def seen(endpoint_id: int, day: date, key: str) -> SeenRow:
    """The record of an address, whether it is still within retention or kept; NotFound when there is none."""
    rows = _rows(_ONE, {"endpoint": endpoint_id, "key": key, "day": day})
    if not rows:
        raise NotFound("There is no such record, or it is not kept any more.")
    return rows[0]


def _statement(wanted: Mapping[str, str], sides: Sequence[str], *, is_narrow: bool) -> str:
    own = _OF_ENDPOINT if is_narrow else ""
    parts = [
        _BY_ID.format(columns=_OWN, table=table, column=column, own=own, side=side)
        for table in _TABLES
        for column in wanted
        for side in sides
    ]
    return " UNION ALL ".join(parts)


def _rows(found: str, values: Mapping[str, Any]) -> list[SeenRow]:
    """Each record once, also when it is found by both ids, or is kept and still within retention."""
    rows: dict[tuple[Any, ...], SeenRow] = {}
    with connection.cursor() as cursor:
        cursor.execute(_AROUND.format(found=found), values)
        for *columns, workspace_id, name in cursor.fetchall():
            row = _seen(decoded(columns), workspace_id, name)
            rows.setdefault((row.endpoint_id, row.key, row.day), row)
    return list(rows.values())


def _seen(row: Merged, workspace_id: int, name: str) -> SeenRow:
    values = row.values | {"at": row.at.astimezone(UTC)}
    return SeenRow(
        endpoint_id=row.endpoint_id,
        day=row.day,
        key=row.key,
        **values,
        origin={field: str(said[0]) for field, said in row.givers.items()},
        also={field: said[1:] for field, said in row.givers.items() if len(said) > 1},
        conflicts={
            field: {source: jsonable(field, value) for source, value in said.items()}
            for field, said in row.conflicts.items()
        }
        or None,
        later=row.later,
        log_known_at=row.known.get(Source.LOG),
        caller_known_at=row.known.get(Source.CALLER),
        model_known_at=row.known.get(Source.MODEL),
        workspace_id=workspace_id,
        endpoint_name=name,
    )
