"""Capacity on one page: what idle time costs, why it was idle, whose it is, and what could be saved.

What is done about it is in `finding_acts`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase, QueryDict
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.capacity.proposals import Kind
from endpoints.capacity.selectors import Ledger, fleet_ledger
from endpoints.capacity.selectors.findings import FindingPage, Query, counts, findings, looked
from endpoints.capacity.selectors.heatmap import heatmap
from endpoints.capacity.selectors.money import alerts, month_of
from endpoints.capacity.selectors.standing import realised, standing, sums
from endpoints.capacity.selectors.trend import Trend, trend
from endpoints.core.errors import Invalid
from endpoints.prices.selectors.basis import price_basis
from endpoints.web import capacity_strip as strip
from endpoints.web import capacity_terms as terms
from endpoints.web import display
from endpoints.web.capacity_heat import LEGEND, heat
from endpoints.web.capacity_owners import owners
from endpoints.web.capacity_scope import STRETCHES, Scope, scope_of, stretch, tabs, today
from endpoints.web.capacity_state import looks_of
from endpoints.web.capacity_table import table
from endpoints.web.capacity_trend import pareto, trend_view
from endpoints.web.pages import SIGNED_IN, PageRequest, page, render

PAGE = 50
ALERTS = 5
"""So many are told above the findings; the rest is on a page of their own."""
LABELS = {"kind": "To do", "state": "State", "owner": "Owner", "team": "Team", "ws": "Workspace", "q": "Name"}


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as given in the address."""

    kind: str = ""
    state: str = terms.TO_DO
    owner: str = ""
    team: str = ""
    ws: str = ""
    q: str = ""
    days: str = ""
    cursor: str = ""

    def given(self, **changes: str) -> dict[str, str]:
        """What stands in the address, some of it changed; the place in the list is dropped."""
        names = ("kind", "state", "owner", "team", "ws", "q", "days")
        found = {name: getattr(self, name) for name in names} | changes
        return {
            name: value
            for name, value in found.items()
            if value and (name, value) not in (("state", terms.TO_DO), ("days", "30"))
        }

    def query(self, **changes: str) -> str:
        return urlencode(self.given(**changes))

    @property
    def filtered(self) -> bool:
        return bool(set(self.given()) - {"days"})

    def wanted(self, scope: Scope) -> Query:
        """As the room asks for them."""
        return Query(
            workspace_ids=scope.ids,
            states=terms.GROUPS[self.state][1],
            kinds=(self.kind,) if self.kind else (),
            owner=self.owner,
            team=self.team,
            text=self.q,
        )


@page(SIGNED_IN)
def capacity(request: PageRequest) -> HttpResponseBase:
    """The one page: headline, findings, and below them where and when."""
    return shown(request)


def shown(
    request: PageRequest, *, errors: dict[str, list[str]] | None = None, status: int = 200
) -> HttpResponseBase:
    """The page; with what was wrong about a form that several findings were sent by."""
    scope, asked = scope_of(request), asked_of(request.GET)
    found = _found(asked, scope)
    days, since, until = stretch(asked.days)
    ledgers = fleet_ledger(scope.ids, since=since, until=until)
    looks = looks_of(scope.shown, looked(scope.ids))
    context = {
        "asked": asked,
        "scope": scope,
        "tab_items": tabs("capacity", scope.query),
        "looks": looks,
        "errors": errors or {},
        "first_use": not ledgers and not found.count and looks.never,
        "here": f"{reverse('web:capacity')}?{asked.query()}".rstrip("?"),
        "key": secrets.token_urlsafe(12),
        **_headline(scope),
        **_list(request, scope, asked, found),
        **_below(scope, ledgers, trend(scope.ids, since, until), found, (days, since, until)),
    }
    return render(request, "capacity/page.html", context, section="capacity", status=status)


def asked_of(query: QueryDict) -> Asked:
    """What can be understood of an address; the rest is as usual."""
    kind, state, days = (query.get(name, "").strip() for name in ("kind", "state", "days"))
    return Asked(
        kind=kind if kind in {*Kind} else "",
        state=state if state in terms.GROUPS else terms.TO_DO,
        owner=query.get("owner", "").strip()[:200],
        team=query.get("team", "").strip()[:200],
        ws=query.get("ws", "").strip()[:63],
        q=query.get("q", "").strip()[:200],
        days=days if days in {str(one) for one in STRETCHES} else "",
        cursor=query.get("after", "")[:100],
    )


def _found(asked: Asked, scope: Scope) -> FindingPage:
    """A page that is not there any more is the first one: lists move while people read them."""
    try:
        return findings(asked.wanted(scope), cursor=asked.cursor, limit=PAGE)
    except Invalid:
        return findings(asked.wanted(scope), limit=PAGE)


def _headline(scope: Scope) -> dict[str, Any]:
    day, home = today(), reverse("web:capacity")
    begin = day.replace(day=1)
    ledgers = fleet_ledger(scope.ids, since=begin, until=day + timedelta(days=1))
    stands = standing(scope.ids)
    could = sums(stands, terms.GROUPS[terms.TO_DO][1])
    saves = strip.Saves(could, sums(stands, terms.GROUPS["filed"][1]), realised(scope.ids))
    links = strip.Links(
        days=f"{reverse('web:capacity_days')}?{urlencode(scope.query | {'since': f'{begin}'})}",
        findings=f"{home}?{urlencode(scope.query)}#findings",
        filed=f"{home}?{urlencode(scope.query | {'state': 'filed'})}#findings",
        savings=f"{reverse('web:capacity_savings')}?{urlencode(scope.query | {'state': 'verified'})}",
    )
    return {
        "strips": strip.strips(
            begin, ledgers, {one.currency: one for one in month_of(scope.ids, day)}, saves, links
        ),
        "alerts": alerts(scope.ids, limit=ALERTS),
        "alerts_href": f"{reverse('web:capacity_plans')}?{urlencode(scope.query)}#alerts",
        "price_words": strip.price_words(price_basis([one.subscription_id for one in scope.shown])),
        "unpriced_words": strip.unpriced_words(ledgers, could),
    }


def _list(request: PageRequest, scope: Scope, asked: Asked, found: FindingPage) -> dict[str, Any]:
    home, open_ones = reverse("web:capacity"), counts(scope.ids)
    people = access.users_by_ids({row.claimed_by for row in found.rows if row.claimed_by is not None})
    filters = {
        "what": "findings",
        "state": ",".join(terms.GROUPS[asked.state][1]),
        **{name: value for name, value in asked.given().items() if name in ("kind", "owner", "team", "ws", "q")},
    }  # fmt: skip
    files = urlencode({name: value for name, value in filters.items() if value})
    return {
        "table": table(request.principal, found, people),
        "kinds": [(kind.value, label, open_ones.get(kind, 0)) for kind, label in terms.KINDS.items()],
        "states": [(name, label) for name, (label, _) in terms.GROUPS.items()],
        "waiting": open_ones.get("waiting", 0),
        "chips": _chips(asked, home),
        "pages": {
            "first": f"{home}?{asked.query()}#findings" if asked.cursor else "",
            "next": f"{home}?{asked.query()}&{urlencode({'after': found.next_cursor})}#findings"
            if found.next_cursor
            else "",
        },
        "exports": {
            "csv": f"{reverse('web:capacity_csv')}?{files}",
            "json": f"{reverse('web:capacity_json')}?{files}",
            "focus": f"{reverse('web:capacity_focus')}" + (f"?{urlencode({'ws': asked.ws})}" if asked.ws else ""),
        },
    }  # fmt: skip


def _chips(asked: Asked, home: str) -> list[dict[str, str]]:
    """Each filter in force, and the address without it."""
    said = {"kind": terms.kind_words(asked.kind), "state": terms.GROUPS[asked.state][0]}
    return [
        {
            "label": f"{LABELS[name]}: {said.get(name, value)}",
            "href": f"{home}?{asked.query(**{name: ''})}#findings",
        }
        for name, value in asked.given().items()
        if name in LABELS
    ]


def _below(
    scope: Scope,
    ledgers: tuple[Ledger, ...],
    trends: dict[str, Trend],
    found: FindingPage,
    when: tuple[int, date, date],
) -> dict[str, Any]:
    days, since, until = when
    zone = str(display.current().zone)
    priced = [one for one in ledgers if one.currency]
    return {
        "days": days,
        "stretches": STRETCHES,
        "since": since,
        "until": until,
        "trends": [trend_view(one, trends.get(one.currency), since, until) for one in priced],
        "pareto": pareto(found.rows, found.sums),
        "owners": [owners(one) for one in priced],
        "owner_names": sorted({owner for one in ledgers for owner, _ in one.owners} - {""}),
        "team_names": sorted({team for one in ledgers for _, team in one.owners} - {""}),
        "heat": heat(heatmap(scope.ids, since, until, zone=zone), zone),
        "legend": LEGEND,
    }
