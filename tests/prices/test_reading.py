"""Azure's lists on their way into the tables: every price once, nothing guessed, failures in words."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from endpoints.azure_gateway.errors import Forbidden, Throttled, Unreachable
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from endpoints.prices.models import PriceReading, Quota, SkuPrice, SkuSize
from endpoints.prices.selectors import price_of, quota_of, reading_of, size_of
from endpoints.prices.services import Outcome, add_missing, due_readings, read_prices
from tests.inventory.support import make_workspace
from tests.prices.support import (
    FAMILY,
    PLACE,
    REGION,
    SETTINGS,
    SUBSCRIPTION,
    FakeAzure,
    listing,
    price,
    read,
    size,
    usage,
)
from tests.support.people import make_endpoint

pytestmark = pytest.mark.django_db
SKU = "Standard_DS3_v2"


def test_a_price__read_again_unchanged__is_one_row_and_confirmed() -> None:
    read(listing([size(SKU, price("0.293"))]))
    first = price_of(*PLACE, SKU)
    read(listing([size(SKU, price("0.2930"))]))
    second = price_of(*PLACE, SKU)

    assert SkuPrice.objects.count() == 1
    assert first is not None and second is not None
    assert (second.amount, second.currency, second.earliest) == (Decimal("0.293"), "USD", None)
    assert second.seen_at == first.seen_at
    assert second.confirmed_at > first.confirmed_at


def test_a_price__that_changed_and_came_back__has_each_time_its_own_row() -> None:
    lists = [listing([size(SKU, price(amount))]) for amount in ("0.1", "0.2", "0.1")]
    for one in lists:
        read(one)

    rows = list(SkuPrice.objects.order_by("seen_at"))
    assert [row.amount for row in rows] == [Decimal("0.1"), Decimal("0.2"), Decimal("0.1")]
    assert [row.earliest for row in rows] == [None, lists[0].response_ended, lists[1].response_ended]
    then = price_of(*PLACE, SKU, at=lists[1].response_ended)
    assert then is not None and then.amount == Decimal("0.2")
    assert price_of(*PLACE, SKU, at=lists[0].response_ended - timedelta(seconds=1)) is None


def test_a_price__that_azure_names_no_more__is_unknown_again_and_stays_in_the_past() -> None:
    first = listing([size(SKU, price("0.1")), size("B", price("0.5"))])
    read(first)
    read(listing([size(SKU)]))

    assert price_of(*PLACE, SKU) is None
    assert price_of(*PLACE, "B") is None
    assert price_of(*PLACE, SKU, at=first.response_ended) is not None
    gone = size_of(*PLACE, "B")
    assert gone is not None and gone.vcpus == 4
    assert gone.missing_since is not None


def test_a_list__with_an_item_that_nobody_understands__takes_nothing_away() -> None:
    read(listing([size(SKU, price("0.1"))]), listing([usage()]))
    read(listing(unreadable=["item 3"]), listing(unreadable=["item 4"]))

    told = reading_of(*PLACE)
    assert price_of(*PLACE, SKU) is not None
    assert quota_of(*PLACE, FAMILY) is not None
    assert SkuSize.objects.get().missing_since is None
    assert told is not None
    assert told.sizes_reason == "1 of the sizes could not be understood: item 3: it has no name."
    assert "item 4" in told.quotas_reason


def test_an_answer__older_than_what_is_on_record__is_not_taken_in() -> None:
    read(listing([size(SKU, price("0.2"))]), listing([usage(20)]))
    ended = db_now() - timedelta(hours=1)
    late = Outcome(sizes=False, quotas=False, retail=True)

    assert read(listing([size(SKU, price("0.1"))], ended=ended), listing([usage(1)], ended=ended)) == late
    found, quota = price_of(*PLACE, SKU), quota_of(*PLACE, FAMILY)
    assert found is not None and found.amount == Decimal("0.2")
    assert quota is not None and quota.used == 20


def test_quota__read_again__is_the_newest_word_and_what_is_gone_is_unknown() -> None:
    read(usages=listing([usage(12), usage(3, None, family="", label="Total")]))
    found = quota_of(*PLACE, FAMILY.upper())
    assert found is not None and (found.used, found.limit, found.left) == (12, 100, 88)
    assert quota_of(*PLACE, "") is None

    read(usages=listing([usage(3, None, family="", label="Total")]))
    assert quota_of(*PLACE, FAMILY) is None
    assert Quota.objects.get().limit is None


@pytest.mark.parametrize(
    "error", [Forbidden("It may not read sizes."), Unreachable("No answer came."), ValueError("No region.")]
)
def test_a_reading__that_azure_refuses__says_why_and_keeps_what_was_known(error: Exception) -> None:
    read(listing([size(SKU, price("0.2"))]), listing([usage()]))
    before = reading_of(*PLACE)

    assert read(error, error) == Outcome(sizes=False, quotas=False, retail=True)

    told, row = reading_of(*PLACE), PriceReading.objects.get()
    assert told is not None and before is not None
    assert (told.sizes_read_at, told.sizes_reason) == (before.sizes_read_at, str(error))
    assert told.quotas_reason == str(error)
    assert price_of(*PLACE, SKU) is not None
    assert timedelta(minutes=9) < row.sizes_due_at - db_now() < timedelta(minutes=11)


def test_a_reading__told_to_wait__waits_as_long() -> None:
    read(Throttled("Slower.", retry_after=7200.0))
    row = PriceReading.objects.get()
    assert timedelta(minutes=119) < row.sizes_due_at - db_now() < timedelta(minutes=121)


def test_a_reading__not_due__asks_azure_nothing() -> None:
    azure = FakeAzure(listing([size()]), listing([usage()]))

    def again() -> Outcome:
        return read_prices(
            subscription=SUBSCRIPTION.upper(),
            region="West Europe",
            settings=SETTINGS,
            connecting=azure.connect,
        )

    assert again() == Outcome(sizes=True, quotas=True, retail=True)
    assert again() == Outcome(sizes=None, quotas=None)
    assert azure.asked == [("sizes", *PLACE), ("usages", *PLACE)]
    PriceReading.objects.update(quotas_due_at=db_now())
    assert again() == Outcome(sizes=None, quotas=True)


def test_places__of_workspaces_and_of_their_endpoints__are_due_at_once_and_each_is_one() -> None:
    one, other = make_workspace(), make_workspace()
    make_endpoint(one)
    Endpoint.objects.update(location="North Europe")
    add_missing()
    add_missing()

    places = sorted(PriceReading.objects.values_list("subscription", "region"))
    assert places == [(SUBSCRIPTION, "northeurope"), (SUBSCRIPTION, REGION)]
    assert len(due_readings()) == 2
    type(one).objects.filter(pk__in=[one.pk, other.pk]).update(disconnected_at=db_now())
    assert due_readings() == []


def test_a_price__once_written__cannot_be_changed_by_the_portal() -> None:
    read(listing([size(SKU, price("0.2"))]))
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        SkuPrice.objects.update(amount=0)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        SkuPrice.objects.all().delete()
