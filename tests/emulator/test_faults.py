"""Faults: which requests they meet, and what they do to a real connection."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from emulator.faults import FaultError, Faults
from tests.emulator.arm import CHECKOUT, HOME_RECS, PROD, Arm

NOW = [0.0]


@pytest.fixture
def faults() -> Faults:
    NOW[0] = 0.0
    return Faults(lambda: NOW[0])


def met(faults: Faults, method: str = "PUT", path: str = CHECKOUT) -> str | None:
    found = faults.hit(plane="arm", method=method, path=path)
    return None if found is None else found.id


def test_fault__with_times__meets_that_many_requests(faults: Faults) -> None:
    faults.add({"kind": "status", "times": 2})

    assert [met(faults) for _ in range(3)] == ["f1", "f1", None]
    assert (faults.listed()[0]["hits"], faults.listed()[0]["live"]) == (2, False)


def test_fault__with_seconds__ends_by_the_clock(faults: Faults) -> None:
    faults.add({"kind": "status", "for_seconds": 60})
    first = met(faults)
    NOW[0] = 60.0

    assert (first, met(faults)) == ("f1", None)


def test_fault__with_skip__lets_the_first_ones_pass(faults: Faults) -> None:
    faults.add({"kind": "reset_before", "skip": 1, "times": 1})

    assert [met(faults) for _ in range(3)] == [None, "f1", None]


@pytest.mark.parametrize(
    ("match", "meets"),
    [
        ({}, True),
        ({"method": "put"}, True),
        ({"method": "GET"}, False),
        ({"path": "onlineEndpoints/CHECKOUT-risk$"}, True),
        ({"path": "deployments"}, False),
        ({"subscription": PROD.upper()}, True),
        ({"subscription": "other"}, False),
        ({"plane": "scoring"}, False),
    ],
)
def test_fault__by_match__meets_or_not(faults: Faults, match: dict[str, str], meets: bool) -> None:
    faults.add({"kind": "status", "match": match})

    assert (met(faults) is not None) is meets


def test_fault__newest__wins_and_the_older_one_comes_back(faults: Faults) -> None:
    faults.add({"kind": "status"})
    faults.add({"kind": "latency", "times": 1})

    assert [met(faults), met(faults)] == ["f2", "f1"]
    assert faults.remove("f1") == 1
    assert met(faults) is None


def test_fault__for_operations__meets_no_reads(faults: Faults) -> None:
    faults.add({"kind": "stuck_operation"})

    assert [met(faults, "GET"), met(faults, "DELETE")] == [None, "f1"]


@pytest.mark.parametrize(
    "order",
    [
        [],
        {},
        {"kind": "explosion"},
        {"kind": "status", "colour": "red"},
        {"kind": "status", "match": {"header": "x"}},
        {"kind": "status", "match": "PUT"},
        {"kind": "status", "match": {"path": "("}},
        {"kind": "status", "match": {"method": 1}},
        {"kind": "status", "status": "409"},
        {"kind": "status", "times": "two"},
        {"kind": "latency", "for_seconds": -1},
    ],
)
def test_fault__that_makes_no_sense__is_refused(faults: Faults, order: Any) -> None:
    with pytest.raises(FaultError):
        faults.add(order)
    assert faults.listed() == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "retry_after"), [(401, None), (403, None), (409, None), (412, None), (429, 30), (503, 5)]
)
async def test_status_fault__answers_and_applies_nothing(
    arm: Arm, status: int, retry_after: int | None
) -> None:
    body = await arm.get(CHECKOUT)
    records = len(arm.cloud.control.log.records)
    arm.cloud.faults.add({"kind": "status", "status": status, "retry_after": retry_after, "code": "Ordered"})

    found = await arm("PUT", CHECKOUT, body)

    assert (found.status, found.code) == (status, "Ordered")
    assert found.headers.get("Retry-After") == (None if retry_after is None else str(retry_after))
    assert len(arm.cloud.control.log.records) == records


@pytest.mark.asyncio
async def test_status_fault__ordered_to_apply__answers_after_the_write(arm: Arm) -> None:
    arm.cloud.faults.add({"kind": "status", "status": 502, "apply": True, "match": {"method": "PUT"}})

    found = await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})
    arm.clock.tick(1)

    assert found.status == 502
    assert (await arm.get(CHECKOUT))["properties"]["traffic"] == {"blue": 90, "green": 10}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("kind", "traffic"), [("reset_before", {"blue": 100}), ("reset_after", {"blue": 90, "green": 10})]
)
async def test_reset__before_or_after__cuts_the_connection(
    arm: Arm, kind: str, traffic: dict[str, int]
) -> None:
    arm.cloud.faults.add({"kind": kind, "match": {"method": "PUT"}})

    with pytest.raises(aiohttp.ClientConnectionError):
        await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})

    arm.clock.tick(1)
    assert (await arm.get(CHECKOUT))["properties"]["traffic"] == traffic
    put = next(entry for entry in arm.cloud.requests.entries if entry.method == "PUT")
    assert put.fault == "f1"


@pytest.mark.asyncio
@pytest.mark.parametrize("apply", [True, False])
async def test_half_open__never_answers(arm: Arm, apply: bool) -> None:
    body = await arm.get(CHECKOUT)
    body["properties"]["traffic"] = {"blue": 90, "green": 10}
    arm.cloud.faults.add({"kind": "half_open", "apply": apply, "match": {"method": "PUT"}})

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await arm("PUT", CHECKOUT, body)

    arm.clock.tick(1)
    expected = {"blue": 90, "green": 10} if apply else {"blue": 100}
    assert (await arm.get(CHECKOUT))["properties"]["traffic"] == expected


@pytest.mark.asyncio
async def test_drip__sends_the_whole_answer_byte_by_byte(arm: Arm) -> None:
    arm.cloud.faults.add({"kind": "drip", "interval_ms": 0})

    assert (await arm.get(CHECKOUT))["name"] == "checkout-risk"


@pytest.mark.asyncio
async def test_drip__slow__outlasts_a_client_that_waits_for_the_end(arm: Arm) -> None:
    arm.cloud.faults.add({"kind": "drip", "interval_ms": 50})

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await arm.get(CHECKOUT)


@pytest.mark.asyncio
async def test_latency__delays_and_then_answers(arm: Arm) -> None:
    arm.cloud.faults.add({"kind": "latency", "milliseconds": 120, "times": 1})
    begun = time.monotonic()

    await arm.get(CHECKOUT)

    assert time.monotonic() - begun >= 0.1


@pytest.mark.asyncio
async def test_operation_faults__decide_how_the_operation_ends(arm: Arm) -> None:
    arm.cloud.faults.add({"kind": "stuck_operation", "match": {"path": "checkout-risk"}})
    arm.cloud.faults.add(
        {"kind": "failed_operation", "match": {"path": "home-recs"}, "code": "Boom", "message": "ordered"}
    )
    await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})
    failing = await arm.put_traffic(HOME_RECS, {"a": 100})
    arm.clock.tick(3600)

    status = await arm.get("/" + failing.headers["Azure-AsyncOperation"].split("/", 3)[3])
    assert (status["status"], status["error"]) == ("Failed", {"code": "Boom", "message": "ordered"})
    assert (await arm.get(HOME_RECS))["properties"]["provisioningState"] == "Failed"
    assert (await arm.get(CHECKOUT))["properties"]["provisioningState"] == "Updating"
