"""Idle money by cause and day, which adds up to the ledger's causes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from endpoints.access.models import Workspace
from endpoints.capacity.selectors import fleet_ledger
from endpoints.capacity.selectors.trend import trend
from endpoints.capacity.services import roll_up_day
from endpoints.prices.selectors.basis import price_basis
from tests.capacity.test_roll_up import DAY, deployed, hours, place, yesterday

__all__ = ["place"]
pytestmark = pytest.mark.django_db


def test_trend__adds_up_to_the_causes_of_the_ledger(place: Workspace) -> None:
    hours(deployed(place), 0, 24, requests=0)
    roll_up_day(workspace_id=place.pk, day=yesterday().date())
    roll_up_day(workspace_id=place.pk, day=(yesterday() - DAY).date())
    since, until = (yesterday() - 3 * DAY).date(), (yesterday() + DAY).date()
    (ledger,) = fleet_ledger([place.pk], since=since, until=until)
    found = trend([place.pk], since, until)["USD"]
    assert {cause: sum(days.values()) for cause, days in found.causes.items()} == {
        cause: amount for cause, (_, amount) in ledger.causes.items()
    }
    assert found.made == {until - timedelta(days=1), until - timedelta(days=2)}
    assert trend([], since, until) == {}


def test_prices__of_a_subscription__name_their_source_and_their_age(place: Workspace) -> None:
    (found,) = price_basis([place.subscription_id.upper()])
    assert (found.currency, found.sizes) == ("USD", 1)
    assert found.newest == yesterday() - 10 * DAY
    assert price_basis([]) == ()
