"""Freezes, stops and holds as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from endpoints.access.selectors import workspace_names
from endpoints.api.shapes import ActorOut, Refs, Shape, actor, named, next_field
from endpoints.holds.rows import FreezeRow, FreezeState, Hold, Kind, StopRow
from endpoints.holds.services import Imported
from endpoints.inventory.selectors import endpoint_names


class SpanOut(Shape):
    """A stretch of real time; `end` is not part of it."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class FreezeOut(Shape):
    """A freeze. `workspace` null: of all. `first_start`, `first_end` and `excluded` are what the zone's clock shows.

    `now` is the stretch in which it holds at this moment, `next` the one after. `over_at` null: it has no end.
    """

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=list(FreezeState))
    workspace = serializers.CharField(allow_null=True)
    name_pattern = serializers.CharField()
    owner = serializers.CharField()
    tag = serializers.CharField()
    title = serializers.CharField()
    reason = serializers.CharField()
    zone = serializers.CharField()
    first_start = serializers.CharField()
    first_end = serializers.CharField()
    rule = serializers.CharField()
    excluded = serializers.ListField(child=serializers.CharField())
    starts_at = serializers.DateTimeField()
    over_at = serializers.DateTimeField(allow_null=True)
    now = SpanOut(allow_null=True)
    next = SpanOut(allow_null=True)
    source = serializers.ChoiceField(choices=["page", "api", "ics"])  # type: ignore[assignment]  # the field of this name
    uid = serializers.CharField(help_text="The calendar's own, of an imported one; else empty.")
    made_by = ActorOut()
    made_at = serializers.DateTimeField()
    ended_by = ActorOut(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    end_reason = serializers.CharField()


class FreezeListOut(Shape):
    """A page of freezes."""

    items = FreezeOut(many=True)
    next = next_field()


class StopOut(Shape):
    """A stop of the line, in force while `lifted_at` is null. Both names null: of everything."""

    id = serializers.IntegerField()
    workspace = serializers.CharField(allow_null=True)
    endpoint = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    stopped_by = ActorOut()
    stopped_at = serializers.DateTimeField()
    lifted_by = ActorOut(allow_null=True)
    lifted_at = serializers.DateTimeField(allow_null=True)
    lift_reason = serializers.CharField()


class StopListOut(Shape):
    """A page of stops."""

    items = StopOut(many=True)
    next = next_field()


class UnreadOut(Shape):
    """An event that was not imported, and why."""

    title = serializers.CharField()
    why = serializers.CharField()


class ImportedOut(Shape):
    """What became of a calendar's events. `known` stood already, `over` lie in the past."""

    made = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers of the new freezes.")
    known = serializers.ListField(child=serializers.CharField(), help_text="Titles.")
    over = serializers.ListField(child=serializers.CharField(), help_text="Titles.")
    unread = UnreadOut(many=True)


class HoldOut(Shape):
    """Something in force. `until` null: until a person ends it. `cause`: who asked, or what it is for."""

    kind = serializers.ChoiceField(choices=list(Kind))
    ref = serializers.CharField()
    title = serializers.CharField()
    reason = serializers.CharField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    cause = serializers.CharField()
    overridable = serializers.BooleanField()
    deployment = serializers.CharField(help_text="What a protection is of; empty: the whole endpoint.")


class HoldsOut(Shape):
    """What holds an endpoint's forward steps at `at`, and when freezes and stops let them go on.

    `opens_at` null: a person has to lift something first. `closes_at` null: nothing known closes it again.
    """

    at = serializers.DateTimeField()
    holds = HoldOut(many=True)
    opens_at = serializers.DateTimeField(allow_null=True)
    closes_at = serializers.DateTimeField(allow_null=True)


def freezes(rows: Sequence[FreezeRow]) -> list[dict[str, Any]]:
    """Two queries, for names."""
    slugs = workspace_names({row.scope.workspace_id for row in rows if row.scope.workspace_id is not None})
    names = named({ref for row in rows for ref in (row.made_by, row.ended_by) if ref})
    return [_freeze(row, slugs, names) for row in rows]


def freeze(row: FreezeRow) -> dict[str, Any]:
    return freezes([row])[0]


def _freeze(row: FreezeRow, slugs: dict[int, str], names: Refs) -> dict[str, Any]:
    scope, schedule = row.scope, row.schedule
    shown = {
        "id": row.id,
        "state": row.state,
        "workspace": None if scope.workspace_id is None else slugs[scope.workspace_id],
        "name_pattern": scope.name_pattern,
        "owner": scope.owner,
        "tag": scope.tag,
        "title": row.title,
        "reason": row.reason,
        "zone": schedule.zone,
        "first_start": schedule.first_start.isoformat(),
        "first_end": schedule.first_end.isoformat(),
        "rule": schedule.rule,
        "excluded": sorted(start.isoformat() for start in schedule.excluded),
        "starts_at": row.starts_at,
        "over_at": row.over_at,
        "now": row.now,
        "next": row.next,
        "source": row.source,
        "uid": row.uid,
        "made_by": actor(row.made_by, names),
        "made_at": row.made_at,
        "ended_by": actor(row.ended_by, names) if row.ended_by else None,
        "ended_at": row.ended_at,
        "end_reason": row.end_reason,
    }
    return dict(FreezeOut(shown).data)


def stops(rows: Sequence[StopRow]) -> list[dict[str, Any]]:
    """Three queries, for names."""
    slugs = workspace_names({row.workspace_id for row in rows if row.workspace_id is not None})
    endpoints = endpoint_names({row.endpoint_id for row in rows if row.endpoint_id is not None})
    names = named({ref for row in rows for ref in (row.stopped_by, row.lifted_by) if ref})
    return [
        dict(
            StopOut(
                {
                    "id": row.id,
                    "workspace": None if row.workspace_id is None else slugs[row.workspace_id],
                    "endpoint": None if row.endpoint_id is None else endpoints[row.endpoint_id],
                    "reason": row.reason,
                    "stopped_by": actor(row.stopped_by, names),
                    "stopped_at": row.stopped_at,
                    "lifted_by": actor(row.lifted_by, names) if row.lifted_by else None,
                    "lifted_at": row.lifted_at,
                    "lift_reason": row.lift_reason,
                }
            ).data
        )
        for row in rows
    ]


def stop(row: StopRow) -> dict[str, Any]:
    return stops([row])[0]


def hold(found: Hold) -> dict[str, Any]:
    return dict(HoldOut(found).data)


def imported(found: Imported) -> dict[str, Any]:
    return dict(ImportedOut(found).data)
