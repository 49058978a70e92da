"""Hours of the week as a file: every value of the picture, one row for a deployment and an hour."""

from __future__ import annotations

from django.http import HttpResponseBase

from endpoints.capacity.selectors.heatmap import HOURS, heatmap
from endpoints.web import display, exports
from endpoints.web.capacity_heat import DAYS
from endpoints.web.capacity_scope import scope_of, stretch
from endpoints.web.pages import SIGNED_IN, PageRequest, page

COLUMNS = ("workspace", "endpoint", "deployment", "day", "hour", "zone", "served_share", "hours_known")


@page(SIGNED_IN)
def heat_csv(request: PageRequest) -> HttpResponseBase:
    """As many days back as the page shows; an empty share is not known."""
    scope, zone = scope_of(request), str(display.current().zone)
    _, since, until = stretch(request.GET.get("days", "").strip())
    rows = [
        {
            "workspace": row.workspace,
            "endpoint": row.endpoint,
            "deployment": row.deployment,
            "day": DAYS[at // HOURS],
            "hour": at % HOURS,
            "zone": zone,
            "served_share": None if cell.served is None else f"{cell.served:.4f}",
            "hours_known": cell.hours,
        }
        for row in heatmap(scope.ids, since, until, zone=zone)
        for at, cell in enumerate(row.cells)
    ]
    return exports.as_csv(f"capacity-hours-{since:%Y%m%d}-{until:%Y%m%d}", COLUMNS, rows)
