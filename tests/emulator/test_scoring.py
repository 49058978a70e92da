"""The scoring data plane."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from emulator.foreign import perform
from emulator.models import Failure, Model, model
from emulator.scoring import client_request_id
from emulator.values import seconds
from tests.emulator.arm import CHECKOUT, HOME_RECS, PHOTO, SHADOWED, Answer, Arm, answer

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
    behaves(arm, blue, p50_ms=400, p95_ms=400)
    perform(
        arm.cloud.control,
        {"resource": blue, "properties": {"requestSettings": {"requestTimeout": "PT0.05S"}}},
    )

    assert (await score(arm)).status == 408


@pytest.mark.asyncio
async def test_score__beyond_the_capacity__is_429(arm: Arm) -> None:
    blue = f"{CHECKOUT}/deployments/blue"
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
