"""What is kept of one deployment and one minute, column by column, and where in Azure it comes from. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["requests", "ms", "%", "instances"]
Group = Literal["requests", "latency", "use", "capacity"]


@dataclass(frozen=True, slots=True)
class Column:
    """One measured column. `unit` is for people; counts are per minute, percentages 0 to 100."""

    name: str
    label: str
    unit: Unit
    group: Group
    says: str


MINUTE: tuple[Column, ...] = (
    Column("requests", "Requests", "requests", "requests", "Answered requests, whatever the status."),
    Column("status_2xx", "2xx", "requests", "requests", "Answered with success."),
    Column(
        "status_4xx", "4xx", "requests", "requests", "All 4xx; 429 and failures of the model are among them."
    ),
    Column("status_429", "429", "requests", "requests", "Refused, because every replica was busy."),
    Column("status_5xx", "5xx", "requests", "requests", "Failures of the service."),
    Column(
        "model_errors",
        "Model errors",
        "requests",
        "requests",
        "The model answered something else than success (424), or not in time (408).",
    ),
    Column("p50", "p50", "ms", "latency", "Median latency of the minute's requests, as Azure gives it."),
    Column("p90", "p90", "ms", "latency", "90th percentile of the minute's latencies."),
    Column("p95", "p95", "ms", "latency", "95th percentile of the minute's latencies."),
    Column("p99", "p99", "ms", "latency", "99th percentile of the minute's latencies."),
    Column("cpu_avg", "CPU", "%", "use", "Mean over the replicas."),
    Column("cpu_max", "CPU, busiest replica", "%", "use", "The highest replica's."),
    Column("memory_avg", "Memory", "%", "use", "Mean over the replicas."),
    Column("memory_max", "Memory, fullest replica", "%", "use", "The highest replica's."),
    Column("gpu_avg", "GPU", "%", "use", "Mean over the replicas; unknown where there is none."),
    Column("gpu_max", "GPU, busiest replica", "%", "use", "The highest replica's."),
    Column("gpu_memory_max", "GPU memory, fullest replica", "%", "use", "The highest replica's."),
    Column("disk_max", "Disk, fullest replica", "%", "use", "The highest replica's."),
    Column("instances", "Replicas", "instances", "capacity", "Replicas that Azure runs, in whatever state."),
)

NAMES: tuple[str, ...] = tuple(column.name for column in MINUTE)
COUNTS: tuple[str, ...] = tuple(column.name for column in MINUTE if column.group == "requests")
LATENCIES: tuple[str, ...] = tuple(column.name for column in MINUTE if column.group == "latency")
USES: tuple[str, ...] = tuple(column.name for column in MINUTE if column.group == "use")


def failures(status_5xx: float | None, model_errors: float | None) -> float | None:
    """Requests that the deployment failed: its service's 5xx and its model's errors; unknown if either is.

    What callers did wrong (other 4xx) and what was refused for lack of replicas (429) is not among them.
    """
    if status_5xx is None or model_errors is None:
        return None
    return status_5xx + model_errors
