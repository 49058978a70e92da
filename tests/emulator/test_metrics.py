"""Metrics over HTTP: what the list API and getBatch answer, refuse, and how the world log shows in them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.foreign import perform
from tests.emulator.arm import CHECKOUT, EMPTY, HOME_RECS, PHOTO, PROD, PROD_WORKSPACE, SHADOWED, TEST, Arm
from tests.emulator.metrics import DEPLOYMENTS, ENDPOINTS, Metrics, series

pytestmark = pytest.mark.asyncio
BY_DEPLOYMENT = "deployment eq '*'"
BY_STATUS = f"{BY_DEPLOYMENT} and statusCode eq '*' and modelStatusCode eq '*'"


@pytest.fixture
def metrics(arm: Arm) -> Metrics:
    return Metrics(arm)


def turned(arm: Arm, **behaviour: Any) -> None:
    arm.cloud.settings.change({"behaviour": behaviour})


def settled(arm: Arm) -> None:
    turned(arm, metrics_lag_seconds=0.0, metrics_settle_seconds=0.0)


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def of(arm: Arm, since: float, until: float = 0.0) -> dict[str, str]:
    """A time so many minutes back, as query parameters."""
    now = arm.clock()
    return {"starttime": iso(now - timedelta(minutes=since)), "endtime": iso(now - timedelta(minutes=until))}


async def test_batch__of_two_endpoints__answers_in_microsofts_shape(arm: Arm, metrics: Metrics) -> None:
    found = await metrics.batch(
        [CHECKOUT, PHOTO.upper()], metricnames="RequestsPerMinute,RequestLatency_P95", **of(arm, 60, 30)
    )

    assert found.status == 200
    first, second = found.body["values"]
    assert set(first) == {
        *("starttime", "endtime", "interval", "namespace", "resourceregion", "resourceid", "value")
    }
    assert (first["interval"], first["namespace"], first["resourceregion"]) == (
        "PT1M",
        ENDPOINTS.lower(),
        "westeurope",
    )
    assert (first["resourceid"], second["resourceid"]) == (CHECKOUT, PHOTO.upper())
    metric = first["value"][1]
    assert metric["id"] == f"{CHECKOUT}/providers/Microsoft.Insights/metrics/RequestLatency_P95"
    assert (metric["type"], metric["unit"], metric["errorCode"]) == (
        "Microsoft.Insights/metrics",
        "Milliseconds",
        "Success",
    )
    assert metric["timeseries"][0]["metadatavalues"] == []
    assert len(metric["timeseries"][0]["data"]) == 30


async def test_batch__split_by_dimensions__names_them_in_lower_case(arm: Arm, metrics: Metrics) -> None:
    found = await metrics.batch(
        [CHECKOUT], metricnames="RequestsPerMinute", filter="DEPLOYMENT eq 'BLUE' and statusCode eq '200'"
    )

    [one] = found.body["values"][0]["value"][0]["timeseries"]
    assert [(item["name"]["value"], item["value"]) for item in one["metadatavalues"]] == [
        ("deployment", "blue"),
        ("statuscode", "200"),
    ]


async def test_list__same_question__same_values_as_the_batch(arm: Arm, metrics: Metrics) -> None:
    now = arm.clock()
    span = f"{iso(now - timedelta(hours=2))}/{iso(now)}"
    listed = await arm(
        "GET",
        f"{CHECKOUT}/providers/Microsoft.Insights/metrics?api-version=2024-02-01&timespan={span}&top=100"
        f"&metricnames=RequestsPerMinute&metricnamespace={ENDPOINTS}&interval=PT1M&$filter={BY_STATUS}",
    )

    assert listed.status == 200, listed.body
    assert (listed.body["namespace"], listed.body["resourceregion"]) == (ENDPOINTS, "westeurope")
    assert (listed.body["timespan"], listed.body["interval"]) == (span, "PT1M")
    batch = await metrics.one(CHECKOUT, "RequestsPerMinute", BY_STATUS, **of(arm, 120))
    assert series(listed.body["value"][0]) == batch


async def test_metrics__asked_again_or_after_a_restart__are_the_same(
    arm: Arm, metrics: Metrics, make_cloud: Any
) -> None:
    times = of(arm, 300)
    first = await metrics.one(CHECKOUT, "RequestLatency_P95", BY_DEPLOYMENT, **times)

    arm.cloud.source = make_cloud().source
    again = await metrics.one(CHECKOUT, "RequestLatency_P95", BY_DEPLOYMENT, **times)

    assert first == again


async def test_top__not_sent__cuts_at_ten_without_a_word(arm: Arm, metrics: Metrics) -> None:
    arm.cloud.source.models.by_deployment.clear()
    for number in range(12):
        await arm(
            "PUT", f"{CHECKOUT}/deployments/d{number:02}x", await arm.get(f"{CHECKOUT}/deployments/green")
        )
    arm.clock.tick(60)
    turned(arm, idle_endpoint_series="zero", metrics_lag_seconds=0.0)
    arm.clock.tick(180)

    usual = await metrics.batch([CHECKOUT], metricnames="RequestsPerMinute", filter=BY_DEPLOYMENT)
    told = await metrics.one(CHECKOUT, "RequestsPerMinute", BY_DEPLOYMENT)

    found = series(usual.body["values"][0]["value"][0])
    assert (len(found), len(told)) == (10, 14)
    assert next(iter(found)) == ("blue",)  # the largest comes first


async def test_orderby__ascending__brings_the_smallest_first(metrics: Metrics) -> None:
    found = await metrics.one(PHOTO, "RequestsPerMinute", BY_DEPLOYMENT, orderby="average asc")

    assert list(found) == [("next",), ("main",)]


async def test_interval__of_five_minutes__is_the_mean_of_five(arm: Arm, metrics: Metrics) -> None:
    settled(arm)
    fine = await metrics.one(CHECKOUT, "RequestsPerMinute", **of(arm, 30))
    coarse = await metrics.one(CHECKOUT, "RequestsPerMinute", **of(arm, 30), interval="PT5M")

    values = list(fine[()].values())
    assert list(coarse[()].values()) == pytest.approx([sum(values[i : i + 5]) / 5 for i in range(0, 30, 5)])


async def test_newest_minutes__are_absent_and_then_grow_until_they_settle(arm: Arm, metrics: Metrics) -> None:
    minute = iso(arm.clock())
    times = {"starttime": minute, "endtime": iso(arm.clock() + timedelta(minutes=10))}
    seen = []
    for _ in range(8):
        arm.clock.tick(60)
        seen.append((await metrics.one(CHECKOUT, "RequestsPerMinute", **times))[()].get(minute))

    assert seen[:2] == [None, None]
    known = [value for value in seen if value is not None]
    assert known == sorted(known)
    assert known[0] < known[-1]
    assert known[-1] == known[-2]


async def test_points__of_the_future_and_beyond_retention__are_not_there(arm: Arm, metrics: Metrics) -> None:
    now = arm.clock()
    found = await metrics.one(
        CHECKOUT,
        "RequestsPerMinute",
        starttime=iso(now - timedelta(days=120)),
        endtime=iso(now + timedelta(hours=5)),
        interval="P1D",
    )

    times = sorted(found[()])
    assert times[0] >= iso(now - timedelta(days=94))
    assert times[-1] <= iso(now)


async def test_deployment__before_it_stood__has_no_value(arm: Arm, metrics: Metrics) -> None:
    stood = datetime.fromisoformat(
        arm.cloud.control.world.resources[f"{CHECKOUT}/deployments/green".lower()].created_at
    )

    found = await metrics.one(
        f"{CHECKOUT}/deployments/green",
        "DeploymentCapacity",
        starttime=iso(stood - timedelta(minutes=30)),
        endtime=iso(stood + timedelta(minutes=30)),
    )

    known = [time for time, value in found[()].items() if value is not None]
    assert len(found[()]) == 60
    assert min(known) >= iso(stood - timedelta(minutes=1))
    assert set(list(found[()].values())[31:]) == {4}


async def test_split__shifted__moves_both_curves_at_its_minute(arm: Arm, metrics: Metrics) -> None:
    settled(arm)
    arm.clock.tick(30)  # in the middle of a minute
    began = arm.clock()
    await arm.put_traffic(CHECKOUT, {"blue": 50, "green": 50})
    arm.clock.tick(600)

    found = await metrics.one(
        CHECKOUT,
        "RequestsPerMinute",
        BY_DEPLOYMENT,
        starttime=iso(began - timedelta(minutes=5)),
        endtime=iso(arm.clock()),
    )

    blue, green = list(found["blue",].values()), list(found["green",].values())
    assert green[:5] == [None] * 5
    assert 0 < green[5] < 0.35 * blue[5]  # the minute of the shift, mixed: half of it at 50 %
    assert all(abs(a - b) <= 1 for a, b in zip(blue[6:], green[6:], strict=True))
    assert blue[4] > 1.7 * blue[6]


async def test_split__takes_effect_at_once__counts_from_the_beginning(arm: Arm, metrics: Metrics) -> None:
    settled(arm)
    arm.cloud.settings.change({"durations": {"endpoint_update": 300}})
    times = of(arm, 0, -10)
    await arm.put_traffic(CHECKOUT, {"blue": 50, "green": 50})
    arm.clock.tick(600)

    late = await metrics.one(CHECKOUT, "RequestsPerMinute", "deployment eq 'green'", **times)
    turned(arm, traffic_takes_effect="begin")
    early = await metrics.one(CHECKOUT, "RequestsPerMinute", "deployment eq 'green'", **times)

    assert [value is None for value in late["green",].values()] == [True] * 5 + [False] * 5
    assert all(value is not None for value in early["green",].values())


async def test_mirrored_requests__count_in_the_shadow_deployment(arm: Arm, metrics: Metrics) -> None:
    found = await metrics.one(SHADOWED, "RequestsPerMinute", BY_DEPLOYMENT, **of(arm, 120, 60))

    live, shadow = sum(found["live",].values()), sum(found["shadow",].values())
    assert shadow / live == pytest.approx(0.1, rel=0.02)


async def test_failed_deployment__has_capacity_and_no_requests(arm: Arm, metrics: Metrics) -> None:
    broken = f"{PHOTO}/deployments/broken"

    capacity = await metrics.one(broken, "DeploymentCapacity", "State eq '*'")
    requests = await metrics.one(broken, "RequestsPerMinute")

    assert list(capacity) == [("Failed",)]
    assert set(capacity["Failed",].values()) == {2}
    assert set(requests[()].values()) == {None}


async def test_capacity__scaled__follows_the_instances(arm: Arm, metrics: Metrics) -> None:
    settled(arm)
    blue = f"{CHECKOUT}/deployments/blue"
    times = of(arm, 5, -10)
    await arm("PATCH", blue, {"sku": {"capacity": 6}}, version="2023-04-01-preview")
    arm.clock.tick(600)

    total = await metrics.one(blue, "DeploymentCapacity", **times)
    each = await metrics.one(blue, "DeploymentCapacity", "instanceId eq '*' and State eq '*'", **times)

    values = list(total[()].values())
    assert (values[:5], values[6:]) == ([4] * 5, [6] * 9)
    assert len(each) == 6
    assert {state for _, state in each} == {"Ready"}


async def test_gpu__only_on_gpu_skus(metrics: Metrics) -> None:
    with_gpu = await metrics.one(f"{PHOTO}/deployments/main", "GpuUtilizationPercentage", "instanceId eq '*'")
    without = await metrics.one(
        f"{CHECKOUT}/deployments/blue", "GpuUtilizationPercentage", "instanceId eq '*'"
    )

    assert len(with_gpu) == 1
    assert all(0 <= value <= 100 for one in with_gpu.values() for value in one.values())
    assert without == {}


async def test_resource_metrics__with_all_aggregations__are_ordered(arm: Arm, metrics: Metrics) -> None:
    found = await metrics.batch(
        [f"{CHECKOUT}/deployments/blue"],
        metricnamespace=DEPLOYMENTS,
        metricnames="CpuUtilizationPercentage,CpuMemoryUtilizationPercentage,DiskUtilization",
        aggregation="Minimum,Average,Maximum",
    )

    points = [p for m in found.body["values"][0]["value"] for p in m["timeseries"][0]["data"]]
    assert len(points) == 3 * 58
    assert all(p["minimum"] <= p["average"] <= p["maximum"] <= 100 for p in points)


async def test_idle_deployment__is_absent_above_and_zero_below(arm: Arm, metrics: Metrics) -> None:
    green = f"{CHECKOUT}/deployments/green"

    above = await metrics.one(CHECKOUT, "RequestsPerMinute", BY_DEPLOYMENT)
    below = await metrics.one(green, "RequestsPerMinute")
    turned(arm, idle_endpoint_series="zero", idle_deployment_requests="nothing")
    above_turned = await metrics.one(CHECKOUT, "RequestsPerMinute", BY_DEPLOYMENT)
    below_turned = await metrics.one(green, "RequestsPerMinute")

    assert (list(above), set(below[()].values())) == ([("blue",)], {0})
    assert (set(above_turned["green",].values()), set(below_turned[()].values())) == ({0}, {None})


async def test_quiet_minutes__are_turned(arm: Arm, metrics: Metrics) -> None:
    arm.cloud.workload.loads.clear()
    zero = await metrics.one(CHECKOUT, "RequestsPerMinute", BY_DEPLOYMENT)
    turned(arm, quiet_minutes="nothing")
    nothing = await metrics.one(CHECKOUT, "RequestsPerMinute", BY_DEPLOYMENT)

    assert (set(zero["blue",].values()), nothing) == ({0}, {})


async def test_capacity_states__are_turned(arm: Arm, metrics: Metrics) -> None:
    turned(arm, capacity_ready="Healthy", capacity_failed="Broken", capacity_pending="Waiting")
    arm.cloud.settings.change({"durations": {"deployment_create": 3600}})
    document = await arm.get(f"{CHECKOUT}/deployments/green")
    await arm("PUT", f"{CHECKOUT}/deployments/red", document)
    arm.clock.tick(300)

    asked = [f"{CHECKOUT}/deployments/blue", f"{CHECKOUT}/deployments/red", f"{PHOTO}/deployments/broken"]
    found = [await metrics.one(item, "DeploymentCapacity", "State eq '*'") for item in asked]

    assert [list(item) for item in found] == [[("Healthy",)], [("Waiting",)], [("Broken",)]]


async def test_endpoint__without_any_metrics__answers_time_stamps_alone(arm: Arm, metrics: Metrics) -> None:
    found = await metrics.batch(
        [EMPTY], region="northeurope", subscription=TEST, metricnames="RequestsPerMinute"
    )

    [one] = found.body["values"][0]["value"][0]["timeseries"]
    assert {tuple(point) for point in one["data"]} == {("timeStamp",)}


async def test_endpoint__deleted__is_no_resource_and_ends_its_deployments(arm: Arm, metrics: Metrics) -> None:
    settled(arm)
    times = of(arm, 5, -5)
    arm.clock.tick(60)
    perform(arm.cloud.control, {"resource": CHECKOUT, "who": "someone", "delete": True})
    arm.clock.tick(240)
    gone = await metrics.batch([CHECKOUT], metricnames="RequestsPerMinute", **times)

    life = arm.cloud.source.history.life(CHECKOUT)
    assert life is not None
    assert [standings[-1].exists for standings in life.standings.values()] == [False, False]
    assert gone.body["values"][0]["value"][0]["errorCode"] == "ResourceNotFound"


async def test_aggregation__that_is_not_advertised__is_left_out(metrics: Metrics) -> None:
    found = await metrics.batch([CHECKOUT], metricnames="RequestsPerMinute", aggregation="Average,Maximum")

    assert set(found.body["values"][0]["value"][0]["timeseries"][0]["data"][0]) == {"timeStamp", "average"}


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([CHECKOUT] * 51, "exceeds the maximum of 50"),
        ([], "no list of resourceids"),
        ([CHECKOUT, HOME_RECS], "is not in the subscription"),
        ([CHECKOUT, f"{CHECKOUT}/deployments/blue"], "same resource type"),
        ([PROD_WORKSPACE], "has no platform metrics"),
        (["checkout-risk"], "Invalid resource id"),
    ],
)
async def test_batch__that_breaks_a_rule__is_400(metrics: Metrics, ids: list[str], said: str) -> None:
    found = await metrics.batch(ids, metricnames="RequestsPerMinute")

    assert (found.status, found.code, found.headers["x-ms-error-code"]) == (400, "BadRequest", "BadRequest")
    assert said in found.message
    assert found.body["error"]["additionalInfo"][0]["info"].startswith("TraceId=")


async def test_batch__of_another_region__is_400(metrics: Metrics) -> None:
    found = await metrics.batch([CHECKOUT], region="northeurope")

    assert (found.status, "is not in the region" in found.message) == (400, True)


async def test_batch__with_a_key_in_another_spelling__is_400(metrics: Metrics) -> None:
    found = await metrics.batch([CHECKOUT], body={"resourceIds": [CHECKOUT]})

    assert found.status == 400


async def test_batch__missing_resource__spoils_what_the_setting_says(arm: Arm, metrics: Metrics) -> None:
    gone = f"{PROD_WORKSPACE}/onlineEndpoints/gone"
    itself = await metrics.batch([CHECKOUT, gone], metricnames="RequestsPerMinute")
    turned(arm, unknown_resource_spoils="call")
    call = await metrics.batch([CHECKOUT, gone], metricnames="RequestsPerMinute")

    assert [value["value"][0]["errorCode"] for value in itself.body["values"]] == [
        "Success",
        "ResourceNotFound",
    ]
    assert (call.status, call.code) == (404, "ResourceNotFound")


async def test_batch__token_for_arm__is_401(metrics: Metrics) -> None:
    found = await metrics.batch([CHECKOUT], audience="https://management.azure.com")

    assert (found.status, found.code) == (401, "InvalidAuthenticationTokenAudience")


async def test_list__token_for_the_data_plane__is_401(arm: Arm) -> None:
    path = f"{CHECKOUT}/providers/Microsoft.Insights/metrics"
    found = await arm("GET", path, Authorization=f"Bearer {arm.token('https://metrics.monitor.azure.com')}")

    assert found.status == 401


async def test_metrics__without_the_role_action__are_403_on_both_planes(arm: Arm, metrics: Metrics) -> None:
    limited = arm.cloud.tokens.identities[0]
    object.__setattr__(limited, "not_actions", ("Microsoft.Insights/metrics/read",))

    batch = await metrics.batch([CHECKOUT])
    listed = await arm("GET", f"{CHECKOUT}/providers/Microsoft.Insights/metrics")

    assert [(found.status, found.code) for found in (batch, listed)] == [(403, "AuthorizationFailed")] * 2
    assert "Microsoft.Insights/metrics/read" in batch.message


async def test_list__unknown_metric__is_400_without_error_around_it(arm: Arm) -> None:
    found = await arm(
        "GET", f"{CHECKOUT}/providers/Microsoft.Insights/metrics?api-version=2018-01-01&metricnames=Nope"
    )

    assert found.status == 400
    assert found.body["code"] == "BadRequest"
    assert "Valid metrics: ConnectionsActive," in found.body["message"]


async def test_namespace__of_another_type__is_400(metrics: Metrics) -> None:
    found = await metrics.batch([CHECKOUT], metricnamespace=DEPLOYMENTS)

    assert (found.status, "query parameter: 'metricnamespace'" in found.message) == (400, True)


async def test_definitions_and_namespaces__name_every_metric(arm: Arm) -> None:
    found = await arm.get(f"{CHECKOUT}/deployments/blue/providers/Microsoft.Insights/metricDefinitions")
    space = await arm.get(f"{CHECKOUT}/deployments/blue/providers/microsoft.insights/metricNamespaces")

    assert len(found["value"]) == 14
    assert space["value"][0]["properties"]["metricNamespaceName"] == DEPLOYMENTS


async def test_budget__of_calls_and_points__are_429_and_529(arm: Arm, metrics: Metrics) -> None:
    arm.cloud.settings.change({"metrics_calls_per_minute": 2})
    calls = [await metrics.batch([CHECKOUT]) for _ in range(3)]
    arm.cloud.settings.change({"metrics_calls_per_minute": 0, "metrics_points_per_minute": 100})
    points = [await metrics.batch([CHECKOUT, PHOTO]) for _ in range(2)]

    assert [found.status for found in calls] == [200, 200, 429]
    assert [found.status for found in points] == [200, 529]
    assert int(calls[2].headers["Retry-After"]) >= 1
    assert int(points[1].headers["Retry-After"]) >= 1


async def test_scoring__really_asked__counts_in_its_minute(arm: Arm, metrics: Metrics) -> None:
    settled(arm)
    arm.cloud.workload.loads.clear()
    keys = await arm("POST", f"{CHECKOUT}/listKeys")
    for name in ("blue", "blue", "green"):
        response = await arm.client.post(
            "/scoring/westeurope/checkout-risk/score",
            json={},
            headers={"Authorization": f"Bearer {keys.body['primaryKey']}", "azureml-model-deployment": name},
        )
        assert response.status == 200
    minute = iso(arm.clock())
    arm.clock.tick(120)

    requests = await metrics.one(CHECKOUT, "RequestsPerMinute", BY_STATUS, **of(arm, 3))
    latency = await metrics.one(CHECKOUT, "RequestLatency_P95", BY_DEPLOYMENT, **of(arm, 3))
    below = await metrics.one(f"{CHECKOUT}/deployments/green", "RequestsPerMinute", **of(arm, 3))

    assert {label: one[minute] for label, one in requests.items()} == {
        ("blue", "200", "200"): 2,
        ("green", "200", "200"): 1,
    }
    assert (latency["green",][minute] or 0) > 0
    assert below[()][minute] == 1


async def test_absent_model_status__is_turned(arm: Arm, metrics: Metrics) -> None:
    arm.cloud.source.counted.add(
        f"{CHECKOUT}/deployments/blue", int(arm.clock().timestamp() // 60) - 9, (429, None), None
    )

    usual = await metrics.one(CHECKOUT, "RequestsPerMinute", "modelStatusCode eq '*'")
    turned(arm, absent_model_status="0")
    turned_ = await metrics.one(CHECKOUT, "RequestsPerMinute", "modelStatusCode eq '*'")

    assert (("None",) in usual, ("0",) in turned_) == (True, True)


async def test_data_collection__counts_where_there_is_a_collector(arm: Arm, metrics: Metrics) -> None:
    settled(arm)
    document = await arm.get(f"{CHECKOUT}/deployments/blue")
    document["properties"]["dataCollector"] = {"collections": {"model_inputs": {"samplingRate": 0.5}}}
    await arm("PUT", f"{CHECKOUT}/deployments/blue", document)
    arm.clock.tick(600)

    times = of(arm, 5)
    events = await metrics.one(
        CHECKOUT, "DataCollectionEventsPerMinute", "deployment eq '*' and type eq '*'", **times
    )
    requests = await metrics.one(CHECKOUT, "RequestsPerMinute", BY_DEPLOYMENT, **times)

    [(label, found)] = events.items()
    assert label == ("blue", "model_inputs")
    assert [int(value * 0.5) for value in requests["blue",].values()] == list(found.values())


async def test_diagnostic_settings__are_the_scenarios(arm: Arm) -> None:
    path = "providers/Microsoft.Insights/diagnosticSettings?api-version=2021-05-01-preview"
    whole = await arm("GET", f"{CHECKOUT}/{path}")
    half = await arm("GET", f"{SHADOWED}/{path}")
    none = await arm("GET", f"{PHOTO}/{path}")
    one = await arm("GET", f"{SHADOWED}/{path.replace('?', '/HALF?')}")
    missing = await arm("GET", f"{SHADOWED}/{path.replace('?', '/other?')}")

    enabled = [item["category"] for item in whole.body["value"][0]["properties"]["logs"] if item["enabled"]]
    assert sorted(enabled) == [
        "AmlOnlineEndpointConsoleLog",
        "AmlOnlineEndpointEventLog",
        "AmlOnlineEndpointTrafficLog",
    ]
    assert [item["enabled"] for item in half.body["value"][0]["properties"]["logs"]] == [True, False, False]
    assert all(item["enabled"] for item in half.body["value"][0]["properties"]["metrics"])
    assert (none.body["value"], one.body["name"], missing.status) == ([], "half", 404)


def ordered(arm: Arm, kind: str, **options: Any) -> None:
    arm.cloud.faults.add({"kind": kind, "match": {"path": "checkout-risk$"}, **options})


async def raw(arm: Arm, metrics: Metrics) -> list[dict[str, Any]]:
    found = await metrics.batch(
        [CHECKOUT], metricnames="RequestsPerMinute", filter=BY_DEPLOYMENT, **of(arm, 40, 20)
    )
    return [point for one in found.body["values"][0]["value"][0]["timeseries"] for point in one["data"]]


async def test_fault__no_metrics__leaves_other_resources_alone(arm: Arm, metrics: Metrics) -> None:
    ordered(arm, "no_metrics")

    assert await raw(arm, metrics) == []
    assert await metrics.one(PHOTO, "RequestsPerMinute", BY_DEPLOYMENT) != {}


@pytest.mark.parametrize("listed", [True, False])
async def test_fault__gap__loses_values_or_time_stamps(arm: Arm, metrics: Metrics, *, listed: bool) -> None:
    whole = await raw(arm, metrics)
    ordered(arm, "metric_gap", since=whole[5]["timeStamp"], until=whole[9]["timeStamp"], listed=listed)

    found = await raw(arm, metrics)

    gap = [{"timeStamp": point["timeStamp"]} for point in whole[5:9]] if listed else []
    assert found == [*whole[:5], *gap, *whole[9:]]


async def test_fault__duplicates__repeat_time_stamps(arm: Arm, metrics: Metrics) -> None:
    ordered(arm, "metric_duplicates", every=10, differs=True)

    found = await raw(arm, metrics)

    assert len(found) == 22
    assert found[0]["timeStamp"] == found[1]["timeStamp"]
    assert found[0]["average"] != found[1]["average"]


async def test_fault__disorder__swaps_points(arm: Arm, metrics: Metrics) -> None:
    whole = await raw(arm, metrics)
    ordered(arm, "metric_disorder", every=4)

    found = await raw(arm, metrics)

    assert found != whole
    assert sorted(found, key=lambda point: str(point["timeStamp"])) == whole


@pytest.mark.parametrize(("value", "seen"), [('"NaN"', "NaN"), ("-5", -5), ("null", None)])
async def test_fault__values__are_what_was_ordered(
    arm: Arm, metrics: Metrics, value: str, seen: object
) -> None:
    ordered(arm, "metric_values", every=5, value=value, metric="requestsperminute")
    ordered(arm, "metric_values", every=1, value="-1", metric="RequestLatency")

    found = [point["average"] for point in await raw(arm, metrics)]

    assert found[::5] == [seen] * 4
    assert all(isinstance(item, int) and item > 0 for i, item in enumerate(found) if i % 5)


async def test_fault__batch_refused__leaves_the_list_alone(arm: Arm, metrics: Metrics) -> None:
    arm.cloud.faults.add({"kind": "batch_refused", "status": 404})

    batch = await metrics.batch([CHECKOUT])
    listed = await arm("GET", f"{CHECKOUT}/providers/Microsoft.Insights/metrics")

    assert (batch.status, listed.status) == (404, 200)


async def test_fault__status_of_the_metrics_plane__meets_getbatch_only(arm: Arm, metrics: Metrics) -> None:
    arm.cloud.faults.add({"kind": "status", "status": 529, "retry_after": 7, "match": {"plane": "metrics"}})

    batch = await metrics.batch([CHECKOUT])
    listed = await arm("GET", f"{CHECKOUT}/providers/Microsoft.Insights/metrics")

    assert (batch.status, batch.headers["Retry-After"], listed.status) == (529, "7", 200)


async def test_big_batch__in_the_making__lets_others_in_between(arm: Arm, metrics: Metrics) -> None:
    started = asyncio.get_running_loop().time()
    big = asyncio.create_task(
        metrics.batch(
            [CHECKOUT] * 50,
            metricnames="RequestLatency_P50,RequestLatency_P95,RequestsPerMinute",
            **of(arm, 2880),
        )
    )
    await asyncio.sleep(0.05)
    small = await arm("GET", CHECKOUT)
    between = asyncio.get_running_loop().time() - started

    assert (small.status, big.done()) == (200, False)
    assert (await big).status == 200
    assert between < asyncio.get_running_loop().time() - started


async def test_request_log__of_a_batch__names_its_plane(arm: Arm, metrics: Metrics) -> None:
    await metrics.batch([CHECKOUT])

    entry = arm.cloud.requests.entries[-1]
    assert (entry.plane, entry.method, entry.api_version, entry.caller) == (
        "metrics",
        "POST",
        "2024-02-01",
        "opsportal",
    )
    assert entry.body == {"resourceids": [CHECKOUT]}
    assert entry.path == f"/metrics/westeurope/subscriptions/{PROD}/metrics:getBatch"
