"""Changes of capacity on the pages: named by what they do, decided on with all that it means."""

from __future__ import annotations

import pytest

from endpoints.access.models import User
from tests.web.capacity import ORDERS, asked_for
from tests.web.conftest import SignIn, Stage
from tests.web.reading import read, words

HEADINGS = {
    "scale": "scale checkout-risk/blue from 2 to 1 instance",
    "delete": "delete checkout-risk/green",
    "delete-endpoint": "delete endpoint checkout-risk",
    "autoscale": "set autoscale of checkout-risk/blue to 1 to 3 instances",
}


@pytest.mark.parametrize("want", ORDERS)
def test_review__of_a_change_of_capacity__is_named_by_what_it_does(
    want: str, asked: Stage, requester: User, reviewer: User, sign_in: SignIn
) -> None:
    number = asked_for(requester, asked.endpoint, ORDERS[want])
    page = read(sign_in(reviewer).get(f"/changes/CR-{number}").content)
    assert words(page.one("h1").text) == f"CR-{number}: {HEADINGS[want]}"
