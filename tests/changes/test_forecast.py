"""The simulation of a plan: whom it exposes, what it loads and costs, and what its gates could find."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal

import pytest

from endpoints.changes.capacity import Replicas
from endpoints.changes.draft import walk
from endpoints.changes.forecast import Known, Latency, Range, forecast
from endpoints.changes.gatespec import gate
from endpoints.changes.models import ChangeRevision
from endpoints.changes.plan import Base, put_split
from endpoints.changes.selectors import forecast_draft, forecast_of
from endpoints.changes.terms import Terms
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment
from endpoints.metrics.services import write_minutes
from tests.changes.desk import ALL_BLUE
from tests.metrics.storing import row
from tests.prices import support as prices

BASE = Base(ALL_BLUE, {}, "s")
STEPS = (
    put_split({"blue": 95, "green": 5}, {}, bake=600),
    put_split({"blue": 75, "green": 25}, {}, bake=1800),
    put_split({"green": 100}, {}),
)
TERMS = Terms(gates=(gate("errors", limit=0.01), gate("errors_vs_stable", limit=0.005)), watch=3600, warm=24)
KNOWN = Known(
    traffic=Range(500.0, 1000.0, 2000.0),
    traffic_words="The same hours of the last weeks.",
    peak=3000.0,
    replicas={"blue": Replicas(4, 1000.0), "green": Replicas(2, 1000.0)},
    latency={"green": Latency(80.0, 140.0, "Of 60 minutes.")},
    hourly={"blue": Money(Decimal("2.00"), "USD"), "green": Money(Decimal("1.00"), "USD")},
    cost_words="List prices, read 2026-03-01.",
    base_rate=0.002,
)


def told(known=KNOWN, base=BASE, steps=STEPS, terms=TERMS):
    return forecast(base, steps, terms, known)


def test_forecast__of_a_plan__has_each_step_with_its_minutes_and_those_it_exposes():
    found = told()
    assert [step.minutes for step in found.steps] == [10, 30, 60]  # the watch belongs to the last one
    assert [step.exposed.typical for step in found.steps] == [500.0, 7500.0, 60000.0]
    assert (found.steps[0].exposed.low, found.steps[0].exposed.high) == (250.0, 1000.0)
    assert found.seconds == 600 + 1800 + 3600
    assert "About 500 requests" in found.steps[0].words


def test_forecast__each_step__loads_everybody_at_the_peak():
    shares = [{load.deployment: load.share for load in step.loads} for step in told().steps]
    assert shares[0] == {"blue": pytest.approx(0.7125), "green": pytest.approx(0.075)}
    assert shares[2] == {"green": pytest.approx(1.5)}
    assert "150" in told().steps[2].loads[0].words


def test_forecast__the_candidates_latency__comes_with_how_it_is_known():
    assert {step.latency for step in told().steps} == {KNOWN.latency["green"]}
    assert told(replace(KNOWN, latency={})).steps[0].latency is None


def test_forecast__gates__are_judged_step_by_step_and_blind_ones_are_named():
    found = told(replace(KNOWN, traffic=Range(5.0, 10.0, 20.0)))
    first, _, last = found.steps
    assert [power.gate for power in first.gates] == [spec.name for spec in TERMS.gates]
    assert first.blind == first.gates
    assert all(power.gate in first.words for power in first.blind)
    assert [power.gate for power in last.gates] == [TERMS.gates[0].name]  # nothing is left to compare with
    many = told(replace(KNOWN, traffic=Range(5e4, 1e5, 2e5)))
    assert many.steps[1].blind == ()


def test_forecast__traffic_not_known__says_so_and_claims_nothing():
    found = told(replace(KNOWN, traffic=None, peak=None))
    assert [step.exposed for step in found.steps] == [None, None, None]
    assert [step.gates for step in found.steps] == [(), (), ()]
    assert "not known" in found.steps[0].words
    assert {load.share for step in found.steps for load in step.loads} == {None}


def test_forecast__a_step_that_does_not_bake__exposes_nobody_by_itself():
    found = told(terms=Terms())
    assert found.steps[2].minutes == 0
    assert found.steps[2].gates == ()
    assert "Nothing bakes here" in found.steps[2].words


def test_forecast__cost__is_of_what_runs_only_because_of_the_plan():
    found = told()
    # green for 100 minutes at 1.00, and blue kept for 24 hours at 2.00
    assert found.cost.currency == "USD"
    assert found.cost.amount.quantize(Decimal("0.01")) == Decimal("49.67")
    assert "blue for 24" in found.cost_words.replace("\u00a0", " ")
    assert "List prices" in found.cost_words


def test_forecast__a_price_that_is_not_known__is_no_zero():
    found = told(replace(KNOWN, hourly={"blue": None, "green": Money(Decimal("1.00"), "USD")}))
    assert found.cost is None
    assert "What blue costs is not known" in found.cost_words


def test_forecast__nothing_that_runs_only_for_it__costs_nothing_and_says_so():
    shared = Base({"blue": 50, "green": 50}, {}, "s")
    found = told(base=shared, steps=(put_split({"blue": 40, "green": 60}, {}, bake=600),), terms=Terms())
    assert (found.cost, found.cost_words) == (None, "Nothing runs only because of it.")


def test_forecast__mirrored_requests__load_the_mirrored_one_and_expose_nobody():
    steps = (put_split(ALL_BLUE, {"green": 50}, bake=600),)
    (step,) = told(steps=steps, terms=Terms()).steps
    assert {load.deployment: load.share for load in step.loads}["green"] == pytest.approx(0.75)
    assert step.exposed.typical == 0


def busy(desk):
    """Every minute of the last three hours: all on blue."""
    ids = dict(Deployment.objects.filter(endpoint=desk.endpoint_id).values_list("name_key", "pk"))
    begin = db_now().astimezone(UTC).replace(second=0, microsecond=0) - timedelta(minutes=180)
    told = {"instances": 2, "status_5xx": 1, "model_errors": 0, "status_429": 0, "p95": 90, "cpu_max": 30}
    write_minutes(
        row(ids["blue"], begin + timedelta(minutes=each), requests=600, **told) for each in range(178)
    )


def test_forecast_draft__of_an_endpoint_that_is_measured__rests_on_its_own_minutes(desk):
    busy(desk)
    sizes = [prices.size(price_name, prices.price()) for price_name in _sizes(desk)]
    prices.read(prices.listing(sizes))
    found = forecast_draft(
        desk.endpoint_id, walk(ALL_BLUE, "green", [(5, 600, False), (100, 600, False)], TERMS)
    )
    assert len(found.steps) == 2
    blue = next(load for load in found.steps[0].loads if load.deployment == "blue")
    assert 0 < blue.share < 1
    assert found.traffic_words
    assert found.cost is not None and found.cost.currency == "USD" and found.cost.amount > 0
    assert found.seconds == 1200 + TERMS.watch


def _sizes(desk):
    return sorted(
        set(Deployment.objects.filter(endpoint=desk.endpoint_id).values_list("instance_type", flat=True))
        - {""}
    )


def test_forecast_of__a_change_that_is_written__is_that_of_its_draft(desk):
    draft = walk(ALL_BLUE, "green", [(5, 600, False), (100, 600, False)], TERMS)
    number = desk.request(split=None, draft=draft)
    written = forecast_of(ChangeRevision.objects.get(change=number))
    asked = forecast_draft(desk.endpoint_id, draft)
    assert [step.split for step in written.steps] == [step.split for step in asked.steps]
    assert (written.seconds, written.cost, written.cost_words) == (
        asked.seconds,
        asked.cost,
        asked.cost_words,
    )
