"""Azure Monitor's answers to series: nothing becomes a zero, and whatever is wrong is named once."""

from __future__ import annotations

import json
import math
import random
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.azure_gateway import metrics_codec
from endpoints.azure_gateway.errors import Malformed
from endpoints.azure_gateway.metrics_codec import Parsed
from endpoints.azure_gateway.records import DEPLOYMENT_METRICS, MetricQuery, MetricSeries
from tests.azure_gateway import samples
from tests.azure_gateway.metric_samples import (
    EPOCH,
    P95,
    START,
    answer,
    metric,
    of_points,
    point,
    query,
    resource,
    series,
)

ID = samples.ENDPOINT.lower()


def parse(
    document: Any, asked: MetricQuery | None = None, ids: tuple[str, ...] = (samples.ENDPOINT,)
) -> Parsed:
    """Through JSON, as it comes over the wire."""
    return metrics_codec.batch(json.loads(json.dumps(document)), ids, asked or query())


def one(document: Any, asked: MetricQuery | None = None) -> MetricSeries:
    (only,) = parse(document, asked).series
    return only


def reason(document: Any, asked: MetricQuery | None = None) -> str:
    (only,) = parse(document, asked).unreadable
    assert only.item == ID
    return only.reason


def minutes(*numbers: int) -> tuple[int, ...]:
    return tuple(EPOCH + 60 * number for number in numbers)


def test_series__clean__has_its_minutes_and_values() -> None:
    found = one(of_points(point(0, 12.5), point(1, 0), point(3, 7)))
    assert (found.resource_id, found.metric, found.dimensions) == (ID, P95, {"deployment": "blue"})
    assert found.minutes == minutes(0, 1, 3)
    assert found.average == (12.5, 0, 7)
    assert (found.maximum, found.minimum) == ((), ())
    assert parse(of_points(point(0, 12.5))).unreadable == ()


def test_series__three_aggregations__has_three_columns() -> None:
    asked = query(aggregations=("Minimum", "Average", "Maximum"))
    found = one(of_points(point(0, 2, minimum=1, maximum=3), point(1, 5, minimum=4)), asked)
    assert (found.minimum, found.average, found.maximum) == ((1, 4), (2, 5), (3, None))


def test_series__timestamp_without_value__is_unknown_and_nothing_is_wrong() -> None:
    parsed = parse(of_points(point(0), point(1, 4), {"timeStamp": point(2)["timeStamp"], "average": None}))
    assert parsed.series[0].average == (None, 4, None)
    assert parsed.unreadable == ()


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, -0.001, -5, "3", "", True, False, [1], {"v": 1}, 10**400, -(10**400)],
)
def test_series__value_that_cannot_be__is_unknown_and_counted(value: Any) -> None:
    document = of_points(point(0, 1), point(1, value), point(2, value), point(3, 4))
    found = one(document)
    assert found.minutes == minutes(0, 1, 2, 3)
    assert found.average == (1, None, None, 4)
    assert f"{P95}: 2 value(s) that no measurement can have" in reason(document)


def test_series__same_minute_twice_with_the_same_value__is_one_point() -> None:
    parsed = parse(of_points(point(0, 1), point(0, 1.0), point(1, 2)))
    assert parsed.series[0].minutes == minutes(0, 1)
    assert parsed.series[0].average == (1, 2)
    assert parsed.unreadable == ()


@pytest.mark.parametrize("second", [2, 0, None, -1])
def test_series__same_minute_twice_with_different_values__is_unknown(second: Any) -> None:
    document = of_points(point(0, 1), point(0, second), point(0, 1), point(1, 2))
    assert one(document).average == (None, 2)
    assert "1 minute(s) with different values (the first: '2026-03-01T12:00:00+00:00')" in reason(document)


def test_series__minute_contradicted_in_one_aggregation__keeps_the_other() -> None:
    asked = query(aggregations=("Average", "Maximum"))
    found = one(of_points(point(0, 1, maximum=9), point(0, 2, maximum=9)), asked)
    assert (found.average, found.maximum) == ((None,), (9,))


def test_series__twice_in_one_answer__is_judged_as_one() -> None:
    twice = answer(resource(metric(series([point(0, 1), point(1, 5)]), series([point(1, 6), point(2, 3)]))))
    found = one(twice)
    assert found.minutes == minutes(0, 1, 2)
    assert found.average == (1, None, 3)


def test_series__out_of_order__is_sorted() -> None:
    parsed = parse(of_points(point(2, 3), point(0, 1), point(1, 2)))
    assert parsed.series[0].minutes == minutes(0, 1, 2)
    assert parsed.series[0].average == (1, 2, 3)
    assert parsed.unreadable == ()


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (point(1.5, 9), "1 timestamp(s) that are no whole minute (the first: '2026-03-01T12:01:30Z')"),
        ({"timeStamp": "2026-03-01T12:01:00.5Z", "average": 9}, "1 timestamp(s) that are no whole minute"),
        (
            point(-1, 9),
            "1 timestamp(s) outside the time that was asked for (the first: '2026-03-01T11:59:00Z')",
        ),
        (
            point(10, 9),
            "1 timestamp(s) outside the time that was asked for (the first: '2026-03-01T12:10:00Z')",
        ),
        ({"timeStamp": "soon", "average": 9}, "1 timestamp(s) that can't be read (the first: 'soon')"),
        ({"timeStamp": 7, "average": 9}, "1 timestamp(s) that can't be read (the first: 7)"),
        ({"timeStamp": ["x"], "average": 9}, "1 timestamp(s) that can't be read (the first: list)"),
        ({"average": 9}, "1 timestamp(s) that can't be read (the first: None)"),
        ("nonsense", "1 point(s) that are no objects (the first: 'nonsense')"),
        (None, "1 point(s) that are no objects (the first: None)"),
    ],
)
def test_series__point_that_can_not_be_placed__is_dropped_and_named(bad: Any, said: str) -> None:
    document = of_points(point(0, 1), bad, point(2, 3))
    found = one(document)
    assert found.minutes == minutes(0, 2)
    assert found.average == (1, 3)
    assert said in reason(document)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:01:00+00:00",
        "2026-03-01T13:01:00+01:00",
        "2026-03-01T12:01:00.0000000Z",
        "2026-03-01T12:01:00",
    ],
)
def test_series__timestamp_in_another_spelling__is_the_same_minute(text: str) -> None:
    parsed = parse(of_points({"timeStamp": text, "average": 9}))
    assert parsed.series[0].minutes == minutes(1)
    assert parsed.unreadable == ()


def test_series__without_points__is_there_and_empty() -> None:
    found = one(of_points())
    assert (found.minutes, found.average) == ((), ())


def test_many_troubles__of_one_resource__are_listed_once_with_counts() -> None:
    names = (P95, "RequestsPerMinute")
    document = answer(
        resource(
            metric(series([point(0, math.nan), point(1, -1), point(30, 1)])),
            metric(series([point(0, "x")]), name="RequestsPerMinute"),
        )
    )
    told = reason(document, query(names=names))
    assert f"{P95}: 2 value(s) that no measurement can have (the first: nan)" in told
    assert f"{P95}: 1 timestamp(s) outside" in told
    assert "RequestsPerMinute: 1 value(s) that no measurement can have (the first: 'x')" in told


def test_metric__in_another_case__is_named_as_in_the_query() -> None:
    assert one(answer(resource(metric(series([point(0, 1)]), name="requestlatency_p95")))).metric == P95


def test_resource__in_another_case_and_without_resourceid__is_found_by_its_metric() -> None:
    item = resource(metric(series([point(0, 1)]), resource=samples.ENDPOINT.upper()))
    del item["resourceid"]
    assert one(answer(item)).resource_id == ID


def test_dimensions__names_are_lowered_and_values_kept() -> None:
    asked = query(dimensions=("deployment", "statusCode"))
    found = one(
        answer(resource(metric(series([point(0, 1)], {"Deployment": "Blue", "statuscode": "5XX"})))), asked
    )
    assert found.dimensions == {"deployment": "Blue", "statuscode": "5XX"}


def test_series__not_split__has_no_dimensions() -> None:
    plain = metric({"metadatavalues": [], "data": [point(0, 1)]}, {"data": []})
    assert one(answer(resource(plain)), query(dimensions=())).dimensions == {}


@pytest.mark.parametrize("value", [None, 7, ["x"], "a\x00b", "\ud800"])
def test_dimension__that_is_no_text_to_keep__makes_its_series_unreadable(value: Any) -> None:
    bad, good = series([point(0, 9)], {"deployment": value}), series([point(0, 1)])
    document = answer(resource(metric(bad, good)))
    assert one(document).average == (1,)
    assert f"{P95}: a series without readable dimensions and data" in reason(document)


def test_series__not_split_as_asked__is_unreadable_unless_it_is_empty() -> None:
    document = answer(resource(metric(series([point(0, 9)], {}))))
    assert parse(document).series == ()
    assert f"{P95}: a series that is not split by deployment" in reason(document)
    assert parse(answer(resource(metric(series([], {}))))) == Parsed((), (), ())


def test_metric__refused_by_azure__is_unreadable_with_azures_words() -> None:
    refused = metric(errorCode="Throttled", errorMessage="too many")
    assert f"{P95}: Azure answered 'Throttled too many'" in reason(answer(resource(refused)))


def test_metric__not_answered_for__is_named() -> None:
    asked = query(names=(P95, "RequestsPerMinute"))
    assert reason(of_points(point(0, 1)), asked) == "RequestsPerMinute: Azure did not answer for it"


def test_resource__not_answered_for__is_unreadable() -> None:
    other = f"{samples.ENDPOINT}-2"
    parsed = parse(of_points(point(0, 1)), ids=(samples.ENDPOINT, other))
    assert [item.item for item in parsed.unreadable] == [other.lower()]


def test_resource__nobody_asked_for__is_named_and_left_out() -> None:
    other = resource(metric(series([point(0, 9)])), arm_id="/subscriptions/x\x00")
    parsed = parse(answer(resource(metric(series([point(0, 1)]))), other, "nonsense", resource(arm_id="")))
    assert [found.average for found in parsed.series] == [(1,)]
    assert [item.item for item in parsed.unreadable] == [
        "/subscriptions/x\\x00",
        "item 2 of the metrics",
        "item 3 of the metrics",
    ]


def test_resource__in_steps_of_another_length__is_unreadable() -> None:
    assert reason(answer(resource(metric(series([point(0, 9)])), interval="PT15M"))) == (
        "the values are not of minutes but of 'PT15M'"
    )
    assert parse(answer(resource(metric(series([point(0, 9)])), interval="PT15M"))).series == ()


@pytest.mark.parametrize(
    "item",
    [
        resource(value=None),
        resource("nonsense"),
        resource({"name": {"value": 7}}),
        resource({**metric(), "timeseries": "x"}),
        resource(metric("x")),
        resource(metric({"data": "x"})),
        resource(metric({"data": [], "metadatavalues": 7})),
    ],
)
def test_resource__of_a_wrong_shape__spoils_only_itself(item: Any) -> None:
    good = f"{samples.ENDPOINT}-2"
    document = answer(item, resource(metric(series([point(0, 1)])), arm_id=good))
    parsed = parse(document, ids=(samples.ENDPOINT, good))
    assert [found.resource_id for found in parsed.series] == [good.lower()]
    assert [found.item for found in parsed.unreadable] == [ID]


@pytest.mark.parametrize("document", [None, [], {}, {"values": None}, {"values": {}}, "x", 7])
def test_answer__that_is_none__is_malformed(document: Any) -> None:
    with pytest.raises(Malformed, match="no list of values"):
        metrics_codec.batch(document, (samples.ENDPOINT,), query())
    with pytest.raises(Malformed, match="no list of metrics"):
        metrics_codec.single(document, samples.ENDPOINT, query())


def test_single__of_one_resource__is_read_like_a_batch_of_one() -> None:
    item = resource(metric(series([point(0, 1), point(1, -1)])))
    alone = {**item, "timespan": "x"}
    del alone["resourceid"]
    assert metrics_codec.single(alone, samples.ENDPOINT, query()) == parse(answer(item))


@pytest.mark.parametrize(("top", "cut"), [(2, (ID,)), (3, ())])
def test_truncated__as_many_series_as_allowed__names_the_resource(top: int, cut: tuple[str, ...]) -> None:
    split = [series([point(0, 1)], {"deployment": name}) for name in ("blue", "green")]
    assert parse(answer(resource(metric(*split))), query(top=top)).truncated == cut


def test_truncated__never_said_of_what_is_not_split() -> None:
    document = answer(resource(metric({"data": [point(0, 1)]})))
    assert parse(document, query(dimensions=(), top=1)).truncated == ()


_VALUES = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-3, 10**6),
    st.booleans(),
    st.text(max_size=2),
    st.sampled_from([10**400, [], {}]),
)
_POINTS = st.lists(st.tuples(st.sampled_from([-1, 0, 0.5, 1, 2, 3, 9, 10]), _VALUES, _VALUES), max_size=12)
_BOTH = query(aggregations=("Average", "Maximum"))


def judge(points: list[tuple[float, Any, Any]]) -> dict[int, tuple[Any, Any]]:
    """The rules once more, slowly: minute by minute, value by value."""

    def value(of: Any) -> Any:
        good = not isinstance(of, bool) and isinstance(of, (int, float)) and 0 <= of <= sys.float_info.max
        return of if good else None

    placed = sorted({minute for minute, *_ in points if 0 <= minute < 10 and minute == int(minute)})
    result = {}
    for minute in placed:
        columns = zip(*[(value(a), value(m)) for at, a, m in points if at == minute], strict=True)
        result[EPOCH + 60 * int(minute)] = tuple(
            column[0] if all(item == column[0] for item in column) else None for column in columns
        )
    return result


@given(_POINTS)
def test_series__any_points__are_what_the_rules_say(points: list[tuple[float, Any, Any]]) -> None:
    data = [point(minute, average, maximum=maximum) for minute, average, maximum in points]
    found = one(answer(resource(metric(series(data)))), _BOTH)
    rows = dict(zip(found.minutes, zip(found.average, found.maximum, strict=True), strict=True))
    assert rows == judge(points)
    assert list(found.minutes) == sorted(set(found.minutes))
    assert all(
        value is None or (type(value) in (int, float) and 0 <= value < math.inf) for value in found.average
    )


@given(_POINTS, st.randoms(use_true_random=False))
def test_series__points_in_any_order__are_the_same(
    points: list[tuple[float, Any, Any]], shuffler: random.Random
) -> None:
    data = [point(minute, average, maximum=maximum) for minute, average, maximum in points]
    mixed = data[:]
    shuffler.shuffle(mixed)
    assert one(answer(resource(metric(series(data)))), _BOTH) == one(
        answer(resource(metric(series(mixed)))), _BOTH
    )


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "values",
                    "value",
                    "name",
                    "timeseries",
                    "data",
                    "timeStamp",
                    "metadatavalues",
                    "resourceid",
                    "id",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_answer__any_json_in_place_of_a_resource__never_fails_and_never_invents(nonsense: Any) -> None:
    parsed = parse(answer(nonsense, resource(metric(series([point(0, 1)])))))
    assert parsed.series[0].average == (1,)
    assert len(parsed.series) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"namespace": "Microsoft.Compute/virtualMachines"},
        {"names": ()},
        {"names": tuple(f"m{number}" for number in range(21))},
        {"names": ("a,b",)},
        {"dimensions": ("deployment eq 'x' or y",)},
        {"aggregations": ()},
        {"aggregations": ("Total",)},
        {"since": START.replace(tzinfo=None)},
        {"since": START + timedelta(seconds=1)},
        {"since": START + timedelta(hours=1)},
        {"since": datetime(1960, 1, 1, tzinfo=UTC)},
        {"top": 0},
    ],
)
def test_query__that_can_not_be_asked__says_why(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"[A-Za-z]"):
        query(**changes)


def test_query__of_deployments__is_allowed() -> None:
    assert query(namespace=DEPLOYMENT_METRICS, dimensions=()).top == 1000
