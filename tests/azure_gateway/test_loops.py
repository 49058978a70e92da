"""Connections made and closed in one event loop after another, as jobs of a worker do."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web

from endpoints.azure_gateway.client import connect
from endpoints.azure_gateway.credentials import TokenCache
from endpoints.azure_gateway.limiter import Buckets
from tests.azure_gateway import samples
from tests.azure_gateway.certificates import Certificates
from tests.azure_gateway.fakes import FakeArm, Handler, serve, settings_for


@contextmanager
def served_in_thread(certificates: Certificates, answer: Handler) -> Iterator[FakeArm]:
    """A server that lives on while this thread's event loops come and go."""
    ready, found, loop = threading.Event(), list[FakeArm](), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with serve(certificates, answer) as fake:
            found.append(fake)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert ready.wait(10)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def test_connect__in_a_fresh_loop_each_time__asks_for_one_token_and_leaves_nothing_open(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/token":
            token = {"access_token": "issued", "expires_on": "4102444800", "resource": "r", "token_type": "B"}
            return web.json_response(token)
        return web.json_response(samples.endpoint())

    with served_in_thread(certificates, answer) as fake:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{fake.url}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        settings, tokens = settings_for(fake.url, certificates), TokenCache()
        buckets = Buckets(settings.rates)

        async def job() -> str:
            async with connect(settings, tokens=tokens, buckets=buckets) as azure:
                return (await azure.get_endpoint(samples.ENDPOINT)).value.name

        names = [asyncio.run(job()) for _ in range(3)]
        gc.collect()  # a connection left open would complain now
    assert names == ["checkout-risk"] * 3
    assert [call.path for call in fake.calls] == ["/token"] + [samples.ENDPOINT] * 3
    assert fake.calls[1].headers["Authorization"] == "Bearer issued"
    assert buckets.level(samples.SUBSCRIPTION) < 250
