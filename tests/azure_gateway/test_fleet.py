"""A whole workspace in one reading, and what one bad item does to it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from aiohttp import web

from endpoints.azure_gateway import errors
from endpoints.azure_gateway.fleet import read_workspace
from tests.azure_gateway import samples
from tests.azure_gateway.certificates import Certificates
from tests.azure_gateway.fakes import gateway

pytestmark = pytest.mark.asyncio


class Workspace:
    """Three endpoints with a deployment each; `failing` answers instead, so many times by path."""

    def __init__(self) -> None:
        self.endpoints: list[Any] = [
            samples.endpoint(f"{samples.WORKSPACE}/onlineEndpoints/e{n}") for n in range(3)
        ]
        self.failing: dict[str, tuple[int, int, dict[str, str]]] = {}
        self.asked = Counter[str]()

    async def __call__(self, request: web.Request) -> web.Response:
        self.asked[request.path] += 1
        status, times, headers = self.failing.get(request.path, (0, 0, {}))
        if self.asked[request.path] <= times:
            return web.json_response(
                {"error": {"code": "X", "message": "told to fail"}}, status=status, headers=headers
            )
        if request.path.endswith("/deployments"):
            blue = samples.deployment(f"{request.path}/blue")
            return web.json_response({"value": [blue, {"id": f"{request.path}/bad"}]})
        return web.json_response({"value": self.endpoints})


def deployments_of(number: int) -> str:
    return f"{samples.WORKSPACE}/onlineEndpoints/e{number}/deployments"


async def test_read__healthy_workspace__gives_all_with_bad_items_named(certificates: Certificates) -> None:
    async with gateway(certificates, Workspace()) as (_, azure):
        reading = await read_workspace(azure, samples.WORKSPACE)
    assert [item.endpoint.name for item in reading.endpoints] == ["e0", "e1", "e2"]
    assert all(item.deployments and len(item.deployments) == 1 for item in reading.endpoints)
    assert [item.item for item in reading.unreadable] == [f"{deployments_of(n)}/bad" for n in range(3)]
    assert reading.calls == 4
    assert reading.request_began <= reading.response_ended


async def test_read__one_endpoints_deployments_forbidden__spoils_that_endpoint_only(
    certificates: Certificates,
) -> None:
    workspace = Workspace()
    workspace.failing[deployments_of(1)] = (403, 99, {})
    async with gateway(certificates, workspace) as (_, azure):
        reading = await read_workspace(azure, samples.WORKSPACE)
    assert [item.deployments is None for item in reading.endpoints] == [False, True, False]
    assert isinstance(reading.endpoints[1].failure, errors.Forbidden)
    assert any(item.item == deployments_of(1) and "403" in item.reason for item in reading.unreadable)
    assert workspace.asked[deployments_of(1)] == 1


async def test_read__endpoint_with_an_odd_id__spoils_that_endpoint_only(certificates: Certificates) -> None:
    workspace = Workspace()
    workspace.endpoints[1]["id"] = "/subscriptions/../../odd"
    async with gateway(certificates, workspace) as (_, azure):
        reading = await read_workspace(azure, samples.WORKSPACE)
    assert [item.deployments is None for item in reading.endpoints] == [False, True, False]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_read__passing_failure__is_read_again(certificates: Certificates, status: int) -> None:
    workspace = Workspace()
    workspace.failing[deployments_of(0)] = (status, 1, {"Retry-After": "0"})
    async with gateway(certificates, workspace) as (_, azure):
        reading = await read_workspace(azure, samples.WORKSPACE)
    assert all(item.deployments is not None for item in reading.endpoints)
    assert workspace.asked[deployments_of(0)] == 2


async def test_read__throttled_for_a_second__waits_that_long_for_every_call(
    certificates: Certificates,
) -> None:
    workspace = Workspace()
    workspace.failing[f"{samples.WORKSPACE}/onlineEndpoints"] = (429, 1, {"Retry-After": "1"})
    async with gateway(certificates, workspace) as (_, azure):
        reading = await read_workspace(azure, samples.WORKSPACE)
    assert len(reading.endpoints) == 3
    assert sum(workspace.asked.values()) == 5


async def test_read__throttled_for_longer__ends_at_once_and_says_for_how_long(
    certificates: Certificates,
) -> None:
    workspace = Workspace()
    path = f"{samples.WORKSPACE}/onlineEndpoints"
    workspace.failing[path] = (429, 99, {"Retry-After": "40"})
    async with gateway(certificates, workspace) as (_, azure):
        with pytest.raises(errors.Throttled) as caught:
            await read_workspace(azure, samples.WORKSPACE)
    assert caught.value.retry_after == 40
    assert workspace.asked[path] == 1


async def test_read__lasting_failure_of_the_list__is_an_error_after_three_tries(
    certificates: Certificates,
) -> None:
    workspace = Workspace()
    path = f"{samples.WORKSPACE}/onlineEndpoints"
    workspace.failing[path] = (500, 99, {})
    async with gateway(certificates, workspace) as (_, azure):
        with pytest.raises(errors.ServerError):
            await read_workspace(azure, samples.WORKSPACE)
    assert workspace.asked[path] == 3
