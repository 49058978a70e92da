"""Paid capacity as the API shows it. Amounts are exact, and text; null is not known, never nothing to pay."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from endpoints.api.shapes import Shape, next_field
from endpoints.capacity.formula import Line
from endpoints.capacity.selectors import Ledger, Sums
from endpoints.capacity.selectors.day_rows import DayRow, PriceLines
from endpoints.capacity.selectors.heatmap import HeatRow
from endpoints.core.money import Money, plain

_EXACT = "A decimal number as text: amounts must not pass through binary fractions."


class MoneyOut(Shape):
    """An amount in one currency."""

    amount = serializers.CharField(help_text=_EXACT)
    currency = serializers.CharField()


class SecondsOut(Shape):
    """Instance-seconds: `paid` is the sum of the others. `unserved` and `over` are never one number."""

    paid = serializers.IntegerField()
    useful = serializers.IntegerField()
    unserved = serializers.IntegerField()
    over = serializers.IntegerField()
    unknown = serializers.IntegerField()


class AmountsOut(Shape):
    """What these seconds cost, where the price is known."""

    paid = serializers.CharField(allow_null=True, help_text=_EXACT)
    useful = serializers.CharField(allow_null=True)
    unserved = serializers.CharField(allow_null=True)
    over = serializers.CharField(allow_null=True)
    unknown = serializers.CharField(allow_null=True)


class SumsOut(Shape):
    """`unpriced_seconds` have no known price; of `hours_without_count` nothing is known, not even seconds."""

    seconds = SecondsOut()
    amounts = AmountsOut()
    unpriced_seconds = serializers.IntegerField()
    hours_without_count = serializers.IntegerField()


class CauseSumOut(Shape):
    """Of the unserved seconds, those with one cause."""

    cause = serializers.CharField()
    seconds = serializers.IntegerField()
    amount = serializers.CharField(allow_null=True)


class OwnerSumOut(SumsOut):
    """Of an endpoints' owner and team of today; empty: none is named."""

    owner = serializers.CharField()
    team = serializers.CharField()


class DaySumOut(SumsOut):
    """Of one UTC day."""

    day = serializers.DateField()


class LedgerOut(Shape):
    """One currency's. An empty currency: what has no known price."""

    currency = serializers.CharField()
    total = SumsOut()
    causes = CauseSumOut(many=True)
    owners = OwnerSumOut(many=True)
    days = DaySumOut(many=True)


class LedgersOut(Shape):
    """Each currency has a ledger of its own: two have no sum."""

    since = serializers.DateField()
    until = serializers.DateField()
    ledgers = LedgerOut(many=True)


class CauseOut(Shape):
    """`ref`: what it stands on, as `change:7`, or empty."""

    cause = serializers.CharField()
    ref = serializers.CharField()
    seconds = serializers.IntegerField()
    amount = serializers.CharField(allow_null=True)


class DayOut(SumsOut):
    """One deployment's UTC day. An empty currency: no price is known. Owner and team are the endpoint's of today."""

    day = serializers.DateField()
    workspace = serializers.CharField()
    endpoint = serializers.CharField()
    deployment = serializers.CharField()
    deployment_id = serializers.IntegerField(help_text="The `number` in the address of its formula.")
    owner = serializers.CharField()
    team = serializers.CharField()
    region = serializers.CharField()
    sku = serializers.CharField()
    currency = serializers.CharField()
    causes = CauseOut(many=True)


class DayListOut(Shape):
    """A page of days, newest first."""

    items = DayOut(many=True)
    next = next_field()


class LinePriceOut(Shape):
    """What an instance and hour cost: `paid` is `listed` less the `share` of `agreement`."""

    paid = MoneyOut()
    listed = MoneyOut()
    source = serializers.CharField()  # type: ignore[assignment]  # the field of this name
    read_at = serializers.DateTimeField(allow_null=True)
    share = serializers.CharField()
    agreement = serializers.CharField(help_text="As `agreement:7`; empty: none covers it.")


class LineOut(Shape):
    """Hours of equal instances and price. `instances` null: not known, and so is everything else of them."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    alive_seconds = serializers.IntegerField()
    sku = serializers.CharField()
    instances = serializers.FloatField(allow_null=True)
    price = LinePriceOut(allow_null=True)
    seconds = SecondsOut(allow_null=True)
    amounts = AmountsOut(allow_null=True)
    causes = CauseOut(many=True)


class FormulaOut(Shape):
    """How a day's row comes about. `agrees`: the lines' sum is the row to the billionth; else `words` say why not."""

    day = DayOut()
    lines = LineOut(many=True)
    agrees = serializers.BooleanField()
    made_at = serializers.DateTimeField(allow_null=True)
    words = serializers.CharField()


class CellOut(Shape):
    """One hour of the week. `served`: the share of paid time in which requests came; null: not enough is known."""

    served = serializers.FloatField(allow_null=True)
    hours = serializers.IntegerField(help_text="Of how many such hours enough is known.")


class HeatOut(Shape):
    """One deployment. `cells`: 168 hours, from Monday 0:00. `unserved`: what it cost while nobody asked."""

    workspace = serializers.CharField()
    endpoint = serializers.CharField()
    deployment = serializers.CharField()
    unserved = MoneyOut(allow_null=True)
    unserved_seconds = serializers.IntegerField()
    paid_seconds = serializers.IntegerField()
    cells = CellOut(many=True)


class HeatmapOut(Shape):
    """Those that cost most while nobody asked, first."""

    since = serializers.DateField()
    until = serializers.DateField()
    zone = serializers.CharField()
    items = HeatOut(many=True)


def money(found: Money | None) -> dict[str, str] | None:
    """An amount with its currency; None is not known."""
    return None if found is None else {"amount": plain(found.amount), "currency": found.currency}


def exact(amount: Decimal | None) -> str | None:
    """An amount as text."""
    return None if amount is None else plain(amount)


def ledger(found: Ledger) -> dict[str, Any]:
    """One currency's sums."""
    priced = found.currency != ""
    return {
        "currency": found.currency,
        "total": _sums(found.total, priced=priced),
        "causes": [
            {"cause": cause, "seconds": seconds, "amount": exact(amount) if priced else None}
            for cause, (seconds, amount) in sorted(found.causes.items(), key=lambda one: (-one[1][0], one[0]))
        ],
        "owners": [
            {"owner": owner, "team": team, **_sums(sums, priced=priced)}
            for (owner, team), sums in sorted(
                found.owners.items(), key=lambda one: (-one[1].amounts["paid"], one[0])
            )
        ],
        "days": [{"day": day, **_sums(sums, priced=priced)} for day, sums in found.days.items()],
    }


def day(row: DayRow) -> dict[str, Any]:
    """One row of the ledger."""
    names = (
        "day",
        "workspace",
        "endpoint",
        "deployment",
        "deployment_id",
        "owner",
        "team",
        "region",
        "sku",
        "currency",
    )
    return {
        **{name: getattr(row, name) for name in names},
        "seconds": dict(row.seconds),
        "amounts": amounts(row.amounts),
        "unpriced_seconds": row.unpriced_seconds,
        "hours_without_count": row.hours_without_count,
        "causes": [
            {"cause": cause, "ref": ref, "seconds": seconds, "amount": exact(amount)}
            for cause, ref, seconds, amount in row.causes
        ],
    }  # fmt: skip


def heat(row: HeatRow) -> dict[str, Any]:
    """One deployment's hours of the week."""
    fields = ("workspace", "endpoint", "deployment", "unserved_seconds", "paid_seconds")
    return {name: getattr(row, name) for name in fields} | {
        "unserved": None
        if row.unserved is None
        else {"amount": exact(row.unserved), "currency": row.currency},
        "cells": [{"served": cell.served, "hours": cell.hours} for cell in row.cells],
    }


def formula(found: PriceLines) -> dict[str, Any]:
    """A row worked out."""
    told = {
        "day": day(found.row),
        "lines": [_line(line) for line in found.lines],
        "agrees": found.agrees,
        "made_at": found.made_at,
        "words": found.words,
    }
    return dict(FormulaOut(told).data)


def amounts(found: Mapping[str, Decimal | None]) -> dict[str, str | None]:
    """Amounts as text, by part."""
    return {name: exact(amount) for name, amount in found.items()}


def _sums(found: Sums, *, priced: bool) -> dict[str, Any]:
    return {
        "seconds": dict(found.seconds),
        "amounts": amounts(found.amounts) if priced else dict.fromkeys(found.amounts),
        "unpriced_seconds": found.unpriced_seconds,
        "hours_without_count": found.hours_without_count,
    }


def _line(line: Line) -> dict[str, Any]:
    price, known = line.price, line.instances is not None
    return {
        "since": line.since,
        "until": line.until,
        "alive_seconds": line.alive,
        "sku": line.sku,
        "instances": float(line.instances) if line.instances is not None else None,
        "price": None
        if price is None
        else {
            "paid": money(price.paid),
            "listed": money(price.listed),
            "source": price.source,
            "read_at": price.read_at,
            "share": plain(price.share),
            "agreement": price.agreement,
        },
        "seconds": dict(line.seconds) if known else None,
        "amounts": amounts(line.amounts) if known and line.amounts is not None else None,
        "causes": [
            {"cause": found.cause, "ref": found.ref, "seconds": seconds, "amount": exact(amount)}
            for found, seconds, amount in line.causes
        ],
    }
