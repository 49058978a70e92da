"""Stops of the line in words, and what every page within a stop's scope says at its top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from endpoints.access.policies import Principal
from endpoints.access.selectors import workspace_names
from endpoints.holds import selectors
from endpoints.holds.rows import StopRow
from endpoints.inventory.selectors import endpoint_names
from endpoints.web.names import of_refs


@dataclass(frozen=True, slots=True)
class Stopped:
    """A stop in words. `workspace` and `endpoint` are names, "" where it is wider."""

    row: StopRow
    what: str
    workspace: str
    endpoint: str
    by: str
    lifted_by: str
    href: str


def stopped(rows: Sequence[StopRow]) -> list[Stopped]:
    """Stops with names for what they refer to; no query when there is none."""
    if not rows:
        return []
    slugs = workspace_names({row.workspace_id for row in rows if row.workspace_id is not None})
    endpoints = endpoint_names({row.endpoint_id for row in rows if row.endpoint_id is not None})
    names = of_refs({ref for row in rows for ref in (row.stopped_by, row.lifted_by)})
    return [_stopped(row, slugs, endpoints, names) for row in rows]


def _stopped(
    row: StopRow, slugs: dict[int, str], endpoints: dict[int, str], names: dict[str, str]
) -> Stopped:
    workspace = slugs.get(row.workspace_id or 0, "")
    endpoint = endpoints.get(row.endpoint_id or 0, "")
    return Stopped(
        row=row,
        what=_what(workspace, endpoint),
        workspace=workspace,
        endpoint=endpoint,
        by=names.get(row.stopped_by, row.stopped_by),
        lifted_by=names.get(row.lifted_by, row.lifted_by),
        href=reverse("web:stop", kwargs={"number": row.id}),
    )


def _what(workspace: str, endpoint: str) -> str:
    if endpoint:
        return f"{endpoint} in {workspace}"
    return f"workspace {workspace}" if workspace else "all workspaces"


@dataclass(frozen=True, slots=True)
class Banner:
    """What every page within a stop's scope says at its top."""

    what: str
    reason: str
    by: str
    at: datetime
    href: str


def banners(me: Principal, *, ws: str, name: str) -> tuple[tuple[Banner, ...], int]:
    """The stops that a page shows, and how many there are in all that the person may see.

    A page about a workspace or an endpoint (`ws`, `name`) shows those that hold it; all other pages show all.
    One query while nothing is stopped.
    """
    found = stopped(selectors.stops_seen_by(me))
    shown = tuple(
        Banner(one.what, one.row.reason, one.by, one.row.stopped_at, one.href)
        for one in found
        if _concerns(one, ws, name)
    )
    return shown, len(found)


def _concerns(one: Stopped, ws: str, name: str) -> bool:
    if not ws or not one.workspace:
        return True
    same = one.workspace == ws
    return same and (not name or not one.endpoint or one.endpoint.lower() == name.lower())
