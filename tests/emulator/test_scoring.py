"""The scoring data plane."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from emulator.cloud import Cloud
from emulator.foreign import perform
from emulator.incidents import IncidentError
from emulator.models import Failure, Model, Wear, model
from emulator.monitor.load import Spell
from emulator.reading import ScenarioError
from emulator.scenario import parse
from emulator.scoring import client_request_id
from emulator.values import seconds
from tests.emulator.arm import CHECKOUT, HOME_RECS, PHOTO, SHADOWED, Answer, Arm, answer
from tests.emulator.metrics import Metrics

CHECKOUT_URL = "/scoring/westeurope/checkout-risk/score"
HOME_URL = "/scoring/northeurope/home-recs/score"
HOME = {"a": f"{HOME_RECS}/deployments/a", "b": f"{HOME_RECS}/deployments/b"}


async def key(arm: Arm, endpoint: str = CHECKOUT) -> str:
    return str((await arm("POST", f"{endpoint}/listKeys")).body["primaryKey"])


async def score(arm: Arm, url: str = CHECKOUT_URL, *, secret: str | None = None, **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent["Authorization"] = f"Bearer {await key(arm) if secret is None else secret}"
    return await answer(await arm.client.post(url, json={"basket": 3}, headers=sent))


def behaves(arm: Arm, deployment: str, **values: Any) -> None:
    arm.cloud.models.by_deployment[deployment.lower()] = replace(Model(p50_ms=1, p95_ms=1), **values)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (None, None),
        ("order-4711_a", "order-4711_a"),
        ("order 4711/ä", "order4711"),
        ("x" * 60, "x" * 40),
        ("//", None),
    ],
)
def test_client_request_id__is_kept_as_far_as_it_is_valid(sent: str | None, kept: str | None) -> None:
    assert client_request_id(sent, invalid="cleaned") == kept


def test_client_request_id__invalid_by_the_other_setting__is_dropped() -> None:
    assert client_request_id("order 4711", invalid="dropped") is None


@pytest.mark.parametrize(
    ("duration", "found"),
    [("PT5S", 5.0), ("PT1M30S", 90.0), ("PT0.5S", 0.5), ("PT2M", 120.0), ("nonsense", 7.0), (None, 7.0)],
)
def test_seconds__of_a_duration(duration: str | None, found: float) -> None:
    assert seconds(duration, 7.0) == found


def test_model__latencies__go_through_the_percentiles() -> None:
    told = model({"p50_ms": 20, "p95_ms": 60})

    assert told.latency_ms(0.5) == pytest.approx(20)
    assert 50 <= told.latency_ms(0.95) <= 72


def test_model__failures__take_their_share() -> None:
    told = Model(failures=(Failure(0.1, 500), Failure(0.2, 503)))
    found = [told.failure(roll) for roll in (0.05, 0.25, 0.35)]

    assert [item and item.status for item in found] == [500, 503, None]


@pytest.mark.asyncio
async def test_score__with_a_key__is_answered_with_all_headers(arm: Arm) -> None:
    found = await score(arm, x_request_id="mine", x_ms_client_request_id="order 4711")

    assert (found.status, set(found.body)) == (200, {"label", "confidence"})
    assert found.headers["azureml-model-deployment"] == "blue"
    assert str(uuid.UUID(found.headers["x-request-id"])) == found.headers["x-request-id"]
    assert found.headers["x-ms-client-request-id"] == "order4711"
    assert found.headers["Server"] == "azureml-frontdoor"
    assert found.headers["x-ms-run-function-failed"] == "False"


@pytest.mark.asyncio
async def test_score__same_request_twice__gets_the_same_answer(arm: Arm) -> None:
    assert (await score(arm)).body == (await score(arm)).body


@pytest.mark.asyncio
@pytest.mark.parametrize("secret", ["", "wrong", "aml.9999999999.x"])
async def test_score__with_a_wrong_key__is_401(arm: Arm, secret: str) -> None:
    assert (await score(arm, secret=secret)).status == 401


@pytest.mark.asyncio
async def test_score__by_header__skips_the_split(arm: Arm) -> None:
    found = await score(arm, azureml_model_deployment="green")
    unknown = await score(arm, azureml_model_deployment="red")

    assert found.headers["azureml-model-deployment"] == "green"
    assert unknown.status == 404


@pytest.mark.asyncio
async def test_score__two_hundred_requests__follow_the_split(arm: Arm) -> None:
    perform(arm.cloud.control, {"resource": CHECKOUT, "traffic": {"blue": 80, "green": 20}})
    secret = await key(arm)

    found = [await score(arm, secret=secret) for _ in range(200)]

    counted = Counter(item.headers["azureml-model-deployment"] for item in found)
    assert 20 <= counted["green"] <= 60
    assert counted.total() == 200


@pytest.mark.asyncio
@pytest.mark.parametrize(("setting", "answered_by"), [("end", "blue"), ("begin", "green")])
async def test_score__while_a_write_runs__goes_by_the_setting(
    arm: Arm, setting: str, answered_by: str
) -> None:
    arm.cloud.settings.change({"behaviour": {"traffic_takes_effect": setting}})
    await arm.put_traffic(CHECKOUT, {"green": 100})

    assert (await score(arm)).headers["azureml-model-deployment"] == answered_by


@pytest.mark.asyncio
async def test_score__nothing_with_a_weight__is_404(arm: Arm) -> None:
    perform(arm.cloud.control, {"resource": CHECKOUT, "traffic": {}})

    assert (await score(arm)).status == 404
    assert (await score(arm, "/scoring/westeurope/nothing/score")).status == 404


@pytest.mark.asyncio
async def test_score__with_an_endpoint_token__is_answered_until_it_ends(arm: Arm) -> None:
    token = (await arm("POST", f"{SHADOWED}/token")).body["accessToken"]
    url = "/scoring/westeurope/shadowed/score"
    now = await score(arm, url, secret=token)
    arm.clock.tick(8 * 3600 + 1)
    later = await score(arm, url, secret=token)

    assert (now.status, later.status) == (200, 401)


@pytest.mark.asyncio
async def test_score__with_an_entra_token__needs_audience_and_role(arm: Arm) -> None:
    url, audience = HOME_URL, "https://ml.azure.com"
    allowed = await score(arm, url, secret=arm.token(audience))
    wrong_audience = await score(arm, url, secret=arm.token())
    no_role = await score(arm, url, secret=replace(arm, identity="reader").token(audience))

    assert [allowed.status, wrong_audience.status, no_role.status] == [200, 401, 403]


@pytest.mark.asyncio
async def test_score__model_fails__is_424_with_its_own_code(arm: Arm) -> None:
    behaves(arm, f"{CHECKOUT}/deployments/blue", failures=(Failure(1.0, 503, "out of memory"),))

    found = await score(arm)

    assert found.status == 424
    assert found.headers["ms-azureml-model-error-statuscode"] == "503"
    assert found.headers["ms-azureml-model-error-reason"] == "out of memory"


@pytest.mark.asyncio
async def test_score__failed_deployment__is_424(arm: Arm) -> None:
    found = await score(
        arm,
        "/scoring/westeurope/photo-triage/score",
        secret=await key(arm, PHOTO),
        azureml_model_deployment="broken",
    )

    assert found.status == 424


@pytest.mark.asyncio
async def test_score__longer_than_the_request_timeout__is_408(arm: Arm) -> None:
    blue = f"{CHECKOUT}/deployments/blue"
    arm.cloud.workload.loads.clear()  # nobody else asks: else most requests are turned away
    behaves(arm, blue, p50_ms=400, p95_ms=400)
    perform(
        arm.cloud.control,
        {"resource": blue, "properties": {"requestSettings": {"requestTimeout": "PT0.05S"}}},
    )

    assert (await score(arm)).status == 408


@pytest.mark.asyncio
async def test_score__beyond_the_capacity__is_429(arm: Arm) -> None:
    blue = f"{CHECKOUT}/deployments/blue"
    arm.cloud.workload.loads.clear()
    behaves(arm, blue, p50_ms=300, p95_ms=300)
    perform(arm.cloud.control, {"resource": blue, "capacity": 1})
    secret = await key(arm)

    found = await asyncio.gather(*(score(arm, secret=secret) for _ in range(4)))

    assert sorted(item.status for item in found) == [200, 200, 429, 429]
    assert (await score(arm, secret=secret)).status == 200


@pytest.mark.asyncio
async def test_score__on_a_mirrored_endpoint__copies_its_share_but_no_addressed_request(arm: Arm) -> None:
    perform(arm.cloud.control, {"resource": SHADOWED, "mirror_traffic": {"shadow": 50}})
    token = (await arm("POST", f"{SHADOWED}/token")).body["accessToken"]
    url = "/scoring/westeurope/shadowed/score"
    for _ in range(40):
        await score(arm, url, secret=token)
    split = [item for item in arm.cloud.requests.entries if item.plane == "scoring"]
    await score(arm, url, secret=token, azureml_model_deployment="shadow")

    assert {item.deployment for item in split} == {"live"}
    assert 8 <= sum(item.mirrored_to == "shadow" for item in split) <= 32
    addressed = arm.cloud.requests.entries[-1]
    assert (addressed.deployment, addressed.mirrored_to) == ("shadow", None)


@pytest.mark.asyncio
async def test_swagger__with_a_key__is_there(arm: Arm) -> None:
    url = "/scoring/westeurope/checkout-risk/swagger.json"
    found = await answer(await arm.client.get(url, headers={"Authorization": f"Bearer {await key(arm)}"}))

    assert found.body["paths"].keys() == {"/score"}
    assert (await arm.client.get(url)).status == 401


@pytest.mark.asyncio
async def test_request_log__of_scoring__names_the_deployment_and_keeps_no_body(arm: Arm) -> None:
    await score(arm)

    entry = next(item for item in arm.cloud.requests.entries if item.plane == "scoring")
    assert (entry.deployment, entry.status, entry.body) == ("blue", 200, None)


def blue_only(arm: Arm, **values: Any) -> str:
    """The live deployment of checkout-risk with a load that it carries easily."""
    blue = f"{CHECKOUT}/deployments/blue"
    behaves(arm, blue, **values)
    return blue


async def statuses(arm: Arm, count: int = 60) -> Counter[int]:
    secret = await key(arm)
    return Counter([(await score(arm, secret=secret)).status for _ in range(count)])


@pytest.mark.asyncio
async def test_score__during_an_incident__fails_its_share_and_no_longer(arm: Arm) -> None:
    blue = blue_only(arm)
    before = await statuses(arm)
    arm.cloud.incidents.add({"deployment": blue, "failure_rate": 0.5, "status": 502, "seconds": 600})
    during = await statuses(arm)
    arm.clock.tick(601)
    after = await statuses(arm)

    assert (before[424], after[424]) == (0, 0)
    assert 15 <= during[424] <= 45


@pytest.mark.asyncio
async def test_score__during_an_incident__tells_the_models_own_status_and_is_counted(arm: Arm) -> None:
    arm.cloud.settings.change({"behaviour": {"metrics_lag_seconds": 0, "metrics_settle_seconds": 0}})
    blue = blue_only(arm)
    arm.cloud.incidents.add({"deployment": blue, "failure_rate": 1.0, "status": 502})

    found = await score(arm)
    arm.clock.tick(60)
    points = await Metrics(arm).one(
        CHECKOUT, "RequestsPerMinute", "deployment eq 'blue' and modelStatusCode eq '502'"
    )

    assert (found.status, found.headers["ms-azureml-model-error-statuscode"]) == (424, "502")
    assert list(points["blue", "502"].values())[-1] > 1


@pytest.mark.asyncio
async def test_score__while_latency_is_bad__takes_as_long_as_the_metrics_say(arm: Arm) -> None:
    arm.cloud.workload.loads.clear()
    blue = blue_only(arm, p50_ms=50, p95_ms=50)
    usual = float((await score(arm)).headers["x-ms-run-fn-exec-ms"])
    arm.cloud.incidents.add({"deployment": blue, "p95_factor": 40, "ago": 60})
    begun = time.monotonic()
    bad = float((await score(arm)).headers["x-ms-run-fn-exec-ms"])
    waited = time.monotonic() - begun

    assert bad == pytest.approx(40 * usual, rel=0.01)
    assert 0.2 <= waited < 1 < bad / 1000  # waited 250 ms, and told two seconds


@pytest.mark.asyncio
async def test_score__told_to_wait_for_real__does(arm: Arm) -> None:
    arm.cloud.settings.change({"scoring_wait_ms": 5000})
    arm.cloud.workload.loads.clear()
    blue_only(arm, p50_ms=400, p95_ms=400)
    begun = time.monotonic()
    await score(arm)

    assert time.monotonic() - begun >= 0.33


@pytest.mark.asyncio
async def test_score__of_an_overloaded_deployment__is_turned_away_as_its_metrics_say(arm: Arm) -> None:
    blue_only(arm, p50_ms=800, p95_ms=800)  # four instances carry 300 of 1,200 a minute and more
    arm.cloud.settings.change({"scoring_wait_ms": 0})

    found = await statuses(arm)

    assert 35 <= found[429] <= 58


@pytest.mark.asyncio
async def test_score__by_header__reaches_deployments_without_traffic_and_shadows(arm: Arm) -> None:
    green = await score(arm, azureml_model_deployment="GREEN")
    token = (await arm("POST", f"{SHADOWED}/token")).body["accessToken"]
    url = "/scoring/westeurope/shadowed/score"
    shadow = await score(arm, url, secret=token, azureml_model_deployment="shadow")

    assert (green.status, green.headers["azureml-model-deployment"]) == (200, "green")
    assert (shadow.status, shadow.headers["azureml-model-deployment"]) == (200, "shadow")


@pytest.mark.asyncio
async def test_score__refused_for_its_token__says_how_to_sign_in(arm: Arm) -> None:
    refused = await answer(await arm.client.post(HOME_URL, json={}))
    arm.cloud.settings.change({"behaviour": {"score_denied_status": 401}})
    denied = await score(arm, HOME_URL, secret=replace(arm, identity="reader").token("https://ml.azure.com"))

    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer ")
    assert uuid.UUID(refused.headers["x-request-id"])
    assert denied.status == 401


@pytest.mark.asyncio
async def test_score__key_of_another_endpoint_or_a_token__is_401(arm: Arm) -> None:
    other = await score(arm, secret=await key(arm, PHOTO))
    entra = await score(arm, secret=arm.token("https://ml.azure.com"))

    assert (other.status, entra.status) == (401, 401)


@pytest.mark.asyncio
async def test_answers__of_another_form__are_filled_in_everywhere(arm: Arm) -> None:
    form = {"output": [{"class": "$label", "p": "$confidence"}], "shown": "$text", "version": 2, "unit": "$"}
    blue_only(arm, answers=form, labels=("yes",), confidence=(0.5, 0.5))

    found = await score(arm)

    assert found.body == {"output": [{"class": "yes", "p": 0.5}], "shown": "0.5", "version": 2, "unit": "$"}


@pytest.mark.asyncio
async def test_failed_change__of_a_live_deployment__leaves_it_answering(arm: Arm) -> None:
    blue = f"{CHECKOUT}/deployments/blue"
    arm.cloud.faults.add({"kind": "failed_operation", "match": {"path": "blue$"}})
    await arm("PATCH", blue, {"sku": {"capacity": 6}}, version="2023-04-01-preview")
    arm.clock.tick(1)

    assert (await arm.get(blue))["properties"]["provisioningState"] == "Failed"
    assert (await score(arm)).status == 200


@pytest.mark.asyncio
async def test_wear__under_live_traffic__grows_stays_and_falls_back(arm: Arm) -> None:
    arm.cloud.settings.change({"behaviour": {"metrics_lag_seconds": 0, "metrics_settle_seconds": 0}})
    green = f"{CHECKOUT}/deployments/green"
    behaves(arm, green, wears=Wear(20, 5.0))
    steps = [(0, {"green": 50, "blue": 50}), (3600, {"green": 20, "blue": 80}), (3600, {"blue": 100})]
    for seconds_before, split in steps:
        arm.clock.tick(seconds_before)
        perform(arm.cloud.control, {"resource": CHECKOUT, "traffic": split})
    arm.clock.tick(1800)
    perform(arm.cloud.control, {"resource": CHECKOUT, "traffic": {"green": 10, "blue": 90}})
    arm.clock.tick(600)

    span = {"starttime": "2026-11-23T12:00:00Z", "endtime": "2026-11-23T14:40:00Z"}
    points = await Metrics(arm).one(CHECKOUT, "RequestLatency_P95", "deployment eq 'green'", **span)
    values = list(points["green",].values())

    def mean(first: int, last: int) -> float:
        return sum(values[first:last]) / (last - first)

    assert mean(9, 12) == pytest.approx(3 * mean(0, 1), rel=0.35)
    assert mean(30, 58) == pytest.approx(5 * mean(0, 1), rel=0.3)
    assert mean(62, 118) == pytest.approx(mean(30, 58), rel=0.1)  # a smaller share is traffic all the same
    assert set(values[122:148]) == {None}
    assert mean(150, 152) < 0.5 * mean(62, 118)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({}, "There is no deployment"),
        ({"deployment": CHECKOUT}, "There is no deployment"),
        ({"deployment": f"{CHECKOUT}/deployments/blue", "colour": 1}, "Unknown: colour"),
        ({"deployment": f"{CHECKOUT}/deployments/blue", "failure_rate": "x"}, "failure_rate is a number"),
        ({"deployment": f"{CHECKOUT}/deployments/blue", "status": 1}, "status is a status code"),
    ],
)
def test_incident__that_can_not_be_understood__is_refused(
    cloud: Cloud, order: dict[str, Any], said: str
) -> None:
    with pytest.raises(IncidentError, match=said):
        cloud.incidents.add(order)
    assert cloud.incidents.clear() == 0


def test_incidents__cleared__leave_those_of_the_scenario(cloud: Cloud) -> None:
    blue = f"{CHECKOUT}/deployments/blue"
    own = Spell(0, 1)
    cloud.workload.spells[blue.lower()] = (own,)
    cloud.incidents.add({"deployment": blue, "failure_rate": 1})
    cloud.incidents.add({"deployment": blue, "p95_factor": 2})
    ordered = len(cloud.workload.spells[blue.lower()])

    assert (ordered, cloud.incidents.clear()) == (3, 1)
    assert cloud.workload.spells[blue.lower()] == (own,)


@pytest.mark.parametrize(
    ("behaves", "said"),
    [
        ({"wears": {"minutes": 5}}, "p95_factor is missing"),
        ({"wears": {"minutes": 0, "p95_factor": 2}}, "minutes is a number above 0"),
        ({"answers": ["$label"]}, "answers of .* is a mapping"),
    ],
)
def test_scenario__with_a_mistake_about_behaviour__says_where(behaves: dict[str, Any], said: str) -> None:
    endpoint = {"name": "e", "workspace": "w", "deployments": {"a": {"behaves": behaves}}}
    workspaces = {"w": {"subscription": "s", "group": "g", "location": "westeurope"}}

    with pytest.raises(ScenarioError, match=said):
        parse({"workspaces": workspaces, "endpoints": [endpoint]})
