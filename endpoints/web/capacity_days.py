"""Rows of the ledger: what every number of capacity is made of, and the formula of each row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase, QueryDict
from django.urls import reverse

from endpoints.access.policies import Action, visible_workspaces
from endpoints.capacity.causes import WORDS
from endpoints.capacity.day import PARTS
from endpoints.capacity.selectors.daily import DaySum, Wanted, page_of, sums_of
from endpoints.capacity.selectors.day_rows import DayRow, Line, price_lines
from endpoints.core.errors import Invalid, NotFound
from endpoints.core.money import plain
from endpoints.web import capacity_terms as terms
from endpoints.web.capacity_export import NOBODY, wanted_days
from endpoints.web.capacity_money import adding_up, cents, instance_hours, money
from endpoints.web.capacity_scope import scope_of, tabs
from endpoints.web.names import of_refs
from endpoints.web.numbers import MISSING
from endpoints.web.pages import SIGNED_IN, PageRequest, on_object, page, render
from endpoints.web.prices_view import SOURCES
from endpoints.web.settings_of import number_typed
from endpoints.web.wording import UNKNOWN, clock, percent

LIMIT = 100
FILTERS = ("ws", "endpoint", "deployment", "cause", "part", "owner", "team", "since", "until")
LABELS = {
    "useful": "Used",
    "unserved": "Unserved",
    "over": "Over",
    "unknown": "Cannot tell",
    "unpriced": "Without a price",
}


@dataclass(frozen=True, slots=True)
class DayLine:
    """One row. `parts` are cents that add up to `paid`; `href` opens its formula; `causes` with their money."""

    row: DayRow
    href: str
    paid: str
    parts: tuple[str, ...]
    hours: str
    causes: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class SumLine:
    """What all rows come to, of one currency."""

    currency: str
    rows: int
    paid: str
    parts: tuple[str, ...]
    cause: str
    note: str


@dataclass(frozen=True, slots=True)
class FormulaLine:
    """One stretch of a day: when, how many, at what price, and what that comes to."""

    when: str
    instances: str
    price: str
    source: str
    amounts: tuple[str, ...]
    causes: tuple[str, ...]


@page(SIGNED_IN)
def days(request: PageRequest) -> HttpResponseBase:
    """Newest day first, with what all rows that match come to."""
    scope, query = scope_of(request), request.GET
    given = {name: value for name in FILTERS if (value := query.get(name, "").strip()[:200])}
    errors: dict[str, list[str]] = {}
    try:
        wanted = _wanted(request, query)
        sums = sums_of(wanted)
    except Invalid as error:
        errors = error.fields
        given = {name: value for name, value in given.items() if name == "ws"}
        wanted = wanted_days(request.principal, QueryDict(urlencode(given)))
        sums = sums_of(wanted)
    after = query.get("after", "")[:40]
    try:
        found = page_of(wanted, cursor=after, limit=LIMIT)
    except Invalid:
        after, found = "", page_of(wanted, cursor="", limit=LIMIT)
    here = reverse("web:capacity_days")
    files = urlencode(
        {"what": "days", **{name: value for name, value in given.items() if name != "deployment"}}
    )
    context: dict[str, Any] = {
        "tab_items": tabs("capacity_days", scope.query),
        "scope": scope,
        "given": given,
        "errors": errors,
        "wanted": wanted,
        "lines": [day_line(row) for row in found.rows],
        "sums": [_sum_line(one, wanted) for one in sums],
        "causes": list(WORDS.items()),
        "parts": [(name, LABELS[name]) for name in (*PARTS, "unpriced")],
        "labels": LABELS,
        "nobody": NOBODY,
        "chips": _chips(given, here, found.rows),
        "filtered": bool(set(given) - {"since", "until"}),
        "files": {form: f"{reverse(f'web:capacity_{form}')}?{files}" for form in ("csv", "json", "focus")},
        "file_is_wider": "deployment" in given,
        "pages": {
            "first": f"{here}?{urlencode(given)}" if after else "",
            "next": f"{here}?{urlencode(given | {'after': found.next_cursor})}" if found.next_cursor else "",
        },
    }  # fmt: skip
    return render(
        request, "capacity/days.html", context, section="capacity", status=422 if errors else 200
    )  # fmt: skip


@page(on_object(Action.CAPACITY_VIEW))
def day(request: PageRequest, *, number: int, day: str) -> HttpResponseBase:
    """The formula of one row: stretches of hours, instances times price, and what they add up to."""
    when = _date(day)
    if when is None or not 0 < number < 2**63:
        raise NotFound("There is no such day of a deployment in the ledger.")
    seen = visible_workspaces(request.principal, Action.CAPACITY_VIEW)
    found = price_lines(number, when, workspace_ids=seen)
    names = of_refs(ref for _, ref, _, _ in found.row.causes if ref)
    context: dict[str, Any] = {
        "row": found.row,
        "line": day_line(found.row),
        "lines": [_formula(one, found.row.currency, names) for one in found.lines],
        "parts": PARTS,
        "labels": LABELS,
        "causes": [
            (terms.cause_words(cause), names.get(ref, ref), instance_hours(seconds), money(amount, found.row.currency))
            for cause, ref, seconds, amount in found.row.causes
        ],
        "agrees": found.agrees,
        "words": found.words,
        "made_at": found.made_at,
    }  # fmt: skip
    return render(request, "capacity/day.html", context, section="capacity")


def day_line(row: DayRow) -> DayLine:
    """A row with cents that add up; what has no price says so."""
    known = {name: row.amounts[name] for name in PARTS}
    parts = (
        adding_up({name: amount for name, amount in known.items() if amount is not None})
        if None not in known.values()
        else dict.fromkeys(PARTS, UNKNOWN)
    )
    paid = row.amounts["paid"]
    return DayLine(
        row=row,
        href=reverse("web:capacity_day", kwargs={"number": row.deployment_id, "day": f"{row.day}"}),
        paid=cents(paid),
        parts=tuple(parts[name] for name in PARTS),
        hours=instance_hours(row.seconds["paid"]),
        causes=tuple(_cause(cause, ref, amount, row.currency) for cause, ref, _, amount in row.causes),
        note=_note(row.unpriced_seconds, row.hours_without_count),
    )


def _cause(cause: str, ref: str, amount: Decimal | None, currency: str) -> str:
    kind, _, rest = ref.partition(":")
    about = f" (CR-{rest})" if kind == "change" else f" (tag {rest})" if kind == "tag" else ""
    return f"{terms.cause_words(cause)}{about}: {money(amount, currency)}"


def _note(unpriced: int, without_count: int) -> str:
    said = []
    if unpriced:
        said.append(f"{instance_hours(unpriced)} without a known price")
    if without_count:
        said.append(f"{without_count} hours of which it is not known how many instances there were")
    return "; ".join(said)


def _sum_line(one: DaySum, wanted: Wanted) -> SumLine:
    known = {name: one.amounts[name] or Decimal(0) for name in PARTS}
    has_price = one.amounts["paid"] is not None
    cause = (
        f"{terms.cause_words(wanted.cause)}: {money(one.cause_amount, one.currency)},"
        f" {instance_hours(one.cause_seconds)}"
        if wanted.cause
        else ""
    )
    told = adding_up(known)
    return SumLine(
        currency=one.currency,
        rows=one.rows,
        paid=cents(one.amounts["paid"]),
        parts=tuple(told[name] if has_price else UNKNOWN for name in PARTS),
        cause=cause,
        note=_note(one.unpriced_seconds, one.hours_without_count),
    )


def _wanted(request: PageRequest, query: QueryDict) -> Wanted:
    """The filters of files, and the one deployment that a link of a page names."""
    wanted = wanted_days(request.principal, query)
    deployment = number_typed(query.get("deployment", "").strip())
    return replace(wanted, deployment_id=deployment) if deployment else wanted


def _chips(given: Mapping[str, str], here: str, rows: tuple[DayRow, ...]) -> list[dict[str, str]]:
    said = {
        "cause": terms.cause_words(given.get("cause", "")),
        "part": LABELS.get(given.get("part", ""), given.get("part", "")),
        "deployment": rows[0].deployment if rows else given.get("deployment", ""),
        "owner": "nobody is named" if given.get("owner") == NOBODY else given.get("owner", ""),
        "team": "none is named" if given.get("team") == NOBODY else given.get("team", ""),
    }
    labels = {"ws": "Workspace", "since": "From", "until": "Before"}
    return [
        {
            "label": f"{labels.get(name, name.capitalize())}: {said.get(name, value)}",
            "href": f"{here}?{urlencode({key: text for key, text in given.items() if key != name})}",
        }
        for name, value in given.items()
    ]


def _formula(one: Line, currency: str, names: Mapping[str, str]) -> FormulaLine:
    amounts = one.amounts
    return FormulaLine(
        when=f"{one.since:%H:%M} to {_end(one)} UTC",
        instances=_instances(one.instances),
        price="not known" if one.price is None else f"{plain(one.price.paid.amount)} {one.price.paid.currency}",
        source=_source(one),
        amounts=tuple(UNKNOWN if amounts is None else cents(amounts[name]) for name in ("paid", *PARTS)),
        causes=tuple(
            f"{terms.cause_words(found.cause)}"
            + (f" ({names.get(found.ref, found.ref)})" if found.ref else "")
            + f": {money(amount, currency)}"
            for found, _, amount in one.causes
        ),
    )  # fmt: skip


def _end(one: Line) -> str:
    """Midnight at the end of a day is 24:00."""
    return "24:00" if one.until.hour == 0 else f"{one.until:%H:%M}"


def _instances(count: Fraction | None) -> str:
    return "not known" if count is None else f"{float(count):g}"


def _source(one: Line) -> str:
    """Whose price, since when, and what an agreement took off."""
    if one.price is None:
        return MISSING
    read = f", read {clock(one.price.read_at, seconds=False)}" if one.price.read_at else ""
    off = (
        f"; list {plain(one.price.listed.amount)}, less {percent(float(one.price.share * 100))} by agreement"
        if one.price.share
        else ""
    )
    return f"{SOURCES.get(one.price.source, one.price.source)}{read}{off}"


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
