"""The pure parts of metrics: runs of minutes, filters, rhythm, what a query may say, the text of points."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.behaviour import Behaviour
from emulator.errors import ArmError
from emulator.models import Failure, Model
from emulator.monitor import filters, query, rhythm
from emulator.monitor.catalogue import ENDPOINT
from emulator.monitor.history import Standing
from emulator.monitor.load import Spell
from emulator.monitor.minutes import OK, THROTTLED, Minutes
from emulator.monitor.runs import between, runs, spread
from emulator.monitor.text import Writer, stamps
from emulator.monitor.window import Window, visible

NOW = datetime(2026, 11, 25, 12, 0, 30, tzinfo=UTC)


def test_runs__change_within_a_minute__is_mixed_by_the_second() -> None:
    found = runs(between([(0.0, 100.0), (90.0, 0.0), (150.0, 50.0)], 300.0), 0, 5)

    assert spread(found, 5) == [100.0, 50.0, 25.0, 50.0, 50.0]


def test_runs__two_changes_in_one_minute__are_both_counted() -> None:
    found = runs(between([(0.0, 1.0), (70.0, 2.0), (100.0, 4.0)], 180.0), 0, 3)

    assert spread(found, 3) == pytest.approx([1.0, (10 * 1 + 30 * 2 + 20 * 4) / 60, 4.0])


@given(
    st.lists(st.tuples(st.integers(0, 1200), st.integers(0, 100)), min_size=1, max_size=8),
    st.integers(0, 5),
    st.integers(1, 15),
)
def test_runs__of_any_changes__are_what_each_second_says(
    changes: list[tuple[int, int]], start: int, count: int
) -> None:
    changes = sorted(dict(changes).items())
    seconds = [0.0] * 1300
    for at, value in changes:
        seconds[at:] = [float(value)] * (1300 - at)

    found = runs(between([(float(a), float(v)) for a, v in changes], 60.0 * (start + count)), start, count)

    wanted = [sum(seconds[60 * m : 60 * m + 60]) / 60 for m in range(start, start + count)]
    assert spread(found, count) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, {}),
        ("deployment eq '*'", {"deployment": None}),
        (
            "Deployment EQ 'Green' AND statusCode eq '*'",
            {"Deployment": frozenset({"green"}), "statusCode": None},
        ),
        ("a eq '1' or a eq '2' and b eq 'it''s'", {"a": frozenset({"1", "2"}), "b": frozenset({"it's"})}),
    ],
)
def test_filter__of_a_known_form__is_read(text: str | None, wanted: filters.Wanted) -> None:
    assert filters.parse(text) == wanted
    assert list(filters.parse(text)) == list(wanted)


@pytest.mark.parametrize(
    "text",
    [
        "deployment",
        "deployment gt '1'",
        "a eq '1' or b eq '2'",
        "a eq '1' a eq '2'",
        "a eq 1",
        "a eq '1' and",
    ],
)
def test_filter__that_is_none__is_an_error(text: str) -> None:
    with pytest.raises(filters.FilterError):
        filters.parse(text)


def test_week__of_any_shape__is_one_on_average_on_a_weekday() -> None:
    table = rhythm.week(4.0, 19.0, 0.6)
    monday = (datetime(2026, 11, 23, tzinfo=UTC).timestamp() // 60) % rhythm.WEEK
    saturday = (datetime(2026, 11, 28, tzinfo=UTC).timestamp() // 60) % rhythm.WEEK
    day = rhythm.looped(table, int(monday), rhythm.DAY)

    assert sum(day) / rhythm.DAY == pytest.approx(1.0)
    assert max(day) / min(day) == pytest.approx(4.0)
    assert day.index(max(day)) == 19 * 60
    assert sum(rhythm.looped(table, int(saturday), rhythm.DAY)) / rhythm.DAY == pytest.approx(0.6)


@given(st.integers(0, 10**9), st.integers(0, 400))
def test_looped__anywhere__repeats_the_table(start: int, count: int) -> None:
    table = [float(i) for i in range(97)]

    assert rhythm.looped(table, start, count) == [float((start + i) % 97) for i in range(count)]


def asked(behaviour: Behaviour | None = None, **sent: str) -> query.Query:
    span = query.batch_span(sent, NOW)
    return query.parse(sent, ENDPOINT, span, behaviour or Behaviour())


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (
            {"metricnames": "Requests"},
            "Failed to find metric configuration for provider: microsoft.machinelearn",
        ),
        ({"aggregation": "Median"}, "query parameter: 'aggregation'"),
        (
            {"metricnames": "NetworkBytes", "filter": "deployment eq '*'"},
            "does not support requested dimension",
        ),
        ({"interval": "00:01:00"}, "query parameter: 'interval'"),
        ({"interval": "PT3M"}, "query parameter: 'interval'"),
        ({"top": "0"}, "query parameter: 'top'"),
        ({"orderby": "size desc"}, "query parameter: 'orderby'"),
        ({"rollupby": "deployment"}, "query parameter: 'rollupby'"),
        ({"resulttype": "metadata"}, "query parameter: 'resulttype'"),
        ({"starttime": "yesterday"}, "query parameter: 'starttime'"),
        ({"starttime": "2026-11-25T11:00:00Z", "endtime": "2026-11-25T10:00:00Z"}, "is after endTime"),
        (
            {"starttime": "2026-01-01T00:00:00Z", "endtime": "2026-01-02T00:00:00Z"},
            "out of the Max metrics retention",
        ),
    ],
)
def test_query__that_azure_refuses__is_a_400_in_its_words(sent: dict[str, str], said: str) -> None:
    with pytest.raises(ArmError) as refused:
        asked(**sent)

    assert (refused.value.status, refused.value.code) == (400, "BadRequest")
    assert said in refused.value.message


def test_query__names_in_any_case__are_found() -> None:
    found = asked(metricnames="requestsperminute", filter="DEPLOYMENT eq '*' and STATUSCODE eq '200'")

    assert [metric.name for metric in found.metrics] == ["RequestsPerMinute"]
    assert found.metrics[0].dimension("STATUSCODE") == "statusCode"


def test_query__unadvertised_aggregation__is_refused_when_so_set() -> None:
    with pytest.raises(ArmError, match="does not support requested aggregation"):
        asked(
            Behaviour(unadvertised_aggregation="refused"),
            metricnames="RequestsPerMinute",
            aggregation="Maximum",
        )


def test_query__longer_interval__is_refused_when_so_set() -> None:
    with pytest.raises(ArmError, match="supported ones are: PT1M"):
        asked(Behaviour(longer_intervals="refused"), interval="PT5M")


@pytest.mark.parametrize(
    ("timespan", "minutes"),
    [
        ("PT30M", 30),
        ("2026-11-25T10:00:00Z/PT1H", 60),
        ("2026-11-25T09:00:00Z/2026-11-25T10:30:00Z", 90),
        (None, 60),
    ],
)
def test_timespan__in_each_form__is_read(timespan: str | None, minutes: int) -> None:
    span = query.listed_span(timespan, NOW)

    assert span.end - span.start == minutes


def test_window__is_cut__by_lag_and_retention() -> None:
    now = NOW.timestamp()
    minute = int(now // 60)

    late = visible(minute - 10, minute + 10, now=now, lag=75, settle=0)
    old = visible(minute - 200 * 1440, minute, now=now, lag=0, settle=0)

    assert late.count == 9  # the minute that ended 30 s ago has not come in
    assert old.start == minute - 93 * 1440


def test_window__unsettled_minutes__report_more_as_they_age() -> None:
    window = visible(0, 10_000, now=600.0, lag=0, settle=240)

    parts = window.parts()

    assert [i for i, _ in parts] == [6, 7, 8, 9]
    assert [part for _, part in parts] == sorted((part for _, part in parts), reverse=True)
    assert all(0 < part < 1 for _, part in parts)


def minutes(
    count: int = 120, demand: float = 1000.0, share: float = 1.0, instances: int = 2, **options: Any
) -> Minutes:
    return Minutes(
        window=options.pop("window", Window(1000, count, now=1e9)),
        seed=1,
        place=options.pop("place", 5),
        model=options.pop("model", Model()),
        demand=[demand] * count,
        weights=options.pop("weights", [(0.0, share)]),
        standings=options.pop("standings", [Standing(0.0, "Succeeded", instances, {})]),
        **options,
    )


def test_minutes__outcomes__are_all_requests() -> None:
    found = minutes(model=Model(failures=(Failure(0.02, 500), Failure(0.01, 503))))

    totals = [sum(counts) for counts in zip(*found.outcomes.values(), strict=True)]

    assert totals == found.requests
    assert sum(found.outcomes[424, 500]) / sum(found.requests) == pytest.approx(0.02, rel=0.05)
    assert sum(found.outcomes[424, 503]) / sum(found.requests) == pytest.approx(0.01, rel=0.05)


def test_minutes__small_shares__keep_their_mean() -> None:
    found = minutes(count=1400, demand=0.3, share=0.5)

    assert sum(found.requests) / 1400 == pytest.approx(0.15, rel=0.2)


def test_minutes__more_than_the_instances_carry__is_429() -> None:
    found = minutes(demand=9000.0, instances=1, model=Model(p50_ms=20, p95_ms=20))

    assert found.outcomes[THROTTLED] == [6000] * 120
    assert max(found.outcomes[OK]) <= 3000


def test_minutes__failed_deployment__has_instances_but_no_requests() -> None:
    found = minutes(standings=[Standing(0.0, "Creating", 2, {}), Standing(61_000.0, "Failed", 2, {})])

    assert sum(found.requests) == 0
    assert found.latency("p95") == [None] * 120
    assert sum(last - first for first, last, _ in found.existing) == 120


def test_minutes__latencies__go_through_the_models_percentiles_and_keep_their_order() -> None:
    found = minutes(demand=10.0, model=Model(p50_ms=20, p95_ms=60))
    columns = [found.latency(name) for name in ("p50", "p90", "p95", "p99")]

    assert sum(value or 0 for value in columns[0]) / 120 == pytest.approx(20, rel=0.03)
    assert sum(value or 0 for value in columns[2]) / 120 == pytest.approx(60, rel=0.03)
    assert all(list(row) == sorted(row) for row in zip(*columns, strict=True))  # type: ignore[type-var]


def test_minutes__load__makes_latency_worse() -> None:
    idle, busy = minutes(demand=10.0), minutes(demand=4000.0)

    assert (busy.latency("p95")[50] or 0) > 1.4 * (idle.latency("p95")[50] or 0)


def test_minutes__bad_time__shows_where_it_was_and_nowhere_else() -> None:
    spell = Spell(60_000 + 600.0, 60_000 + 1200.0, p95_factor=3.0, failure_rate=0.1, status=502)
    usual, bad = minutes(), minutes(spells=(spell,))

    ratio = [(b or 0) / (a or 1) for a, b in zip(usual.latency("p95"), bad.latency("p95"), strict=True)]

    assert ratio == pytest.approx([1.0] * 10 + [3.0] * 10 + [1.0] * 100, rel=0.05)
    assert [i for i, count in enumerate(bad.outcomes[424, 502]) if count] == list(range(10, 20))


def test_minutes__growing_time__rises_and_stays() -> None:
    spell = Spell(60_000.0, 60_000 + 3600.0, p95_factor=3.0, grows=True)
    usual, bad = minutes(demand=1.0), minutes(demand=1.0, spells=(spell,))

    pairs = zip(usual.latency("p95"), bad.latency("p95"), strict=True)
    ratio = [round((b or 0) / (a or 1), 6) for a, b in pairs if a]

    assert ratio[0] == pytest.approx(1.0)
    assert ratio == sorted(ratio)
    assert ratio[-1] == pytest.approx(3.0)


@given(st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=1, max_size=30))
def test_writer__any_series__is_json_with_every_time_stamp(column: list[int | None]) -> None:
    writer = Writer(stamps(29_000_000, len(column), 1))

    points = json.loads(writer.points({"average": column, "maximum": column}, "%s"))

    assert [point.get("average") for point in points] == column
    assert [set(point) for point in points] == [
        {"timeStamp"} if value is None else {"timeStamp", "average", "maximum"} for value in column
    ]
    assert [point["timeStamp"] for point in points] == writer.stamps


def test_stamps__across_midnight__are_minutes_in_utc() -> None:
    start = int((datetime(2026, 12, 31, 23, 58, tzinfo=UTC)).timestamp() // 60)

    assert stamps(start, 4, 1) == [
        "2026-12-31T23:58:00Z",
        "2026-12-31T23:59:00Z",
        "2027-01-01T00:00:00Z",
        "2027-01-01T00:01:00Z",
    ]
    assert stamps(start + 2, 10, 5) == ["2027-01-01T00:00:00Z", "2027-01-01T00:05:00Z"]
    assert timedelta(minutes=start + 2) == datetime(2027, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
