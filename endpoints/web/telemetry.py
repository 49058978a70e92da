"""How well endpoints can be seen: metrics and their age, diagnostic settings and logs, and who reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase, QueryDict
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.rows import WorkspaceRow
from endpoints.challenges import selectors as challenges
from endpoints.core.errors import Invalid
from endpoints.metrics import selectors as metrics
from endpoints.metrics.selectors import CollectorRow, HealthPage, HealthRow
from endpoints.metrics.telemetry import State
from endpoints.web.names import of_refs
from endpoints.web.pages import SIGNED_IN, PageRequest, is_partial, page, partial, render
from endpoints.web.states import Sign

PAGE = 50
SIGNS = {
    State.FLOWING: Sign("quiet", "flowing"),
    State.LATE: Sign("warn", "late"),
    State.THROTTLED: Sign("warn", "throttled"),
    State.NONE_YET: Sign("unknown", "none yet"),
    State.FORBIDDEN: Sign("bad", "not permitted"),
    State.UNREADABLE: Sign("unknown", "can't be understood"),
    State.UNREACHABLE: Sign("unknown", "not reached"),
}
BACKFILLS = {
    "waiting": Sign("waiting", "waiting"),
    "reading": Sign("running", "reading"),
    "done": Sign("quiet", "done"),
    "cancelled": Sign("off", "cancelled"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as given in the address."""

    q: str = ""
    state: str = ""
    ws: str = ""
    cursor: str = ""

    def query(self, **changes: str) -> str:
        given = {"q": self.q, "state": self.state, "ws": self.ws} | changes
        return urlencode({key: value for key, value in given.items() if value})


def sign_of(state: State) -> Sign:
    """A state's sign; one that is new here is shown by its own word."""
    return SIGNS.get(state, Sign("quiet", str(state)))


@page(SIGNED_IN)
def telemetry(request: PageRequest) -> HttpResponseBase:
    """The list, worst first, with the collectors and back-fills above it."""
    seen = [one for one in access.workspaces(request.principal) if one.disconnected_at is None]
    asked = _asked(request.GET)
    context = _context(request, asked, seen)
    if is_partial(request):
        return partial(request, "partials/telemetry.html", context)
    context |= {"workspaces": seen, "filters": asked, "filtered": bool(asked.q or asked.state or asked.ws)}
    return render(request, "telemetry.html", context, section="telemetry")


def _asked(query: QueryDict) -> Asked:
    state = query.get("state", "")
    return Asked(
        q=query.get("q", "").strip()[:200],
        state=state if state in set(State) else "",
        ws=query.get("ws", "")[:63],
        cursor=query.get("after", "")[:300],
    )


def _context(request: PageRequest, asked: Asked, seen: list[WorkspaceRow]) -> dict[str, Any]:
    ids = [one.id for one in seen if asked.ws in ("", one.slug)]
    found, address = _health(ids, asked), reverse("web:telemetry")
    reading, filling = metrics.collectors(ids), metrics.backfills(ids, limit=10)
    names = of_refs(row.asked_by for row in filling.rows)
    return {
        "rows": [(row, sign_of(row.state), logs_of(row)) for row in found.rows],
        "tiles": [_tile(asked, address, state, found.counts.get(state, 0)) for state in State],
        "collectors": [(row, _reading(row)) for row in reading.rows],
        "more_collectors": reading.next_after is not None,
        "backfills": [
            (row, BACKFILLS[row.state], names.get(row.asked_by, row.asked_by)) for row in filling.rows
        ],
        "logs": challenges.log_health(ids),
        "running": [row for row in filling.rows if row.state in ("waiting", "reading")],
        "here": request.get_full_path(),
        "address": address,
        "none_visible": not seen,
        "pages": {
            "first": f"{address}?{asked.query()}" if asked.cursor else "",
            "next": f"{address}?{asked.query(after=found.next_cursor)}" if found.next_cursor else "",
        },
    }


def _health(ids: list[int], asked: Asked) -> HealthPage:
    """A page that is not there any more is the first one."""
    try:
        return metrics.health(ids, state=asked.state, text=asked.q, cursor=asked.cursor, limit=PAGE)
    except Invalid:
        return metrics.health(ids, state=asked.state, text=asked.q, limit=PAGE)


def _tile(asked: Asked, address: str, state: State, count: int) -> dict[str, Any]:
    sign, current = sign_of(state), asked.state == state
    return {
        "href": f"{address}?{asked.query(state='' if current else str(state))}",
        "count": count,
        "label": sign.text,
        "kind": sign.kind,
        "current": current,
    }


def logs_of(row: HealthRow) -> tuple[str, str]:
    """Which logs Azure is told to send on, and what that means for who looks for them."""
    if row.log_categories is None:
        return "unknown", row.diagnostics_reason or "Its diagnostic settings were not read yet."
    if not row.log_categories:
        return "none", "No diagnostic setting sends logs anywhere."
    return ", ".join(row.log_categories), ""


def _reading(row: CollectorRow) -> Sign:
    if row.is_reading:
        return Sign("running", "reading now")
    if row.retry_at is not None:
        return Sign("warn", "throttled")
    if row.outcome is None:
        return Sign("unknown", "not read yet")
    if row.failures:
        return Sign("bad", "failing")
    return Sign("quiet", "reads")
