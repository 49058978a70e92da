"""When an endpoint can go as a whole, and that its saving is the sum of its deployments'."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from endpoints.capacity.endpoint_proposals import advise_endpoints, whole_endpoint
from endpoints.capacity.proposals import MONTH_HOURS, Keeps, Kind, Proposal, Settings, Subject, advise
from endpoints.core.money import Money
from tests.capacity.test_proposals import BUSY, IDLE, NOW, PRICE

USUAL = Settings()
CARRIES = replace(IDLE, weight=100)


def proposed(*subjects: Subject) -> Proposal | None:
    return whole_endpoint(subjects, [advise(subject, USUAL, NOW) for subject in subjects], USUAL)


def test_endpoint__that_nobody_calls__can_go_whatever_weights_it_has() -> None:
    found = proposed(CARRIES, IDLE)
    assert found is not None and found.kind is Kind.DELETE_ENDPOINT
    assert found.low == found.high == PRICE.times(8 * MONTH_HOURS)
    assert "any of its 2 deployments in 30 days" in found.evidence[0]
    assert "4 x 0.293 USD + 4 x 0.293 USD" in found.formula


@pytest.mark.parametrize(
    "more",
    [
        {"requests": 1.0},
        {"requests": None},
        {"days": 29},
        {"known_share": 0.9},
        {"mirrored": 5},
        {"mirrored": None},
        {"instances": None},
        {"excluded": "the tag keep=yes"},
        {"keeps": Keeps(cases=("CH-3",))},
        {"keeps": Keeps(active_change="CR-9")},
    ],
)
def test_endpoint__of_which_one_deployment_may_be_needed__stays(more: dict[str, Any]) -> None:
    assert proposed(CARRIES, replace(IDLE, **more)) is None
    assert proposed(BUSY, IDLE) is None
    assert proposed() is None


@pytest.mark.parametrize("price", [None, Money(Decimal(1), "EUR")])
def test_endpoint__whose_prices_do_not_add_up__goes_for_a_saving_that_is_not_known(
    price: Money | None,
) -> None:
    found = proposed(CARRIES, replace(IDLE, per_hour=price))
    assert found is not None
    assert (found.low, found.high) == (None, None)
    assert "not known" in found.formula


@given(some.lists(some.integers(1, 40), min_size=1, max_size=6))
def test_endpoints__by_number__save_what_their_deployments_cost_and_no_more(instances: list[int]) -> None:
    parts = [
        (subject := replace(CARRIES, instances=count), advise(subject, USUAL, NOW)) for count in instances
    ]
    found = advise_endpoints({7: parts, 8: [(BUSY, advise(BUSY, USUAL, NOW))]}, USUAL)
    assert found.keys() == {7}
    assert found[7].high == PRICE.times(sum(instances) * MONTH_HOURS)
