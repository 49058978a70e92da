"""What hours and days should come to, said once more in plain Python, by other means than the database's."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from endpoints.metrics import histogram
from endpoints.metrics.columns import NAMES
from endpoints.metrics.points import Values

Rolled = dict[str, Any]
BY_STATUS = ("status_4xx", "status_429", "status_5xx", "model_errors")


def single(value: float | None) -> float | None:
    """The value as a column of `real` holds it."""
    return None if value is None else struct.unpack("f", struct.pack("f", value))[0]


def hour(minutes: Sequence[Values]) -> Rolled:
    """The rollup of an hour's minutes."""
    rows = [dict(zip(NAMES, map(single, values), strict=True)) for values in minutes]
    requests = _known(rows, "requests")
    latencies = _known(rows, "p95")
    both = [row for row in rows if row["requests"] is not None and row["instances"] is not None]
    return {
        "minutes": len(rows),
        "request_minutes": len(requests),
        "idle_minutes": requests.count(0),
        "capacity_minutes": len(_known(rows, "instances")),
        "requests": _sum(requests),
        **{name: _by_status(rows, name, bool(requests)) for name in BY_STATUS},
        **{name: _middle(_known(rows, name)) for name in ("p50", "p95", "p99")},
        "p95_max": max(latencies, default=None),
        "p99_max": max(_known(rows, "p99"), default=None),
        "p95_histogram": histogram.pack(histogram.counted(latencies)),
        **{name: _mean(_known(rows, name)) for name in ("cpu_avg", "memory_avg", "gpu_avg")},
        **{name: max(_known(rows, name), default=None) for name in ("cpu_max", "memory_max", "gpu_max")},
        "instance_minutes": _sum(_known(rows, "instances")),
        "idle_instance_minutes": (
            math.fsum(row["instances"] for row in both if row["requests"] == 0) if both else None
        ),
    }


def day(hours: Sequence[Rolled]) -> Rolled:
    """The rollup of a day's hours, oldest first."""
    whole = histogram.added(histogram.unpack(each["p95_histogram"]) for each in hours)
    counts = ("minutes", "request_minutes", "idle_minutes", "capacity_minutes")
    return {
        **{name: sum(each[name] for each in hours) for name in counts},
        "requests": _sum(_known(hours, "requests")),
        **{name: _by_status_of_hours(hours, name) for name in BY_STATUS},
        "p50": _median_hour(hours, "p50"),
        "p95": _corrected(_median_hour(hours, "p95"), histogram.median_bucket(whole)),
        "p99": _median_hour(hours, "p99"),
        **{name: max(_known(hours, name), default=None) for name in ("p95_max", "p99_max")},
        "p95_histogram": histogram.pack(whole),
        **{name: _weighted(hours, name) for name in ("cpu_avg", "memory_avg", "gpu_avg")},
        **{name: max(_known(hours, name), default=None) for name in ("cpu_max", "memory_max", "gpu_max")},
        "instance_minutes": _sum(_known(hours, "instance_minutes")),
        "idle_instance_minutes": _sum(_known(hours, "idle_instance_minutes")),
    }


def differences(found: Mapping[str, Any], wanted: Rolled) -> dict[str, tuple[Any, Any]]:
    """Where they are not equal, but for the last digits of what is stored as `real`."""
    return {name: (found[name], value) for name, value in wanted.items() if not _close(found[name], value)}


def _close(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, float) and found is not None:
        return math.isclose(found, wanted, rel_tol=1e-6, abs_tol=1e-6)
    return bool((bytes(found) if isinstance(wanted, bytes) and found else found) == wanted)


def _known(rows: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return [row[name] for row in rows if row[name] is not None]


def _sum(values: Sequence[float]) -> float | None:
    return math.fsum(values) if values else None


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _middle(values: Sequence[float]) -> float | None:
    return sorted(values)[(len(values) - 1) // 2] if values else None


def _by_status(rows: Sequence[Mapping[str, Any]], name: str, any_requests: bool) -> float | None:
    if any(row[name] is None and (row["requests"] or 0) > 0 for row in rows):
        return None
    total = _sum(_known(rows, name))
    return 0.0 if total is None and any_requests else total


def _by_status_of_hours(hours: Sequence[Rolled], name: str) -> float | None:
    if any(each[name] is None and (each["requests"] or 0) > 0 for each in hours):
        return None
    return _sum(_known(hours, name))


def _weight(of: Rolled) -> int:
    return sum(histogram.unpack(of["p95_histogram"]).values()) or of["minutes"]


def _median_hour(hours: Sequence[Rolled], name: str) -> float | None:
    """Every hour's value as often as the hour counts, and the middle one of all these."""
    return _middle([each[name] for each in hours if each[name] is not None for _ in range(_weight(each))])


def _corrected(value: float | None, bucket: int | None) -> float | None:
    if value is None or bucket is None:
        return value
    return max(min(value, histogram.ends(bucket)), histogram.begins(bucket))


def _weighted(hours: Sequence[Rolled], name: str) -> float | None:
    known = [each for each in hours if each[name] is not None]
    minutes = sum(each["minutes"] for each in known)
    return math.fsum(each[name] * each["minutes"] for each in known) / minutes if minutes else None
