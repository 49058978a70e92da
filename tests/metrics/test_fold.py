"""Series of Azure Monitor to minutes: what is summed, what is unknown, and that nothing is counted twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.azure_gateway.records import MetricSeries, MetricsReading, Unreadable
from endpoints.metrics.columns import NAMES
from endpoints.metrics.fold import Minutes, Places, status_columns

ENDPOINT = "/subscriptions/s/onlineendpoints/checkout-risk"
BLUE, GREEN = 7, 8
PLACES = Places(
    by_endpoint={ENDPOINT: {"blue": BLUE, "green": GREEN}},
    by_deployment={f"{ENDPOINT}/deployments/blue": BLUE, f"{ENDPOINT}/deployments/green": GREEN},
)
NOON = 1_764_072_000
T0, T1, T2 = NOON, NOON + 60, NOON + 120
ALL_WELL = dict.fromkeys(
    ("requests", "status_2xx", "status_4xx", "status_429", "status_5xx", "model_errors"), 0.0
)
WITH_FAILURES = ALL_WELL | {"requests": 3, "status_5xx": 3}


def reading(
    *series: MetricSeries, truncated: tuple[str, ...] = (), odd: tuple[str, ...] = ()
) -> MetricsReading:
    moment = datetime(2026, 11, 25, tzinfo=UTC)
    unreadable = tuple(Unreadable(one, "1 value is no measurement") for one in odd)
    return MetricsReading(series, unreadable, truncated, moment, moment, "azure-1", 1)


def requests(
    values: Mapping[int, float | None], *, status: str = "200", model: str = "200", name: str = "Blue"
) -> MetricSeries:
    labels = {
        "deployment": name,
        "statuscode": status,
        "statuscodeclass": f"{status[:1]}xx",
        "modelstatuscode": model,
    }
    return series(ENDPOINT, "RequestsPerMinute", labels, values)


def total(values: Mapping[int, float | None], name: str = "blue") -> MetricSeries:
    return series(f"{ENDPOINT}/deployments/{name}", "RequestsPerMinute", {}, values)


def series(
    resource: str, metric: str, labels: Mapping[str, str], values: Mapping[int, float | None]
) -> MetricSeries:
    return MetricSeries(resource, metric, labels, tuple(values), tuple(values.values()), (), ())


GAP_OF_SUCCESS = requests({T0: 90.0, T1: None, T2: 90.0})


def found(minutes: Minutes) -> dict[tuple[int, int], dict[str, float]]:
    return {
        (row.deployment_id, row.minute): {
            name: value for name, value in zip(NAMES, row.values, strict=True) if value is not None
        }
        for row in minutes.found()
    }


def test_counts__of_several_statuses__are_summed_by_class() -> None:
    minutes = Minutes(PLACES)
    minutes.requests(
        reading(
            requests({T0: 90.0, T1: 80.0}),
            requests({T0: 4.0, T1: None}, status="429", model="None"),
            requests({T0: 3.0, T1: None}, status="424", model="500"),
            requests({T0: 2.0, T1: None}, status="500", model="None"),
            requests({T0: 1.0, T1: None}, status="400", model="400"),
        )
    )
    rows = found(minutes)
    assert rows[BLUE, T0] == {
        "requests": 100, "status_2xx": 90, "status_4xx": 8, "status_429": 4, "status_5xx": 2, "model_errors": 4,
    }  # fmt: skip
    assert rows[BLUE, T1] == {
        "requests": 80, "status_2xx": 80, "status_4xx": 0, "status_429": 0, "status_5xx": 0, "model_errors": 0,
    }  # fmt: skip


def test_minute__without_any_value__is_unknown_and_not_zero() -> None:
    minutes = Minutes(PLACES)
    minutes.requests(reading(requests({T0: None}), requests({T0: None}, status="500")))
    assert found(minutes) == {}


def test_total_of_the_deployment__fills_only_what_endpoint_scope_left_open() -> None:
    minutes = Minutes(PLACES)
    minutes.requests(reading(requests({T0: 90.0})))
    minutes.totals(reading(total({T0: 77.0, T1: 0.0})))
    rows = found(minutes)
    assert rows[BLUE, T0]["requests"] == 90
    assert rows[BLUE, T1] == dict.fromkeys(
        ("requests", "status_2xx", "status_4xx", "status_429", "status_5xx", "model_errors"), 0
    )


def test_total_of_the_deployment__that_is_not_zero__says_nothing_of_its_statuses() -> None:
    minutes = Minutes(PLACES)
    minutes.totals(reading(total({T0: 12.0})))
    assert found(minutes) == {(BLUE, T0): {"requests": 12}}


def test_truncated_endpoint__has_no_sums_but_keeps_its_latencies() -> None:
    minutes = Minutes(PLACES)
    minutes.requests(reading(requests({T0: 90.0}), truncated=(ENDPOINT,)))
    minutes.latencies(
        reading(
            series(ENDPOINT, "RequestLatency_P95", {"deployment": "blue"}, {T0: 41.0}), truncated=(ENDPOINT,)
        )
    )
    assert found(minutes) == {(BLUE, T0): {"p95": 41}}


def test_minute_with_a_senseless_value__is_no_sum_of_the_others() -> None:
    minutes = Minutes(PLACES)
    sane, odd = requests({T0: 90.0, T1: 80.0}), requests({T0: None, T1: 5.0}, status="500")
    minutes.requests(reading(sane, odd, odd=(ENDPOINT,)))
    rows = found(minutes)
    assert (BLUE, T0) not in rows
    assert rows[BLUE, T1]["requests"] == 85


def test_senseless_value__whose_minute_the_total_proves_whole__is_a_sum_after_all() -> None:
    minutes = Minutes(PLACES)
    minutes.requests(
        reading(requests({T0: 90.0}), requests({T0: None}, status="500", model="None"), odd=(ENDPOINT,))
    )
    minutes.totals(reading(total({T0: 90.0})))
    assert found(minutes)[BLUE, T0] == ALL_WELL | {"requests": 90, "status_2xx": 90}


def test_gap__of_one_status_that_nearly_every_minute_has__makes_no_sum_of_the_others() -> None:
    minutes = Minutes(PLACES)
    minutes.requests(reading(GAP_OF_SUCCESS, requests({T0: 3.0, T1: 2.0}, status="500", model="None")))
    rows = found(minutes)
    assert (BLUE, T1) not in rows
    assert rows[BLUE, T0]["requests"] == 93


@pytest.mark.parametrize(("azure_says", "known"), [(97.0, {"requests": 97}), (3.5, WITH_FAILURES)])
def test_gap__of_one_status__is_judged_by_the_deployments_own_total(azure_says: float, known: dict) -> None:
    minutes = Minutes(PLACES)
    minutes.requests(reading(GAP_OF_SUCCESS, requests({T0: 3.0, T1: 3.0}, status="500", model="None")))
    minutes.totals(reading(total({T0: 1.0, T1: azure_says})))
    rows = found(minutes)
    assert rows[BLUE, T1] == known
    assert rows[BLUE, T0]["requests"] == 93


def test_latency__of_nothing__is_none_and_no_zero() -> None:
    minutes = Minutes(PLACES)
    minutes.latencies(
        reading(series(ENDPOINT, "RequestLatency_P95", {"deployment": "blue"}, {T0: 0.0, T1: 41.0}))
    )
    assert found(minutes) == {(BLUE, T1): {"p95": 41}}


def test_deployment__made_again_under_its_name__has_none_of_its_predecessors_minutes() -> None:
    minutes = Minutes(replace(PLACES, born={BLUE: T1}))
    minutes.requests(reading(requests({T0: 90.0, T1: 80.0})))
    assert {minute for _, minute in found(minutes)} == {T1}


def test_status__that_is_no_number__leaves_the_total_and_no_parts() -> None:
    minutes = Minutes(PLACES)
    minutes.requests(reading(requests({T0: 90.0}), requests({T0: 10.0}, status="Unknown")))
    assert found(minutes) == {(BLUE, T0): {"requests": 100}}


def test_deployment__that_the_mirror_does_not_have__is_left_out() -> None:
    minutes = Minutes(PLACES)
    minutes.requests(reading(requests({T0: 90.0}, name="gone")))
    assert found(minutes) == {}


def test_capacity__of_several_states__is_all_replicas_that_there_are() -> None:
    minutes = Minutes(PLACES)
    arm = f"{ENDPOINT}/deployments/green"
    ready = series(arm, "DeploymentCapacity", {"state": "Ready"}, {T0: 3.0, T1: None})
    pending = series(arm, "DeploymentCapacity", {"state": "Pending"}, {T0: 1.0, T1: None})
    minutes.capacity(reading(ready, pending))
    assert found(minutes) == {(GREEN, T0): {"instances": 4}}


def test_quiet__are_those_with_a_minute_of_unknown_requests() -> None:
    minutes = Minutes(PLACES)
    minutes.requests(reading(requests({T0: 1.0, T1: 1.0}), requests({T0: 1.0}, name="green")))
    assert minutes.quiet([BLUE, GREEN], [T0, T1]) == [GREEN]


@pytest.mark.parametrize(
    ("status", "model", "columns"),
    [
        ("200", "200", (1,)),
        ("404", "None", (2,)),
        ("408", "None", (2, 5)),
        ("424", "503", (2, 5)),
        ("429", "None", (2, 3)),
        ("503", "None", (4,)),
        ("100", "", ()),
        ("odd", "", None),
    ],
)
def test_status_columns__by_status_and_the_models_own(status, model, columns) -> None:
    assert status_columns({"statuscode": status, "modelstatuscode": model}) == columns


@given(
    st.dictionaries(st.sampled_from(["200", "404", "424", "429", "500"]), st.integers(0, 10_000), min_size=1)
)
def test_counts__whatever_the_statuses__add_up_once(counts: dict[str, int]) -> None:
    minutes = Minutes(PLACES)
    minutes.requests(reading(*(requests({T0: float(n)}, status=status) for status, n in counts.items())))
    row = found(minutes)[BLUE, T0]
    assert row["requests"] == sum(counts.values())
    assert row["status_2xx"] + row["status_4xx"] + row["status_5xx"] == row["requests"]
    assert row["status_429"] + row["model_errors"] <= row["status_4xx"]
