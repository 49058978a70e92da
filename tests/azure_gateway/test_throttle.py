"""The token bucket, its queue, and what they do together against a server with a bucket of its own."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.azure_gateway.errors import Throttled
from endpoints.azure_gateway.limiter import GRAPH, METRICS, READS, WRITES, Buckets, Limiter
from endpoints.azure_gateway.settings import RateSettings
from endpoints.azure_gateway.throttle import TokenBucket
from tests.azure_gateway.fakes import TickingClock

SUB = "s"


def test_bucket__full__gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(250, 25)
    assert [bucket.take(0.0) for _ in range(250)] == [0.0] * 250
    assert bucket.take(0.0) == pytest.approx(0.04)
    assert bucket.take(0.04) == 0.0
    assert bucket.take(0.04) > 0


def test_bucket__with_a_reserve__keeps_it_for_those_without() -> None:
    bucket = TokenBucket(20, 1)
    assert sum(bucket.take(0.0, reserve=15) == 0.0 for _ in range(20)) == 5
    assert sum(bucket.take(0.0) == 0.0 for _ in range(20)) == 15


def test_bucket__azure_counts_less_than_we__believes_azure() -> None:
    bucket = TokenBucket(250, 25)
    bucket.heard(0.0, remaining=3)
    assert [bucket.take(0.0) for _ in range(3)] == [0.0] * 3
    assert bucket.take(0.0) > 0


def test_bucket__azure_counts_more_than_we__keeps_its_own_count() -> None:
    bucket = TokenBucket(2, 1)
    bucket.take(0.0)
    bucket.heard(0.0, remaining=1099)
    assert bucket.level == 1


def test_bucket__closed__stays_so_until_the_time_is_over() -> None:
    bucket = TokenBucket(10, 1)
    bucket.close(0.0, 30.0)
    assert bucket.take(10.0) == pytest.approx(20.0)
    assert bucket.take(30.0) == 0.0


def test_bucket__closed_without_a_time__is_empty() -> None:
    bucket = TokenBucket(10, 2)
    bucket.close(0.0, None)
    assert bucket.take(0.0) == pytest.approx(0.5)


def test_bucket__silent_for_a_full_refill__no_longer_trusts_its_count() -> None:
    bucket = TokenBucket(250, 25)
    assert not bucket.trusted(0.0)
    bucket.heard(0.0, remaining=None)
    assert bucket.trusted(10.0)
    assert not bucket.trusted(10.1)


@given(st.lists(st.floats(0, 5), min_size=1, max_size=60), st.integers(1, 20), st.floats(0.5, 30))
def test_bucket__any_pauses__never_grants_more_than_burst_plus_refill(
    pauses: list[float], burst: int, refill: float
) -> None:
    bucket, now, granted = TokenBucket(burst, refill), 0.0, 0
    for pause in pauses:
        now += pause
        while bucket.take(now) == 0.0:
            granted += 1
    assert granted <= burst + refill * now + 1e-6


def buckets(clock: TickingClock | None = None, **rates: float) -> Buckets:
    made = Buckets(RateSettings(**rates), clock)  # type: ignore[arg-type]
    made.heard(SUB, READS, remaining=None)
    return made


def settle(limiter: Limiter, *, remaining: float | None = None, retry_after: float | None = None) -> None:
    limiter.settle(
        SUB, READS, remaining=remaining, throttled=retry_after is not None, retry_after=retry_after
    )


@pytest.mark.asyncio
async def test_limiter__urgent_after_many__goes_first() -> None:
    limiter, order = Limiter(buckets(read_burst=1, read_refill=40.0, reserve=0)), list[str]()

    async def call(name: str, urgent: bool) -> None:
        await limiter.enter(SUB, READS, urgent=urgent)
        order.append(name)
        settle(limiter)

    await limiter.enter(SUB, READS)
    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(call(f"bulk {number}", False))
        await asyncio.sleep(0)
        group.create_task(call("urgent", True))
    assert order == ["urgent", "bulk 0", "bulk 1", "bulk 2", "bulk 3"]


@pytest.mark.asyncio
async def test_limiter__wait_longer_than_patience__is_throttled_and_says_for_how_long() -> None:
    limiter = Limiter(buckets())
    await limiter.enter(SUB, READS)
    settle(limiter, retry_after=30)
    with pytest.raises(Throttled, match="nothing was sent") as caught:
        await limiter.enter(SUB, READS, urgent=True, patience=1.0)
    assert caught.value.retry_after == pytest.approx(30, abs=1)


@pytest.mark.asyncio
async def test_limiter__queue_longer_than_patience__throttles_the_last() -> None:
    limiter = Limiter(buckets(read_burst=1, read_refill=5.0, reserve=0))
    await limiter.enter(SUB, READS)
    waiting = [asyncio.create_task(limiter.enter(SUB, READS, patience=0.3)) for _ in range(3)]
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), Throttled, Throttled]


@pytest.mark.asyncio
async def test_limiter__caller_cancelled_while_waiting__gives_its_turn_to_the_next() -> None:
    limiter = Limiter(buckets(read_burst=1, read_refill=20.0, reserve=0))
    await limiter.enter(SUB, READS)
    first, second = (asyncio.create_task(limiter.enter(SUB, READS)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert first.cancelled()


@pytest.mark.asyncio
async def test_limiter__count_unknown__probes_with_a_few_until_azure_says() -> None:
    limiter = Limiter(Buckets(RateSettings()))
    waiting = [asyncio.create_task(limiter.enter(SUB, READS)) for _ in range(50)]
    await asyncio.sleep(0.01)
    assert sum(task.done() for task in waiting) == 4
    settle(limiter, remaining=30)
    await asyncio.sleep(0.01)
    # 15 of the 30 are reserved for urgent calls.
    assert 15 <= sum(task.done() for task in waiting) - 4 <= 16
    for task in waiting:
        task.cancel()


@pytest.mark.asyncio
async def test_limiter__probes_get_no_answer__sends_others_in_their_place() -> None:
    limiter = Limiter(Buckets(RateSettings()))
    waiting = [asyncio.create_task(limiter.enter(SUB, READS)) for _ in range(5)]
    await asyncio.sleep(0.01)
    limiter.lost(SUB, READS)
    await asyncio.gather(*waiting)


@pytest.mark.asyncio
async def test_limiter__two_subscriptions__have_a_bucket_each() -> None:
    limiter = Limiter(buckets(read_burst=1, read_refill=0.001, reserve=0))
    await limiter.enter(SUB, READS)
    await limiter.enter("another", READS)
    with pytest.raises(Throttled):
        await limiter.enter(SUB, READS, patience=0.05)


def test_buckets__absurd_retry_after__closes_for_ten_minutes_at_most() -> None:
    clock = TickingClock()
    made = buckets(clock)
    made.close(SUB, READS, 1e9)
    assert made.wait(SUB, READS) == 600.0


@pytest.mark.parametrize(
    ("kind", "rates"),
    [
        (WRITES, {"write_burst": 3, "write_refill": 0.001}),
        (METRICS, {"metrics_burst": 3, "metrics_refill": 0.001}),
        (GRAPH, {"graph_burst": 3, "graph_refill": 0.001}),
    ],
)
def test_buckets__of_each_kind__have_their_own_rate_and_no_reserve(
    kind: str, rates: dict[str, float]
) -> None:
    made = buckets(TickingClock(), **rates)
    assert [made.take(SUB, kind, urgent=False) == 0.0 for _ in range(4)] == [True, True, True, False]
    assert made.take(SUB, READS, urgent=False) == 0.0


def test_buckets__metrics_throttled__leaves_the_reads_open() -> None:
    made = buckets(TickingClock())
    made.close(SUB, METRICS, 60)
    assert made.wait(SUB, METRICS) == 60.0
    assert made.wait(SUB, READS) == 0.0
