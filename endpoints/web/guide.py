"""The help page: keys, signs, truths, and who may do what, from the same tables that decide."""

from __future__ import annotations

from django.http import HttpResponseBase

from endpoints.access.matrix import TABLE, Reach
from endpoints.access.roles import TITLES
from endpoints.web.pages import SIGNED_IN, PageRequest, page, render

SHORTCUTS = [
    (("Ctrl", "K"), "go to the search"),
    (("/",), "go to the search"),
    (("g", "f"), "go to the fleet; g c changes, g h audit history"),
    (("j",), "next row; k previous row; Enter opens it"),
    (("r",), "open the rollback dialog; Enter in it rolls back"),
    (("a",), "go to the approve or start button"),
    (("e",), "show or hide unchanged fields"),
    (("Esc",), "close a dialog without doing anything"),
    (("?",), "this page"),
]
SIGNS = [
    ("quiet", "Quiet", "As it should be"),
    ("done", "Done", "It happened just now"),
    ("running", "Applying", "Work is going on"),
    ("waiting", "Waiting", "Somebody or something has to act"),
    ("due", "Waiting for you", "You can act"),
    ("warn", "Drift", "Look at it soon"),
    ("bad", "Failed", "Look at it now"),
    ("unknown", "Cannot tell", "The portal does not know; never to be read as fine"),
    ("off", "Rejected", "Over, without effect"),
]


@page(SIGNED_IN)
def guide(request: PageRequest) -> HttpResponseBase:
    """The page."""
    context = {
        "shortcuts": SHORTCUTS,
        "signs": SIGNS,
        "matrix": [(rule.says, _roles(rule.roles)) for rule in TABLE.values()],
    }
    return render(request, "help.html", context, section="help")


def _roles(roles: object) -> str:
    if not isinstance(roles, dict) or not roles:
        return "everybody"
    limits = {
        Reach.YES: "",
        Reach.OWN: " (own)",
        Reach.OTHERS: " (not own)",
        Reach.UNINVOLVED: " (not own or edited)",
    }
    return ", ".join(f"{TITLES[role]}{limits[reach]}" for role, reach in roles.items())
