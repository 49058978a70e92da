"""How many minutes had a latency of about so much: counts by bucket, four buckets to each doubling. Pure.

Bucket b holds latencies from 2**(b/4) ms up to, and without, 2**((b+1)/4) ms; the first holds everything shorter,
too, and the last everything longer. As bytes: a bucket's number, then its count in groups of seven bits, lowest
first, the high bit set on all but the last. Empty buckets are left out; None is "no latency is known".
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate

BUCKETS = 80
# Where a bucket begins that is not the first. The database counts with the very same numbers.
EDGES: tuple[float, ...] = tuple(2 ** (bucket / 4) for bucket in range(1, BUCKETS))

Histogram = Mapping[int, int]


def bucket_of(milliseconds: float) -> int:
    """The bucket of one latency."""
    return bisect_right(EDGES, milliseconds)


def begins(bucket: int) -> float:
    """The shortest latency of a bucket, in ms."""
    return EDGES[bucket - 1] if bucket > 0 else 0.0


def ends(bucket: int) -> float:
    """Where a bucket ends, in ms; what it holds is shorter."""
    return EDGES[bucket] if bucket < BUCKETS - 1 else math.inf


def counted(latencies: Iterable[float]) -> dict[int, int]:
    """The histogram of some minutes' latencies."""
    found: dict[int, int] = {}
    for latency in latencies:
        bucket = bucket_of(latency)
        found[bucket] = found.get(bucket, 0) + 1
    return dict(sorted(found.items()))


def added(histograms: Iterable[Histogram]) -> dict[int, int]:
    """All of them together."""
    found: dict[int, int] = {}
    for histogram in histograms:
        for bucket, count in histogram.items():
            found[bucket] = found.get(bucket, 0) + count
    return dict(sorted(found.items()))


def pack(histogram: Histogram) -> bytes | None:
    """As the database keeps it; None when there is nothing in it."""
    packed = bytearray()
    for bucket, count in sorted(histogram.items()):
        if count <= 0 or not 0 <= bucket < BUCKETS:
            raise ValueError(f"no histogram has {count} minutes in bucket {bucket}")
        packed.append(bucket)
        while count > 0x7F:
            packed.append(count & 0x7F | 0x80)
            count >>= 7
        packed.append(count)
    return bytes(packed) or None


def unpack(packed: bytes | memoryview | None) -> dict[int, int]:
    """Minutes by bucket; empty when no latency was known."""
    found: dict[int, int] = {}
    parts = iter(bytes(packed or b""))
    for bucket in parts:
        count = shift = 0
        for part in parts:
            count |= (part & 0x7F) << shift
            shift += 7
            if part < 0x80:
                break
        found[bucket] = count
    return found


def over(histogram: Histogram, limit: float) -> tuple[int, int]:
    """How many minutes were longer than a limit in ms: surely so many, and possibly up to so many.

    The two differ by the minutes of the bucket in which the limit lies.
    """
    at_least = sum(count for bucket, count in histogram.items() if begins(bucket) > limit)
    at_most = sum(count for bucket, count in histogram.items() if ends(bucket) > limit)
    return at_least, at_most


def median_bucket(histogram: Histogram) -> int | None:
    """The bucket of the median minute (of an even number, the lower one of the two in the middle)."""
    buckets = sorted(histogram)
    sums = list(accumulate(histogram[bucket] for bucket in buckets))
    if not sums:
        return None
    return next(bucket for bucket, sum_ in zip(buckets, sums, strict=True) if 2 * sum_ >= sums[-1])
