"""Make days of the ledger out of the mirror, rollups of metrics, prices and changes. A day made again replaces it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction

from endpoints.access.selectors import connected_workspaces
from endpoints.capacity.models import Made
from endpoints.capacity.selectors.rules import rules_of
from endpoints.capacity.selectors.world import day_of_life, size_of, world_of
from endpoints.capacity.services import rows
from endpoints.capacity.services.late import late_days
from endpoints.capacity.version import LEDGER
from endpoints.dispatch import db_now
from endpoints.inventory.selectors.paid import paid_lives
from endpoints.metrics.selectors.paid_hours import known_minutes

DAYS = 31
"""So far back days are made by themselves: a month's page is whole."""
SETTLING = 3
"""The newest days are made anew each time: their metrics still come in."""


@dataclass(frozen=True, slots=True)
class Rolled:
    """A day that was made: of so many deployments, from so many hours of metrics."""

    day: date
    deployments: int
    hours: int


def roll_up_due(*, now: datetime | None = None) -> int:
    """Make the newest days anew, and older ones that are missing, or that other rules or less knowledge made.

    Returns how many were made. The past of metrics comes in afterwards, a slice at a time. Sums by owner follow the
    endpoints' tags, however old the day.
    """
    today = (now or db_now()).astimezone(UTC).date()
    made = 0
    for place in connected_workspaces():
        known = known_minutes(place.id, today - timedelta(days=DAYS), today + timedelta(days=1))
        rows_made = list(Made.objects.filter(workspace_id=place.id, day__gt=today - timedelta(days=DAYS)))
        there = {row.day: (row.version, row.rule_set, row.minutes) for row in rows_made}
        rules = rules_of(place.id).number
        late = late_days(place, {row.day: row.made_at for row in rows_made})
        for back in range(DAYS):
            day = today - timedelta(days=back)
            if back < SETTLING or day in late or there.get(day) != (LEDGER, rules, known.get(day, 0)):
                roll_up_day(workspace_id=place.id, day=day)
                made += 1
        rows.follow_owners(place.id, since=today - timedelta(days=DAYS))
    return made


def begin_ledger() -> int:
    """Make the days of workspaces that have none yet, without waiting for the next round; of how many."""
    begun = set(Made.objects.values_list("workspace_id", flat=True).distinct())
    today = db_now().astimezone(UTC).date()
    new = [place for place in connected_workspaces() if place.id not in begun]
    for place in new:
        for back in range(DAYS):
            roll_up_day(workspace_id=place.id, day=today - timedelta(days=back))
    return len(new)


def roll_up_day(*, workspace_id: int, day: date) -> Rolled:
    """Make one UTC day of a workspace; today's is made of the hours that are over."""
    begin = datetime.combine(day, time(), tzinfo=UTC)
    until = min(begin + timedelta(days=1), db_now().replace(minute=0, second=0, microsecond=0))
    # Looked at before the hours are read: what comes in meanwhile makes the day anew once more.
    looked_at = db_now()
    rules = rules_of(workspace_id).number
    minutes = known_minutes(workspace_id, day, day + timedelta(days=1)).get(day, 0)
    lives = paid_lives(workspace_id, begin, until) if until > begin else []
    world = world_of(workspace_id, lives, begin, until)
    days = [
        (life, size_of(world.states.get(life.id, ())), found)
        for life in lives
        if (found := day_of_life(life, world, begin, until)).seconds["paid"] or found.hours_without_count
    ]
    with transaction.atomic():
        rows.replace(workspace_id, day, days)
        Made.objects.update_or_create(
            workspace_id=workspace_id,
            day=day,
            defaults={
                "deployments": len(days),
                "minutes": minutes,
                "version": LEDGER,
                "rule_set": rules,
                "made_at": looked_at,
            },
        )
    return Rolled(day, len(days), sum(len(told) for told in world.used.values()))
