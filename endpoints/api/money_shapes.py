"""Months, savings, unit costs, and what people said about money, as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from endpoints.api.capacity_shapes import MoneyOut, exact, money
from endpoints.api.shapes import ActorOut, Refs, Shape, actor, next_field
from endpoints.capacity.selectors.money import AgreementRow, AlertRow, Month, PlanRow, UnitCost, ValueRow
from endpoints.capacity.selectors.savings import SavingRow
from endpoints.core.money import Money

_EXACT = "A decimal number as text: amounts must not pass through binary fractions."


class MonthOut(Shape):
    """A month so far, in one currency. An empty currency: what has no known price.

    The forecast is of the whole month, null where nothing is known to go by; `words` say how it was worked out.
    """

    month = serializers.DateField(help_text="Its first day.")
    currency = serializers.CharField()
    spent = serializers.CharField(allow_null=True, help_text=_EXACT)
    unserved = serializers.CharField(allow_null=True)
    over = serializers.CharField(allow_null=True)
    unknown = serializers.CharField(allow_null=True)
    unpriced_seconds = serializers.IntegerField()
    days = serializers.IntegerField(help_text="Days of the month that are in the ledger.")
    forecast_low = serializers.CharField(allow_null=True)
    forecast = serializers.CharField(allow_null=True)
    forecast_high = serializers.CharField(allow_null=True)
    words = serializers.CharField()
    plan = serializers.CharField(allow_null=True)


class HeadlineOut(Shape):
    """What could be saved, was asked for, and was verified, a month, each instance once."""

    currency = serializers.CharField()
    spent = serializers.CharField(allow_null=True, help_text="This month so far.")
    could_save_low = serializers.CharField()
    could_save = serializers.CharField()
    findings = serializers.IntegerField()
    filed = serializers.CharField()
    realised = serializers.CharField()
    unpriced_findings = serializers.IntegerField(help_text="Findings without a known price, of any currency.")


class MonthsOut(Shape):
    """By currency."""

    items = MonthOut(many=True)
    headline = HeadlineOut(many=True)


class SavingItemOut(Shape):
    """What one act saved. `claimed` and `monthly` are a month's, `saved` is of what was compared. Null: not known."""

    finding = serializers.IntegerField()
    workspace = serializers.CharField()
    endpoint = serializers.CharField()
    deployment = serializers.CharField(help_text="Empty: the whole endpoint.")
    kind = serializers.CharField()
    state = serializers.CharField()
    acted_at = serializers.DateTimeField()
    claimed = MoneyOut(allow_null=True)
    monthly = MoneyOut(allow_null=True)
    saved = MoneyOut(allow_null=True)
    hours = serializers.IntegerField(help_text="Stretches, of an hour at most, that were compared.")
    unknown_hours = serializers.IntegerField(help_text="Stretches of which one side is not known.")
    before_seconds = serializers.IntegerField(help_text="Instance-seconds in the same hours before.")
    after_seconds = serializers.IntegerField()
    words = serializers.CharField()
    change = serializers.IntegerField(allow_null=True)
    judged_at = serializers.DateTimeField(allow_null=True)


class SavingListOut(Shape):
    """Newest act first. `sums`: what is verified in all, a month."""

    items = SavingItemOut(many=True)
    next = next_field()
    count = serializers.IntegerField()
    sums = MoneyOut(many=True)


class UnitCostOut(Shape):
    """One endpoint's. `cost`: all that was paid, null where a price is missing. The rest is of 1,000 predictions."""

    workspace = serializers.CharField()
    endpoint = serializers.CharField()
    currency = serializers.CharField()
    cost = serializers.CharField(allow_null=True)
    requests = serializers.FloatField(allow_null=True)
    per_thousand = serializers.CharField(allow_null=True)
    value_per_thousand = serializers.CharField(allow_null=True)
    margin = serializers.CharField(allow_null=True)
    words = serializers.CharField(help_text="Why a number is missing, or what is not in it.")


class UnitCostListOut(Shape):
    """The dearest first."""

    since = serializers.DateField()
    until = serializers.DateField()
    items = UnitCostOut(many=True)
    next = next_field()


class SaidOut(Shape):
    """Who said it, when, and why."""

    workspace = serializers.CharField()
    reason = serializers.CharField()
    made_by = ActorOut()
    made_at = serializers.DateTimeField()


class PlanOut(SaidOut):
    """What may be spent a month. An empty team: in all."""

    team = serializers.CharField()
    amount = serializers.CharField(help_text=_EXACT)
    currency = serializers.CharField()


class ValueOut(SaidOut):
    """What one prediction is worth."""

    endpoint = serializers.CharField()
    amount = serializers.CharField(help_text=_EXACT)
    currency = serializers.CharField()


class AgreementOut(SaidOut):
    """A share off list prices, of a size in a region; empty: of all."""

    id = serializers.IntegerField()
    sku = serializers.CharField()
    region = serializers.CharField()
    share = serializers.CharField(help_text="0.15 is 15 percent off.")
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class AlertOut(Shape):
    """What a person should look at. `ended_at` null: it still stands."""

    id = serializers.IntegerField()
    workspace = serializers.CharField()
    kind = serializers.CharField()
    words = serializers.CharField()
    facts = serializers.DictField()
    since = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class PlanListOut(Shape):
    """The newest of each workspace, team and currency."""

    items = PlanOut(many=True)
    next = next_field()


class ValueListOut(Shape):
    """The newest of each endpoint."""

    items = ValueOut(many=True)
    next = next_field()


class AgreementListOut(Shape):
    """Newest first, those that are over too."""

    items = AgreementOut(many=True)
    next = next_field()


class AlertListOut(Shape):
    """Newest first."""

    items = AlertOut(many=True)
    next = next_field()
    count = serializers.IntegerField()


def month(row: Month) -> dict[str, Any]:
    """One currency's."""
    texts = ("spent", "unserved", "over", "unknown", "forecast_low", "forecast", "forecast_high", "plan")
    return {
        **{name: getattr(row, name) for name in ("month", "currency", "unpriced_seconds", "days", "words")},
        **{name: exact(getattr(row, name)) for name in texts},
    }


def saving(row: SavingRow) -> dict[str, Any]:
    """One act."""
    same = (
        "workspace", "endpoint", "deployment", "kind", "state", "acted_at", "hours", "unknown_hours",
        "before_seconds", "after_seconds", "words", "judged_at",
    )  # fmt: skip
    told = {
        **{name: getattr(row, name) for name in same},
        **{name: money(getattr(row, name)) for name in ("claimed", "monthly", "saved")},
        "finding": row.finding_id,
        "change": row.change_id,
    }
    return dict(SavingItemOut(told).data)


def sums(found: Mapping[str, Decimal]) -> list[dict[str, str] | None]:
    """Amounts by currency."""
    return [money(Money(amount, currency)) for currency, amount in sorted(found.items())]


def unit_cost(row: UnitCost) -> dict[str, Any]:
    """One endpoint's."""
    texts = ("cost", "per_thousand", "value_per_thousand", "margin")
    return {
        **{name: getattr(row, name) for name in ("workspace", "endpoint", "currency", "requests", "words")},
        **{name: exact(getattr(row, name)) for name in texts},
    }


def plan(row: PlanRow, names: Refs) -> dict[str, Any]:
    """What may be spent."""
    return dict(PlanOut(_said(row, names) | {"team": row.team, **_amount(row)}).data)


def value(row: ValueRow, names: Refs) -> dict[str, Any]:
    """What a prediction is worth."""
    return dict(ValueOut(_said(row, names) | {"endpoint": row.endpoint, **_amount(row)}).data)


def agreement(row: AgreementRow, names: Refs) -> dict[str, Any]:
    """A share off list prices."""
    same = ("id", "sku", "region", "since", "until", "ended_at")
    told = {name: getattr(row, name) for name in same} | {"share": f"{row.share.normalize():f}"}
    return dict(AgreementOut(_said(row, names) | told).data)


def alert(row: AlertRow) -> dict[str, Any]:
    """What a person should look at."""
    same = ("id", "workspace", "kind", "words", "since", "ended_at")
    told = {name: getattr(row, name) for name in same} | {"facts": row.data}
    return dict(AlertOut(told).data)


def _said(row: PlanRow | ValueRow | AgreementRow, names: Refs) -> dict[str, Any]:
    return {
        "workspace": row.workspace,
        "reason": row.reason,
        "made_by": actor(row.made_by, names),
        "made_at": row.made_at,
    }


def _amount(row: PlanRow | ValueRow) -> dict[str, Any]:
    return {"amount": exact(row.amount), "currency": row.currency}
