"""How many instances would do, and what cannot be said."""

from __future__ import annotations

import pytest

from endpoints.capacity.needs import Load, Settings, need

USUAL = Settings()


def loads(*requests: float, p95: float | None = 50.0) -> list[Load]:
    return [Load(one, p95) for one in requests]


@pytest.mark.parametrize(
    ("told", "each", "concurrent", "instances", "bound"),
    [
        (loads(100, 200, 900), 600, 10, 2, "use"),
        (loads(100, 200, 900), 5000, 10, 1, "use"),
        (loads(0, 0), 600, 10, 1, "use"),  # one at least, as long as it is there
        (loads(1200, p95=2000), 6000, 4, 12, "concurrency"),
        (loads(1200, p95=None), 600, 4, 3, "use"),
        (loads(1200), 600, None, 3, "use"),
    ],
)
def test_need__of_a_load__is_the_larger_of_use_and_concurrency(
    told: list[Load], each: float, concurrent: int | None, instances: int, bound: str
) -> None:
    found = need(told, per_instance=each, concurrent=concurrent, settings=USUAL)
    assert (found.instances, found.bound) == (instances, bound)
    assert found.words


def test_need__one_odd_hour_in_a_thousand__is_left_to_the_headroom() -> None:
    told = loads(*[100.0] * 999, 10_000)
    assert need(told, per_instance=100, concurrent=None, settings=USUAL).instances == 2


@pytest.mark.parametrize(("told", "each"), [([], 100.0), (loads(5), None), (loads(5), 0.0)])
def test_need__without_load_or_without_what_one_carries__cannot_be_said(
    told: list[Load], each: float | None
) -> None:
    found = need(told, per_instance=each, concurrent=8, settings=USUAL)
    assert found.instances is None and found.words
