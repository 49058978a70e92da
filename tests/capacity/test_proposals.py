"""What is proposed, what is never proposed, and that no instance is saved twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from endpoints.capacity.needs import Need
from endpoints.capacity.proposals import (
    MONTH_HOURS,
    Keeps,
    Kind,
    Level,
    Settings,
    Smaller,
    Subject,
    advise,
    totals,
)
from endpoints.core.money import Money

NOW = datetime(2026, 11, 26, tzinfo=UTC)
USUAL = Settings()
PRICE = Money(Decimal("0.293"), "USD")
ENOUGH, TOO_MANY, NOT_KNOWN = (
    Need(4, "use", "It takes 4."),
    Need(2, "use", "It takes 2."),
    Need(None, "", "Not known."),
)
BUSY = Subject(
    instances=4, per_hour=PRICE, price_date=NOW, weight=100, mirrored=0, days=30, known_share=1.0, requests=1e6,
    served_share=1.0, off_hours_idle=0.0, off_hours_share=0.6, cpu=0.6, memory=0.5, gpu=False, need=ENOUGH,
    autoscaled=False,
)  # fmt: skip
IDLE = replace(BUSY, weight=0, requests=0.0, served_share=0.0, need=NOT_KNOWN, cpu=None, memory=None)
HALF = Smaller("Standard_DS2_v2", 0.5, 0.5, Money(Decimal("0.146"), "USD"))


@pytest.mark.parametrize(
    ("subject", "kind", "high"),
    [
        (IDLE, Kind.DELETE, PRICE.times(4 * MONTH_HOURS)),
        (replace(BUSY, need=TOO_MANY), Kind.SHRINK, PRICE.times(2 * MONTH_HOURS)),
        (replace(BUSY, need=TOO_MANY, autoscaled=True), None, None),
        (
            replace(BUSY, cpu=0.12, memory=0.2, smaller=(HALF,)),
            Kind.RESIZE,
            Money(Decimal("0.147"), "USD").times(4 * MONTH_HOURS),
        ),
        (
            replace(BUSY, off_hours_idle=0.9),
            Kind.SCHEDULE,
            PRICE.times(Decimal(3) * MONTH_HOURS * Decimal("0.6")),
        ),
        (
            replace(BUSY, autoscale_faults=("It scales out.",), autoscaled=True),
            Kind.FIX_AUTOSCALE,
            PRICE.times(0),
        ),
        (
            replace(BUSY, served_share=0.02, need=NOT_KNOWN, off_hours_idle=None),
            Kind.BATCH,
            PRICE.times(4 * MONTH_HOURS),
        ),
        (BUSY, None, None),
    ],
)
def test_advice__for_a_deployment__is_what_saves_most(
    subject: Subject, kind: Kind | None, high: Money | None
) -> None:
    found = advise(subject, USUAL, NOW).best
    assert (found.kind if found else None) == kind
    if found and found.high and high:
        assert (found.high.currency, found.high.amount) == (high.currency, high.amount)
        assert found.formula and found.evidence and found.effect


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"keeps": Keeps(warm_until=NOW + timedelta(hours=1), warm_for="CR-7")}, "A rollback of CR-7"),
        ({"keeps": Keeps(cases=("CH-3",))}, "CH-3 still needs it"),
        ({"keeps": Keeps(active_change="CR-9")}, "CR-9 is at work on it"),
        ({"keeps": Keeps(protected=("The audit of the year needs it",))}, "The audit of the year needs it."),
        ({"mirrored": 10}, "mirrored to it"),
        ({"requests": 12.0}, "names it by header"),
        ({"requests": 12.0, "quiet_since": NOW - timedelta(days=2)}, "It had traffic until"),
        ({"excluded": "tag keep=true"}, "Left out by tag keep=true"),
        ({"instances": None}, "has not said how many"),
    ],
)
def test_advice__for_what_somebody_needs__is_to_leave_it_and_says_why(
    more: dict[str, Any], said: str
) -> None:
    found = advise(replace(IDLE, **more), USUAL, NOW)
    assert found.best is None
    assert said in " ".join(found.kept)


def test_advice__for_what_gets_mirrored_traffic__does_not_say_that_somebody_names_it() -> None:
    assert "header" not in " ".join(advise(replace(IDLE, mirrored=20, requests=12.0), USUAL, NOW).kept)


def test_advice__after_the_rollback_window__proposes_it_again() -> None:
    over = replace(IDLE, keeps=Keeps(warm_until=NOW, warm_for="CR-7"))
    assert advise(over, USUAL, NOW).best is not None


@pytest.mark.parametrize("more", [{"days": 29}, {"known_share": 0.9}, {"requests": None}, {"weight": None}])
def test_delete__of_what_is_not_known_for_long_enough__is_not_proposed(more: dict[str, Any]) -> None:
    assert advise(replace(IDLE, **more), USUAL, NOW).best is None


def test_advice__without_a_price__is_given_and_its_saving_is_unknown() -> None:
    found = advise(replace(IDLE, per_hour=None), USUAL, NOW).best
    assert found is not None and found.kind is Kind.DELETE
    assert (found.low, found.high) == (None, None)
    assert "not known" in found.formula


def test_advice__that_overlaps__counts_once_and_notes_the_others() -> None:
    both = replace(BUSY, need=TOO_MANY, off_hours_idle=0.9, autoscaled=None)
    found = advise(both, USUAL, NOW)
    assert found.best is not None and found.others
    assert found.best.high is not None
    assert all(
        other.high is not None and other.high.amount <= found.best.high.amount for other in found.others
    )
    sums, unpriced = totals({"a": found, "b": advise(replace(IDLE, per_hour=None), USUAL, NOW)})
    assert (sums, unpriced) == ({"USD": found.best.high.amount}, 1)


shares = some.floats(0, 1)


@given(
    instances=some.integers(1, 50), weight=some.sampled_from([None, 0, 5, 100]),
    mirrored=some.sampled_from([None, 0, 20]),
    requests=some.none() | some.floats(0, 1e9), known_share=shares, served_share=some.none() | shares,
    off_hours_idle=some.none() | shares, off_hours_share=shares, cpu=some.none() | shares, memory=some.none() | shares,
    needed=some.none() | some.integers(1, 60),
    autoscaled=some.sampled_from([None, False, True]), days=some.integers(0, 60),
)  # fmt: skip
def test_advice__whatever_is_known__never_saves_more_than_is_paid_nor_less_than_nothing(
    needed: int | None, **more: Any
) -> None:
    subject = replace(BUSY, need=Need(needed, "use", "So many."), smaller=(HALF,), **more)
    found = advise(subject, USUAL, NOW)
    paid = PRICE.amount * subject.instances * MONTH_HOURS  # type: ignore[operator]
    for one in filter(None, (found.best, *found.others)):
        assert one.low is not None and one.high is not None
        assert 0 <= one.low.amount <= one.high.amount <= paid
    if subject.mirrored:
        assert found.best is None


def test_shrink__where_rules_that_scale_are_not_known__is_unsure_and_says_so() -> None:
    known, unknown = (
        advise(replace(BUSY, need=TOO_MANY, autoscaled=scaled), USUAL, NOW).best for scaled in (False, None)
    )
    assert known is not None and unknown is not None
    assert (known.sure, unknown.sure) == (Level.HIGH, Level.LOW)
    assert any("not known" in text for text in unknown.evidence)
