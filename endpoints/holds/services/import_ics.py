"""Take the events of a calendar file over as freezes: all that can be read, and none twice."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.core.errors import Invalid
from endpoints.dispatch import db_now
from endpoints.holds import calendar, ics
from endpoints.holds import scope as scopes
from endpoints.holds.ics import Event, Unread
from endpoints.holds.models import Freeze
from endpoints.holds.scope import Scope
from endpoints.holds.selectors.stored import schedule_of
from endpoints.holds.services.freezes import make_room, of_workspace, record_made, stored
from endpoints.holds.services.guards import permit, said


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file's events, by title. `known` were imported before, `over` lie in the past."""

    made: tuple[int, ...]
    known: tuple[str, ...]
    over: tuple[str, ...]
    unread: tuple[Unread, ...]


def import_ics(*, principal: Principal, scope: Scope, zone: str, data: bytes, reason: str) -> Imported:
    """Make a freeze of each event. `zone` is for events that name none, all-day ones too.

    Invalid by field: file, zone, reason, name_pattern, owner, tag. One that was imported before for these endpoints
    and still stands is left alone, and named among `unread` when the file now says something else.
    """
    permit(principal, Action.FREEZE_MANAGE, scope.workspace_id)
    words, where = said(reason), scopes.checked(scope)
    calendar.check_zone(zone)
    found = ics.read(data, zone)
    readable, unread = _checked(found.events)
    with transaction.atomic():
        make_room(where, 0)
        known = _known(where)
        now = db_now()
        fresh = [event for event in readable if event.uid not in known]
        rows = [
            stored(
                principal,
                where,
                event.schedule,
                event.title,
                words,
                source=Freeze.Source.ICS,
                uid=event.uid,
                now=now,
            )
            for event in fresh
        ]
        coming = [row for row in rows if row.over_at is None or row.over_at > now]
        make_room(where, len(coming))
        made = Freeze.objects.bulk_create(coming)
        for freeze in made:
            record_made(principal, freeze)
    return Imported(
        made=tuple(freeze.pk for freeze in made),
        known=tuple(event.title for event in readable if known.get(event.uid) == event.schedule),
        over=tuple(row.title for row in rows if row not in coming),
        unread=(*found.unread, *unread, *_changed(readable, known)),
    )


def _checked(events: tuple[Event, ...]) -> tuple[list[Event], list[Unread]]:
    """Events whose schedule can be, one for each uid, and the others with the reason."""
    readable: dict[str, Event] = {}
    unread = []
    for event in events:
        try:
            schedule = calendar.checked(event.schedule)
        except Invalid as error:
            unread.append(Unread(event.title, error.message))
            continue
        if event.uid in readable:
            unread.append(Unread(event.title, "The file has another event with the same UID."))
        else:
            readable[event.uid] = Event(event.uid, event.title, schedule)
    return list(readable.values()), unread


def _known(scope: Scope) -> dict[str, calendar.Schedule]:
    """The schedules that were imported for these endpoints and were not ended, by uid."""
    rows = Freeze.objects.filter(
        of_workspace(scope.workspace_id),
        name_pattern=scope.name_pattern,
        owner=scope.owner,
        tag=scope.tag,
        ended_at=None,
    ).exclude(uid="")
    return {row.uid: schedule_of(row) for row in rows}


def _changed(events: list[Event], known: dict[str, calendar.Schedule]) -> list[Unread]:
    return [
        Unread(event.title, "It was imported before with other times. End that freeze, then import again.")
        for event in events
        if event.uid in known and known[event.uid] != event.schedule
    ]
