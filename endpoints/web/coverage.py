"""What of one day of an endpoint a passport can answer for: the strip, and the same as tables."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access.policies import Action
from endpoints.access.rows import WorkspaceRow
from endpoints.challenges.selectors.coverage import coverage_of
from endpoints.dispatch import db_now
from endpoints.inventory import selectors as inventory
from endpoints.web.pages import PageRequest, on_workspace, page, render
from endpoints.web.strip import strip

_DAY = timedelta(days=1)


@page(on_workspace(Action.PREDICTIONS_VIEW))
def coverage(request: PageRequest, *, workspace: WorkspaceRow, name: str) -> HttpResponseBase:
    """One UTC day, today where none is named."""
    endpoint_id = inventory.endpoint_id_by_name(workspace.id, name)
    today = db_now().astimezone(UTC).date()
    typed = request.GET.get("day", "").strip()[:20]
    day, problem = _day(typed, today)
    found = coverage_of(endpoint_id, day)
    here = reverse("web:coverage", kwargs={"ws": workspace.slug, "name": name})
    context: dict[str, Any] = {
        "workspace": workspace,
        "name": name,
        "day": day,
        "typed": typed or day.isoformat(),
        "today": today,
        "problem": problem,
        "strip": strip(found) if found else None,
        "before_href": f"{here}?day={day - _DAY}" if day > date(2015, 1, 1) else "",
        "after_href": f"{here}?day={day + _DAY}" if day < today else "",
    }
    return render(request, "endpoint/coverage.html", context, section="fleet", status=422 if problem else 200)


def _day(text: str, today: date) -> tuple[date, str]:
    """The day, or today with what is wrong."""
    if not text:
        return today, ""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today, f"“{text}” is no day; give one as 2026-11-23. Shown is today."
    if day > today:
        return today, "That day has not begun. Shown is today."
    if day < date(2015, 1, 1):
        return today, "Nothing is on record of that day. Shown is today."
    return day, ""
