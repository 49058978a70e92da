"""Plans, agreements, what predictions are worth, and alerts: what people said about money, and where they say it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from endpoints.access.policies import Action, require, visible_workspaces
from endpoints.access.rows import WorkspaceRow
from endpoints.capacity import services
from endpoints.capacity.selectors import money as room
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.core.money import plain
from endpoints.inventory.selectors import endpoint_id_by_name
from endpoints.web.capacity_money import money
from endpoints.web.capacity_scope import Scope, admit, scope_of, tabs
from endpoints.web.capacity_terms import ALERTS
from endpoints.web.names import of_refs
from endpoints.web.pages import SIGNED_IN, PageRequest, on_object, page, render
from endpoints.web.settings_of import number_typed
from endpoints.web.typed import Typed
from endpoints.web.wording import percent

LIMIT = 50
Said = TypeVar("Said", bound=room.PlanRow | room.ValueRow | room.AgreementRow)
_NUMBER = re.compile(r"-?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{3})+")
_KEPT = ("ws", "team", "amount", "currency", "endpoint", "sku", "region", "share", "since", "until", "reason")


@page(SIGNED_IN)
def plans_page(request: PageRequest) -> HttpResponseBase:
    """What stands now; the forms are for who may set it."""
    return shown(request)


@page(SIGNED_IN, "POST")
def plan(request: PageRequest) -> HttpResponseBase:
    """Set what may be spent a month, or take it back."""

    def order(place: WorkspaceRow) -> str:
        services.set_plan(
            principal=request.principal,
            workspace_id=place.id,
            team=request.POST.get("team", "").strip()[:201],
            amount=_monthly(request.POST.get("amount", "")),
            currency=request.POST.get("currency", "")[:8],
            reason=request.POST.get("reason", "")[:2001],
        )
        return f"The plan of {place.slug} is stored."

    return _answer(request, "plan", order)


@page(SIGNED_IN, "POST")
def value(request: PageRequest) -> HttpResponseBase:
    """Say what a prediction of an endpoint is worth, or that it is not said any more."""

    def order(place: WorkspaceRow) -> str:
        name = request.POST.get("endpoint", "").strip()[:255]
        try:
            endpoint_id = endpoint_id_by_name(place.id, name)
        except NotFound as error:
            raise Invalid({"endpoint": [f"There is no endpoint of that name in {place.slug}."]}) from error
        services.set_value(
            principal=request.principal,
            endpoint_id=endpoint_id,
            amount=_amount(request.POST.get("amount", "")),
            currency=request.POST.get("currency", "")[:8],
            reason=request.POST.get("reason", "")[:2001],
        )
        return f"What a prediction of {name} is worth is stored."

    return _answer(request, "value", order)


@page(SIGNED_IN, "POST")
def agreement(request: PageRequest) -> HttpResponseBase:
    """Tell of a share off list prices. Percent are typed, as contracts name them."""

    def order(place: WorkspaceRow) -> str:
        share, since = _amount(request.POST.get("share", "")), _day(request, "since")
        if share is None or since is None:
            raise Invalid(
                {
                    name: [text]
                    for name, text, given in (
                        ("share", "Give the percent off the list price, such as 15.", share),
                        ("since", "Give the day since when it holds.", since),
                    )
                    if given is None
                }
            )
        services.agree(
            principal=request.principal,
            workspace_id=place.id,
            sku=request.POST.get("sku", "")[:101],
            region=request.POST.get("region", "")[:101],
            share=share / 100,
            since=since,
            until=_day(request, "until"),
            reason=request.POST.get("reason", "")[:2001],
        )
        return f"The agreement of {place.slug} is stored. Days that it touches are made anew."

    return _answer(request, "agreement", order)


@page(on_object(Action.CAPACITY_RULES), "POST")
def agreement_end(request: PageRequest, *, number: int) -> HttpResponseBase:
    """It counts for no time after now."""
    seen = visible_workspaces(request.principal, Action.CAPACITY_VIEW)
    row = next((one for one in room.agreements(seen) if one.id == number), None)
    if row is None:
        raise NotFound("There is no such agreement, or not for you.")
    require(
        request.principal, Action.CAPACITY_RULES, workspace_id=row.workspace_id, workspace=row.workspace
    )  # fmt: skip
    try:
        services.end_agreement(
            principal=request.principal, agreement_id=number, reason=request.POST.get("reason", "")[:2001]
        )
    except (Conflict, Invalid) as error:
        return shown(request, typed=_typed(request, f"end{number}", error), status=_status(error))
    messages.success(request, "The agreement is over from now on.")
    return HttpResponseRedirect(f"{reverse('web:capacity_plans')}#agreements")


def shown(request: PageRequest, *, typed: Typed | None = None, status: int = 200) -> HttpResponseBase:
    """The page; with what was typed and why it was not stored."""
    scope = scope_of(request)
    told = typed or Typed()
    context: dict[str, Any] = {
        "tab_items": tabs("capacity_plans", scope.query),
        "scope": scope,
        "typed": told,
        "errors": told.wrong,
        "mine": _mine(request, scope),
        **_lists(request, scope),
    }
    return render(request, "capacity/plans.html", context, section="capacity", status=status)


def _lists(request: PageRequest, scope: Scope) -> dict[str, Any]:
    plans = _part(request, scope, "plans", room.plans(scope.ids))
    values = _part(request, scope, "values", room.values(scope.ids))
    agreements = _part(request, scope, "agreements", room.agreements(scope.ids))
    after = request.GET.get("after", "")[:20]
    try:
        standing = room.alerts(scope.ids, cursor=after, limit=LIMIT)
    except Invalid:
        after, standing = "", room.alerts(scope.ids, limit=LIMIT)
    return {
        "plans": [(row, money(row.amount, row.currency)) for row in plans.rows],
        "values": [(row, f"{plain(row.amount)} {row.currency}") for row in values.rows],
        "agreements": [(row, percent(float(row.share * 100))) for row in agreements.rows],
        "following": {"plans": plans.next, "values": values.next, "agreements": agreements.next},
        "alerts": standing,
        "alert_words": ALERTS,
        "alerts_next": _href(scope, "alerts", {"after": standing.next_cursor})
        if standing.next_cursor
        else "",
        "ended": room.alerts(scope.ids, ended=True, limit=10),
        "names": of_refs({*_by(plans), *_by(values), *_by(agreements)}),
    }


@dataclass(frozen=True, slots=True)
class Part(Generic[Said]):
    """A page of a list; `next` is the address of the following one, "" on the last."""

    rows: tuple[Said, ...]
    next: str


def _by(part: Part[Said]) -> set[str]:
    return {row.made_by for row in part.rows}


def _part(request: PageRequest, scope: Scope, name: str, rows: Sequence[Said]) -> Part[Said]:
    """Lists of what people said are short enough to be read whole; a page shows so many at a time."""
    begin = number_typed(request.GET.get(name, "")[:9])
    begin = begin if 0 < begin < len(rows) else 0
    end = begin + LIMIT
    return Part(tuple(rows[begin:end]), _href(scope, name, {name: f"{end}"}) if end < len(rows) else "")


def _href(scope: Scope, name: str, more: Mapping[str, str]) -> str:
    return f"{reverse('web:capacity_plans')}?{urlencode({**scope.query, **more})}#{name}"


def _mine(request: PageRequest, scope: Scope) -> list[WorkspaceRow]:
    """The workspaces in which this person may say what counts."""
    may = visible_workspaces(request.principal, Action.CAPACITY_RULES)
    return [one for one in scope.seen if one.id in may]


def _answer(request: PageRequest, form: str, order: Callable[[WorkspaceRow], str]) -> HttpResponseBase:
    admit(request.principal)
    scope = scope_of(request)
    slug = request.POST.get("ws", "").strip()[:63]
    place = next((one for one in scope.seen if one.slug == slug), None)
    if place is None:
        raise NotFound("There is no such workspace, or you have no role on it.")
    require(request.principal, Action.CAPACITY_RULES, workspace_id=place.id, workspace=place.slug)
    try:
        said = order(place)
    except (Conflict, Invalid) as error:
        return shown(request, typed=_typed(request, form, error), status=_status(error))
    messages.success(request, said)
    return HttpResponseRedirect(f"{reverse('web:capacity_plans')}#{form}s")


def _typed(request: PageRequest, form: str, error: Conflict | Invalid) -> Typed:
    errors: Mapping[str, list[str]] = error.fields if isinstance(error, Invalid) else {"": [error.message]}
    return Typed(form, dict(errors), {name: request.POST.get(name, "")[:2001] for name in _KEPT})


def _status(error: Conflict | Invalid) -> int:
    return 422 if isinstance(error, Invalid) else 409


def _amount(text: str) -> Decimal | None:
    """As typed, with a comma or a point; empty is None. What is no plain number is NaN: the service says what is."""
    found = "".join(text.split()).replace(",", ".")
    if not found:
        return None
    return Decimal(found) if _NUMBER.fullmatch(found) else Decimal("NaN")


def _monthly(text: str) -> Decimal | None:
    """The same of a sum of money. Invalid for `1.000`, which is a thousand to one reader and one to another."""
    if _THOUSANDS.fullmatch(text.strip()):
        raise Invalid({"amount": ["Write it without a mark for thousands, such as 12000 or 12000.50."]})
    return _amount(text)


def _day(request: PageRequest, name: str) -> datetime | None:
    """The beginning of a UTC day, by which the ledger counts."""
    text = request.POST.get(name, "").strip()
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC)
    except ValueError:
        raise Invalid({name: ["Give a day, such as 2026-12-24."]}) from None
