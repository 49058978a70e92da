"""The retail price list as a second source: which row counts, whose word goes first, and how both are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings

from endpoints.azure_gateway.errors import Malformed, PricesRefused
from endpoints.azure_gateway.records import RetailPrice
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, Endpoint
from endpoints.prices import retail
from endpoints.prices.models import PriceReading, RetailSize, SkuPrice
from endpoints.prices.selectors import cost_of, price_of, reading_of
from endpoints.prices.selectors.periods import BEFORE_ALL, Period, merged, price_periods
from endpoints.prices.services import read_prices
from tests.inventory.support import make_workspace
from tests.prices.support import PLACE, REGION, SETTINGS, SUBSCRIPTION, FakeAzure, listing, price, read, size
from tests.support.people import make_endpoint

SKU = "Standard_DS3_v2"
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def row(amount: str = "0.3", **changes: Any) -> RetailPrice:
    told: dict[str, Any] = {
        "size": SKU,
        "region": REGION,
        "amount": Decimal(amount),
        "currency": "USD",
        "unit": "1 Hour",
        "kind": "Consumption",
        "product": "Virtual Machines DSv2 Series",
        "sku": "DS3 v2",
        "meter": "DS3 v2",
        "from_units": Decimal(0),
        "primary": True,
        "effective_at": datetime(2022, 4, 1, tzinfo=UTC),
    }
    return RetailPrice(**(told | changes))


def test_the_price__among_all_rows_of_a_size__is_that_of_an_ordinary_machine_on_linux() -> None:
    rows = [
        row("0.01", sku="DS3 v2 Spot", meter="DS3 v2 Spot"),
        row("0.02", sku="DS3 v2 Low Priority", meter="D3 v2/DS3 v2 Low Priority"),
        row("0.03", product="Virtual Machines DSv2 Series Windows"),
        row("0.04", kind="DevTestConsumption"),
        row("0.05", kind="Reservation"),
        row("0.06", unit="1/Month"),
        row("0.07", primary=False),
        row("0.08", from_units=Decimal(100)),
        row("0.09", size="Standard_DS4_v2"),
        row("0.11", region="northeurope"),
        row("0.12", effective_at=NOW + timedelta(days=5)),
        row("0.13", effective_at=datetime(2020, 1, 1, tzinfo=UTC)),
        row("0.293"),
    ]
    found, since = retail.hourly(rows, SKU.upper(), REGION, NOW)
    assert (found.money, since) == (Money(Decimal("0.293"), "USD"), datetime(2022, 4, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "does not have this size"),
        ([row(kind="Reservation")], "has no ordinary price on Linux"),
        ([row("0.1"), row("0.2")], "names two prices"),
    ],
)
def test_the_price__that_can_not_be_told__is_unknown_and_says_why(
    rows: list[RetailPrice], words: str
) -> None:
    found, since = retail.hourly(rows, SKU, REGION, NOW)
    assert (found.money, since) == (None, None)
    assert words in found.note


@pytest.mark.parametrize(
    ("own", "listed", "currency", "differs"),
    [
        ("1.00", "1.01", "USD", False),
        ("1.00", "1.0101", "USD", True),
        ("1.00", "0.98", "USD", True),
        ("0", "0", "USD", False),
        ("0", "0.001", "USD", True),
        ("1.00", "1.00", "EUR", True),
    ],
)
def test_two_prices__more_than_a_percent_or_a_currency_apart__differ(
    own: str, listed: str, currency: str, differs: bool
) -> None:
    assert retail.differ(Money(Decimal(own), "USD"), Money(Decimal(listed), currency)) is differs


def test_periods__of_two_lists__have_the_own_price_where_there_is_one() -> None:
    def money(amount: str) -> Money:
        return Money(Decimal(amount), "USD")

    days = [NOW + timedelta(days=number) for number in range(4)]
    own = [Period(BEFORE_ALL, money("1")), Period(days[1], None), Period(days[3], money("2"))]
    listed = [Period(BEFORE_ALL, money("5")), Period(days[2], money("6"))]

    assert merged(own, listed) == [
        Period(BEFORE_ALL, money("1")),
        Period(days[1], money("5")),
        Period(days[2], money("6")),
        Period(days[3], money("2")),
    ]
    assert merged([], listed) == listed
    assert merged(own, []) == own


@pytest.fixture
def running() -> None:
    """One deployment of the size, spelt as no list spells it."""
    now = db_now()
    Deployment.objects.create(
        endpoint=_endpoint(), arm_id="d", arm_key="d", name="d", name_key="d", instance_type=SKU.upper(),
        first_seen_at=now, last_read_began=now, last_read_ended=now,
    )  # fmt: skip


def _endpoint() -> Endpoint:
    make_endpoint(make_workspace())
    Endpoint.objects.update(location="West Europe")
    return Endpoint.objects.get()


@pytest.mark.django_db
def test_a_price__of_both_lists__is_the_own_one_and_the_other_beside_it_where_they_differ(
    running: None,
) -> None:
    read(listing([size(SKU, price("0.293"))]), retail=listing([row("0.294")]))
    close = price_of(*PLACE, SKU)
    read(listing([size(SKU, price("0.293"))]), retail=listing([row("0.35")]))
    apart = price_of(*PLACE, SKU)

    assert close is not None and (close.source, close.beside) == ("vm_sizes", None)
    assert apart is not None and apart.amount == Decimal("0.293") and apart.beside is not None
    beside = apart.beside
    assert (beside.source, beside.amount) == ("retail", Decimal("0.35"))
    assert beside.effective_at == datetime(2022, 4, 1, tzinfo=UTC)
    assert beside.earliest == SkuPrice.objects.filter(source="retail").earliest("seen_at").seen_at


@pytest.mark.django_db
def test_a_price__that_only_the_retail_list_names__is_taken_and_counts_for_the_past(running: None) -> None:
    read(listing([size(SKU)]), retail=listing([row("0.3")]))
    found = price_of(*PLACE, SKU)

    assert found is not None and (found.source, found.amount) == ("retail", Decimal("0.3"))
    periods = price_periods(*PLACE, [SKU])
    assert periods == {SKU.lower(): [Period(BEFORE_ALL, Money(Decimal("0.3"), "USD"))]}
    read(listing([size(SKU)]), retail=listing([row("0.3")]))
    again = price_of(*PLACE, SKU)
    assert again is not None and again.seen_at == found.seen_at and again.confirmed_at > found.confirmed_at
    assert SkuPrice.objects.count() == 1


@pytest.mark.django_db
def test_a_size__that_neither_list_prices__says_what_both_said(running: None) -> None:
    read(listing([size(SKU)]), retail=listing())
    cost = cost_of(*PLACE, SKU, 2)

    assert cost.price is None
    assert "Azure names no price for this size here." in cost.why_no_price
    assert "The retail price list does not have this size here." in cost.why_no_price


@pytest.mark.django_db
def test_a_list__with_rows_that_nobody_understands__takes_no_price_away(running: None) -> None:
    read(retail=listing([row("0.3")]))
    read(retail=listing(unreadable=["item 1"]))

    assert price_of(*PLACE, SKU) is not None
    told = reading_of(*PLACE)
    assert told is not None and "item 1" in told.retail_reason
    read(retail=Malformed("the list", "it does not end"))
    told = reading_of(*PLACE)
    assert told is not None and "it does not end" in told.retail_reason
    read(retail=listing())
    assert price_of(*PLACE, SKU) is None


@pytest.mark.django_db
def test_a_cloud__without_a_list__says_so_and_is_asked_again_a_day_later(running: None) -> None:
    outcome = read(retail=PricesRefused("AzureChinaCloud names no retail price list; nothing was asked."))

    row_of = PriceReading.objects.get()
    assert (outcome.sizes, outcome.retail) == (True, False)
    assert "names no retail price list" in row_of.retail_reason
    assert row_of.retail_due_at - db_now() > timedelta(hours=23)
    assert "names no retail price list" in cost_of(*PLACE, SKU, 1).why_no_price


@pytest.mark.django_db
def test_sizes__that_run__are_asked_for_in_azures_spelling_and_the_currency_of_the_settings(
    running: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings.OPSPORTAL.model_copy(update={"azure_prices_currency": "EUR"})
    monkeypatch.setattr(settings, "OPSPORTAL", config)
    azure = FakeAzure(listing([size(SKU, price())]), listing(), listing([row("0.27", currency="EUR")]))
    read_prices(subscription=SUBSCRIPTION, region=REGION, settings=SETTINGS, connecting=azure.connect)

    assert [one for one in azure.asked if one[0] == "retail"] == [("retail", SKU, "EUR")]
    found = price_of(*PLACE, SKU)
    assert found is not None and found.currency == "USD"
    assert found.beside is not None and found.beside.money == Money(Decimal("0.27"), "EUR")
    assert RetailSize.objects.get().note == ""
