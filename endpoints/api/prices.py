"""Sizes of machines that a workspace's endpoints can run on, with price and quota."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.api.operation import Call, operation
from endpoints.api.paging import PageQuery, page
from endpoints.api.rules import on_workspace
from endpoints.api.shapes import Shape, next_field, shape_names
from endpoints.api.view import ApiView
from endpoints.core.money import plain
from endpoints.prices import selectors as prices
from endpoints.prices.selectors import Price, SizeRow


class ListedPriceOut(Shape):
    """An instance and hour on Linux, in the tier Standard, before any discount.

    It began between `earliest` (null: nothing was read before) and `seen_at`, and was found so at `confirmed_at`.
    `effective_at`: since when the retail list itself says that its price counts; null: nobody says.
    """

    amount = serializers.CharField(
        help_text="A decimal number as text: amounts must not pass through binary fractions."
    )
    currency = serializers.CharField()
    source = serializers.CharField(  # type: ignore[assignment]  # the field of this name
        help_text="`vm_sizes`: Azure Machine Learning's own list of sizes; `retail`: Azure's retail price list,"
        " where that one names no price."
    )
    earliest = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField()
    effective_at = serializers.DateTimeField(allow_null=True)


class PriceOut(ListedPriceOut):
    """The price that counts. `beside`: the other list's, where that differs by more than a percent, or in currency."""

    beside = ListedPriceOut(allow_null=True)


class QuotaOut(Shape):
    """Dedicated cores of a family: `used` of `limit` (null: Azure sets none). Azure reserves 20 % more than runs."""

    family = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the field of this name
    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True)
    left = serializers.IntegerField(allow_null=True)
    unit = serializers.CharField()
    read_at = serializers.DateTimeField()


class SizeOut(Shape):
    """A size in a region. Null is unknown, never 0; `price_note` says why there is no price."""

    region = serializers.CharField()
    name = serializers.CharField()
    family = serializers.CharField()
    vcpus = serializers.IntegerField(allow_null=True)
    gpus = serializers.IntegerField(allow_null=True)
    memory_gb = serializers.FloatField(allow_null=True)
    for_endpoints = serializers.BooleanField()
    seen_at = serializers.DateTimeField()
    price = PriceOut(allow_null=True)
    price_note = serializers.CharField()
    quota = QuotaOut(allow_null=True)


class PlaceOut(Shape):
    """How the reading of a region goes. `…_read_at` null: never read. A reason says what is wrong, else it is empty."""

    region = serializers.CharField()
    sizes_read_at = serializers.DateTimeField(allow_null=True)
    sizes_reason = serializers.CharField()
    quotas_read_at = serializers.DateTimeField(allow_null=True)
    quotas_reason = serializers.CharField()


class PricesOut(Shape):
    """A page of sizes by region and name; `readings` are of all regions of the workspace."""

    items = SizeOut(many=True)
    next = next_field()
    readings = PlaceOut(many=True)


class PricesQuery(PageQuery):
    """Query of the sizes."""

    all = serializers.BooleanField(default=False, help_text="Those too that realtime endpoints can't run on.")
    cursor = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=300,
        help_text="Where the page begins; `next` has it.",
    )


class Prices(ApiView):
    """`/workspaces/{ws}/prices`."""

    @operation(
        on_workspace(Action.VIEW),
        name="prices_list",
        summary="Sizes with price and quota",
        query=PricesQuery,
        answers={200: PricesOut},
    )
    def get(self, call: Call) -> Response:
        """Sizes that Azure lists for the workspace's subscription, in the regions of its endpoints."""
        found = prices.sizes(
            call.workspace.id,
            for_endpoints=not call.query["all"],
            cursor=call.query["cursor"],
            limit=call.query["limit"],
        )
        body = page(call.request, [_size(row) for row in found.rows], cursor=found.next_cursor or None)
        return Response(body | {"readings": list(PlaceOut(found.readings, many=True).data)})


def _size(row: SizeRow) -> dict[str, Any]:
    plain_fields = shape_names(SizeOut) - {"region", "price", "quota"}
    return {name: getattr(row.size, name) for name in plain_fields} | {
        "region": row.region,
        "price": _price(row.price) if row.price else None,
        "quota": dict(QuotaOut(row.quota).data) if row.quota else None,
    }


def _price(row: Price) -> dict[str, Any]:
    return dict(PriceOut(_listed(row) | {"beside": _listed(row.beside) if row.beside else None}).data)


def _listed(row: Price) -> dict[str, Any]:
    return {name: getattr(row, name) for name in shape_names(ListedPriceOut)} | {"amount": plain(row.amount)}
