"""Ours or not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from endpoints.inventory import drift
from endpoints.inventory.drift import Expected, Kind
from tests.inventory.support import at

BASE = {"traffic": {"blue": 100}, "mirror_traffic": {}, "auth_mode": "Key", "provisioning_state": "Succeeded"}


def expected(number: int, traffic, mirror=None) -> Expected:
    return Expected(number, f"change:{number}", traffic, mirror, at(number))


def test_step__nothing_watched_moved__is_nobodys():
    verdict = drift.decide(BASE, BASE | {"provisioning_state": "Updating"}, [expected(1, {"blue": 100})])

    assert (verdict.matched, verdict.drifted) == (None, False)


def test_step__two_orders_explain_it__is_the_newer_ones():
    orders = [expected(1, {"green": 100}), expected(2, {"GREEN": 100, "blue": 0}), expected(3, {"red": 100})]

    verdict = drift.decide(BASE, BASE | {"traffic": {"green": 100}}, orders)

    assert verdict.matched == orders[1]
    assert not verdict.drifted


def test_step__ends_the_mirror_as_ordered__is_ours():
    old = BASE | {"mirror_traffic": {"green": 10}}

    assert drift.decide(old, BASE, [expected(1, {"blue": 100}, {})]).matched is not None
    assert drift.decide(old, BASE, [expected(1, {"blue": 100})]).drifted


def test_kind__of_traffic_and_access_together__is_traffic():
    verdict = drift.decide(BASE, BASE | {"traffic": {}, "auth_mode": "AMLToken"}, [])

    assert verdict.kind is Kind.TRAFFIC
    assert verdict.before == {"traffic": {"blue": 100}, "auth_mode": "Key"}


splits = st.dictionaries(st.sampled_from(["blue", "green", "red"]), st.integers(1, 100), max_size=3)


@given(old=splits, new=splits, orders=st.lists(splits, max_size=3))
def test_step__of_any_splits__is_blamed_exactly_when_no_order_explains_it(old, new, orders):
    verdict = drift.decide(
        BASE | {"traffic": old},
        BASE | {"traffic": new},
        [expected(number, traffic) for number, traffic in enumerate(orders)],
    )

    assert verdict.drifted == (old != new and new not in orders)
    assert (verdict.matched is not None) == (old != new and new in orders)
