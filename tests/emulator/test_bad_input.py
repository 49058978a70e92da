"""Whatever is sent, the answer says what is wrong: never a 500, never a half-taken document."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.build import build
from emulator.cli import SCENARIOS
from emulator.scenario import load
from emulator.server import azure
from emulator.values import system_clock
from tests.emulator.arm import CHECKOUT, SHADOWED, Arm, Clock

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(
        st.sampled_from(["blue", "green", "type", "capacity", "x"]),
        st.one_of(st.integers(0, 100), st.text(max_size=3), st.none()),
        max_size=3,
    ),
)
PROPERTY_NAMES = [
    "authMode", "traffic", "mirrorTraffic", "properties", "publicNetworkAccess", "compute", "keys", "model",
    "requestSettings", "livenessProbe", "scaleSettings", "instanceType", "endpointComputeType", "provisioningState",
]  # fmt: skip
documents = st.fixed_dictionaries(
    {"location": st.just("westeurope")},
    optional={
        "tags": anything, "identity": anything, "sku": anything, "kind": anything,
        "properties": st.one_of(anything, st.dictionaries(st.sampled_from(PROPERTY_NAMES), anything, max_size=4)),
    },
)  # fmt: skip
PATHS = [CHECKOUT, f"{CHECKOUT}/deployments/green", f"{CHECKOUT}/deployments/fresh", f"{CHECKOUT}-fresh"]


async def sent(method: str, path: str, body: Any) -> tuple[int, int, int]:
    """The status of a request to a fresh emulator, of a look at everything, and of a scoring request after it."""
    clock = Clock(system_clock())
    cloud = build(load(SCENARIOS / "small.yaml"), clock=clock)
    async with TestClient(TestServer(azure(cloud))) as client:
        arm = Arm(client, cloud, clock)
        answer = await arm(method, path, body)
        clock.tick(60)
        look = await arm("GET", f"{CHECKOUT}/deployments")
        listed = await arm("GET", CHECKOUT.rpartition("/")[0])
        scored = await client.post(
            "/scoring/westeurope/checkout-risk/score", headers={"azureml-model-deployment": "green"}
        )
        return answer.status, max(look.status, listed.status), scored.status


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["PUT", "PATCH"]), st.sampled_from(PATHS), documents)
def test_write__of_any_shape__is_answered_and_leaves_a_readable_world(
    method: str, path: str, body: Any
) -> None:
    answered, looked, scored = asyncio.run(sent(method, path, body))

    assert answered in {200, 201, 202, 400, 404}
    assert looked == 200
    assert scored in {200, 401}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{CHECKOUT}/regenerateKeys", {}),
        (f"{CHECKOUT}/regenerateKeys", {"keyType": ["Primary"]}),
        (f"{CHECKOUT}/deployments/blue/getLogs", {"tail": "all"}),
        (f"{CHECKOUT}/deployments/blue/getLogs", {"containerType": {}}),
        (f"{SHADOWED}/listKeys", None),
    ],
)
async def test_action__with_a_wrong_body__is_refused(arm: Arm, path: str, body: Any) -> None:
    assert (await arm("POST", path, body)).status == 400
