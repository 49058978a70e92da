"""The weekly report of capacity: what it cost, what of it was idle, what could be saved and what was."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction

from endpoints.access.selectors import WorkspaceRow, connected_workspaces
from endpoints.capacity.models import Made
from endpoints.capacity.selectors.findings import counts
from endpoints.capacity.selectors.headline import headline
from endpoints.capacity.selectors.month import Month, month_of
from endpoints.capacity.selectors.rules import rules_of_many
from endpoints.capacity.worth import written
from endpoints.dispatch import db_now
from endpoints.notices.services import publish

TOPIC = "capacity.report"
MORNING = time(7)
_STILL = timedelta(days=2)
"""So much later than due a report is still sent, as after a night without workers."""


def publish_reports(*, now: datetime | None = None) -> int:
    """Hand over what is due; how many. One that was handed over already is not sent again."""
    at = now or db_now()
    begun = set(Made.objects.values_list("workspace_id", flat=True).distinct())
    places = [place for place in connected_workspaces() if place.id in begun]
    rules = rules_of_many([place.id for place in places])
    sent = 0
    for place in places:
        one = rules[place.id].rules
        week = due_week(at, one.report_weekday, one.causes.zone)
        if week:
            _publish(place, week, at)
            sent += 1
    return sent


def due_week(at: datetime, weekday: int | None, zone: ZoneInfo) -> str:
    """The ISO week whose report is due, "" for none: from the morning of its day on the local clock, for two days."""
    if weekday is None:
        return ""
    local = at.astimezone(zone)
    day = local.date() - timedelta(days=(local.weekday() - weekday) % 7)
    due = datetime.combine(day, MORNING, tzinfo=zone)
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}" if timedelta(0) <= at - due.astimezone(UTC) < _STILL else ""


@transaction.atomic
def _publish(place: WorkspaceRow, week: str, at: datetime) -> None:
    today = at.astimezone(UTC).date()
    facts: dict[str, str] = {"workspace": place.slug}
    for month in month_of([place.id], today):
        facts |= _of_month(month)
    for row in headline([place.id], today):
        facts[f"could be saved a month ({row.currency})"] = (
            f"{_range(row.could_save_low, row.could_save)}, {row.findings} findings"
        )
        facts[f"verified savings a month ({row.currency})"] = written(row.realised)
    facts["findings that nobody took on"] = str(counts([place.id]).get("waiting", 0))
    publish(
        topic=TOPIC,
        key=f"{place.id}:{week}",
        subject=f"Capacity in {place.slug}, week {week}",
        text="What paid capacity cost this month, what of it was idle, and what could be saved.",
        facts=dict(list(facts.items())[:12]),
        link="/capacity",
        workspace_id=place.id,
    )


def _of_month(month: Month) -> dict[str, str]:
    name = f"{month.month:%B}"
    if not month.currency:
        return {f"{name}, without a price": f"{month.unpriced_seconds / 3600:.1f} instance-hours"}
    idle = f"{_known(month.unserved)} unserved, {_known(month.over)} over, {_known(month.unknown)} unknown"
    if month.unpriced_seconds:
        idle += f"; {month.unpriced_seconds / 3600:.1f} instance-hours have no price and are in no amount"
    planned = f", planned {written(month.plan)}" if month.plan is not None else ""
    return {
        f"spent in {name} so far ({month.currency})": f"{_known(month.spent)}: {idle}",
        f"expected in {name} ({month.currency})": _known(month.forecast) + planned,
    }


def _known(amount: Decimal | None) -> str:
    return "not known" if amount is None else written(amount)


def _range(low: Decimal, high: Decimal) -> str:
    return written(high) if low == high else f"{written(low)} to {written(high)}"
