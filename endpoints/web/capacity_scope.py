"""Of which workspaces a page of capacity is, and how its pages are found from each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Principal, may_anywhere, visible_workspaces
from endpoints.access.rows import WorkspaceRow
from endpoints.core.errors import Refused
from endpoints.web import display
from endpoints.web.capacity_export import reach
from endpoints.web.pages import PageRequest

STRETCHES = (7, 30, 90)
USUAL = 30
PAGES = (
    ("Findings", "capacity"),
    ("Rows of the ledger", "capacity_days"),
    ("Left alone", "capacity_left_alone"),
    ("Savings", "capacity_savings"),
    ("Unit costs", "capacity_unit_costs"),
    ("Plans and alerts", "capacity_plans"),
    ("Rules", "capacity_rules"),
)


@dataclass(frozen=True, slots=True)
class Scope:
    """`ids` are those that the page is of; `seen` all that may be chosen; `ws` the one that was, or ""."""

    ids: tuple[int, ...]
    seen: tuple[WorkspaceRow, ...]
    ws: str

    @property
    def query(self) -> dict[str, str]:
        """The workspace that was chosen, as an address carries it on."""
        return {"ws": self.ws} if self.ws else {}

    @property
    def shown(self) -> list[WorkspaceRow]:
        """The workspaces that the page is of."""
        return [one for one in self.seen if one.id in self.ids]


def admit(me: Principal) -> None:
    """Refused for who may see no workspace's capacity."""
    if not may_anywhere(me, Action.CAPACITY_VIEW):
        raise Refused(
            "Your roles do not open what capacity costs. Ask a platform administrator for the role FinOps, operator or"
            " auditor on a workspace."
        )


def scope_of(request: PageRequest) -> Scope:
    """What the address asks for, out of what this person may see. NotFound or Refused for another workspace."""
    me = request.principal
    admit(me)
    visible = visible_workspaces(me, Action.CAPACITY_VIEW)
    seen = tuple(one for one in access.workspaces(me) if one.id in visible)
    return Scope(tuple(reach(me, request.GET)), seen, request.GET.get("ws", "").strip()[:63])


def today() -> date:
    """The UTC day, by which the ledger counts."""
    return display.current().moment().astimezone(UTC).date()


def stretch(text: str) -> tuple[int, date, date]:
    """How many days a page looks back, and from which day until before which: today is among them."""
    days = int(text) if text in {str(one) for one in STRETCHES} else USUAL
    until = today() + timedelta(days=1)
    return days, until - timedelta(days=days), until


def pages_of(name: str, given: Mapping[str, str], after: str, following: str) -> dict[str, str]:
    """The first and the next page of a list; "" where there is none to go to."""
    here = reverse(f"web:{name}")
    return {
        "first": f"{here}?{urlencode(given)}" if after else "",
        "next": f"{here}?{urlencode({**given, 'after': following})}" if following else "",
    }


def tabs(current: str, given: Mapping[str, str]) -> list[dict[str, Any]]:
    """The pages about capacity."""
    query = f"?{urlencode(given)}" if given else ""
    return [
        {
            "label": label,
            "href": reverse(f"web:{name}") + query,
            "current": name == current,
            "count": None,
        }
        for label, name in PAGES
    ]
