"""What a deployment costs, on its page: a figure with date and source, or unknown with the reason."""

from __future__ import annotations

import pytest

from endpoints.access.models import User, Workspace
from tests.prices.support import listing, price, read, size, usage
from tests.support.people import make_endpoint
from tests.web.conftest import SignIn
from tests.web.reading import read as read_page
from tests.web.reading import words

pytestmark = pytest.mark.django_db
HOME = "/w/mlw-prod-weu/e/checkout-risk/d/blue/"


@pytest.fixture
def page(workspace: Workspace, requester: User, sign_in: SignIn):  # type: ignore[no-untyped-def]
    make_endpoint(workspace)
    client = sign_in(requester)
    return lambda: words(
        read_page(client.get(HOME).content).one("section", **{"aria-labelledby": "cost"}).text
    )


def test_cost__known__is_the_price_times_the_instances_with_date_and_source(page) -> None:  # type: ignore[no-untyped-def]
    read(listing([size("Standard_DS3_v2", price("0.293"))]), listing([usage(12, 100)]))
    text = page()
    assert "0.586 USD" in text
    assert "for 2 instances asked for, before any discount" in text
    assert "0.293 USD" in text
    assert "list price on Linux, as first read 20" in text
    assert "from Azure Machine Learning's list of sizes" in text
    assert "12 of 100 cores used" in text
    assert "this deployment takes 12, with Azure's reserve of 20 %" in text
    assert "Each instance: 4 vCPU, 14 GB, no GPU." in text


def test_cost__not_known__says_unknown_and_why_and_shows_no_zero(page) -> None:  # type: ignore[no-untyped-def]
    text = page()
    assert text.count("unknown") == 4
    assert "Prices of westeurope were never read." in text
    assert "Quota was never read here." in text
    assert "0.00" not in text

    read(listing([size("Standard_DS3_v2", vcpus=None)]), listing([usage(0, None)]))
    text = page()
    assert "Azure names no price for this size here." in text
    assert "0 used, no limit" in text
    assert "vCPU unknown, 14 GB, no GPU" in text
