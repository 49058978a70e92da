"""What acts on findings really saved: each beside what was claimed, with how it was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.capacity.savings import State
from endpoints.capacity.selectors.savings import SavingPage, SavingRow, savings
from endpoints.core.errors import Invalid
from endpoints.web import capacity_terms as terms
from endpoints.web.capacity_money import instance_hours, money, of
from endpoints.web.capacity_scope import Scope, pages_of, scope_of, tabs
from endpoints.web.pages import SIGNED_IN, PageRequest, page, render
from endpoints.web.states import Sign
from endpoints.web.wording import plural

LIMIT = 50
SIGNS = {
    State.MEASURING: Sign("running", "Measuring", "Paid time is compared hour by hour."),
    State.VERIFIED: Sign("done", "Verified", "The ledger shows the saving."),
    State.NOTHING_SAVED: Sign("warn", "Nothing saved", "Its finding is open again."),
    State.CANNOT_SAY: Sign("unknown", "Can't be said", "Too little is known; it is judged again each hour."),
    State.REBOUNDED: Sign("warn", "Rebounded", "What was saved is paid again; its finding is open again."),
    State.UNDONE: Sign("off", "Taken back", "Its change was rolled back."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One act."""

    row: SavingRow
    href: str
    where: str
    kind: str
    sign: Sign
    claimed: str
    monthly: str
    saved: str
    compared: str
    note: str


@page(SIGNED_IN)
def savings_page(request: PageRequest) -> HttpResponseBase:
    """Newest act first; the sum is what is verified now."""
    scope, after = scope_of(request), request.GET.get("after", "")[:60]
    asked = request.GET.get("state", "").strip()
    state = asked if asked in {*State} else ""
    after, found = _found(scope, state, after)
    given = scope.query | ({"state": state} if state else {})
    context: dict[str, Any] = {
        "tab_items": tabs("capacity_savings", scope.query),
        "scope": scope,
        "state": state,
        "states": [(one.value, sign.text) for one, sign in SIGNS.items()],
        "count": found.count,
        "lines": [_line(row) for row in found.rows],
        "sums": [money(amount, currency) for currency, amount in sorted(found.sums.items())],
        "files": f"{reverse('web:capacity_csv')}?{urlencode(scope.query | {'what': 'savings'})}",
        "pages": pages_of("capacity_savings", given, after, found.next_cursor),
    }
    return render(request, "capacity/savings.html", context, section="capacity")


def _found(scope: Scope, state: str, after: str) -> tuple[str, SavingPage]:
    states = (state,) if state else ()
    try:
        return after, savings(scope.ids, states=states, cursor=after, limit=LIMIT)
    except Invalid:
        return "", savings(scope.ids, states=states, limit=LIMIT)


def _line(row: SavingRow) -> Line:
    return Line(
        row=row,
        href=reverse("web:finding", kwargs={"number": row.finding_id}),
        where=f"{row.endpoint}/{row.deployment}" if row.deployment else row.endpoint,
        kind=terms.kind_words(row.kind),
        sign=sign_of(row.state),
        claimed=of(row.claimed),
        monthly=of(row.monthly),
        saved=of(row.saved),
        compared=f"{instance_hours(row.after_seconds)} instead of {instance_hours(row.before_seconds)}",
        note=f"{plural(row.unknown_hours, 'stretch', 'stretches')} not known" if row.unknown_hours else "",
    )


def sign_of(state: str) -> Sign:
    """A saving's state as a sign; one that nobody here knows is told as it is."""
    return SIGNS[State(state)] if state in {*State} else Sign("unknown", state)
