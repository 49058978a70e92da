"""What alerts are made of: spending by team and day, capacity that is paid for twice, sizes without a price."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Q, Sum

from endpoints.capacity.causes import Cause
from endpoints.capacity.forecast import LOOKS_BACK
from endpoints.capacity.life import State as FindingState
from endpoints.capacity.models import Day, Idle, Saving, Summary
from endpoints.capacity.savings import State
from endpoints.capacity.worth import NANO
from endpoints.inventory.models import Deployment

DAY = timedelta(days=1)
REMEMBERED = timedelta(days=7)


@dataclass(slots=True)
class Spent:
    """By whole days, and `today` so far; `unpriced` seconds are of the month."""

    days: dict[date, Decimal] = field(default_factory=dict)
    today: Decimal = Decimal(0)
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Twice:
    """A deployment that stood beside another one. `days` of the last with such a cause, and what they cost."""

    deployment_id: int
    endpoint: str
    deployment: str
    days: int
    amount: Decimal | None
    currency: str


def spent_by_team(workspace_id: int, today: date) -> Mapping[tuple[str, str], Spent]:
    """By currency and team, "" is the whole workspace; the month's days and those before that a forecast needs."""
    begin = today.replace(day=1)
    rows = Summary.objects.filter(
        workspace_id=workspace_id, day__gte=begin - LOOKS_BACK * DAY, day__lte=today
    )
    found: dict[tuple[str, str], Spent] = {}
    told = rows.values("currency", "team", "day").annotate(
        nanos=Sum("paid_nanos"), unpriced=Sum("unpriced_seconds")
    )
    for row in told.order_by("day"):
        for team in dict.fromkeys(("", row["team"])):
            one = found.setdefault((row["currency"], team), Spent())
            _add(one, row["day"], int(row["nanos"]) * NANO, int(row["unpriced"]), today)
    return found


def _add(one: Spent, day: date, amount: Decimal, unpriced: int, today: date) -> None:
    if day >= today.replace(day=1):
        one.unpriced += unpriced
    if day == today:
        one.today += amount
    else:
        one.days[day] = one.days.get(day, Decimal(0)) + amount


def standing_twice(workspace_id: int, today: date, days: int) -> tuple[Twice, ...]:
    """Deployments that still stand, with the days of the last whole ones on which they were idle as a duplicate."""
    rows = Idle.objects.filter(
        workspace_id=workspace_id,
        cause__in=(Cause.FORGOTTEN_CANARY, Cause.DUPLICATE),
        day__gte=today - days * DAY,
        day__lt=today,
    )
    told = rows.values("deployment_id").annotate(
        days=Count("day", distinct=True), nanos=Sum("nanos"), currencies=Count("currency", distinct=True)
    )
    found = {row["deployment_id"]: row for row in told.order_by()}
    currencies = dict(rows.values_list("deployment_id", "currency").order_by("day"))
    return tuple(
        Twice(
            one.pk,
            one.endpoint.name,
            one.name,
            found[one.pk]["days"],
            int(found[one.pk]["nanos"]) * NANO if found[one.pk]["currencies"] == 1 else None,
            currencies[one.pk],
        )
        for one in _standing(found)
    )


def _standing(ids: Iterable[int]) -> Iterable[Deployment]:
    rows = Deployment.objects.filter(pk__in=list(ids), deleted_at=None, endpoint__deleted_at=None)
    return rows.select_related("endpoint").order_by("pk")


def unpriced(workspace_id: int, today: date) -> Mapping[str, int]:
    """By size, the paid seconds of this month without a price."""
    rows = Day.objects.filter(
        workspace_id=workspace_id, day__gte=today.replace(day=1), unpriced_seconds__gt=0
    )
    told = rows.values("sku").annotate(seconds=Sum("unpriced_seconds")).order_by("sku")
    return {row["sku"]: int(row["seconds"]) for row in told}


def rebounds(workspace_id: int, now: datetime) -> tuple[tuple[int, str, str], ...]:
    """Finding, its subject's name, and what was measured: savings that did not last, which nobody took on again.

    Where what was deleted was made anew, the finding of the former one ends: that is told for a week.
    """
    lately = Q(finding__state=FindingState.GONE, judged_at__gte=now - REMEMBERED)
    rows = Saving.objects.filter(
        lately | Q(finding__state=FindingState.OPEN),
        finding__workspace_id=workspace_id,
        state=State.REBOUNDED,
    )
    named = rows.select_related("finding__endpoint", "finding__deployment").order_by("pk")
    return tuple(
        (row.pk, _name(row.finding.endpoint.name, row.finding.deployment), row.words) for row in named
    )


def _name(endpoint: str, deployment: Deployment | None) -> str:
    return f"{deployment.name} of {endpoint}" if deployment else endpoint
