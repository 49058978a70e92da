"""Metrics of an endpoint: requests and latency by deployment and status, connections, bytes, collected data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from emulator.behaviour import Behaviour
from emulator.monitor.collection import collected
from emulator.monitor.minutes import OK, Counts, Minutes
from emulator.monitor.parts import Part

Split = frozenset[str]
"""The dimensions that the filter names, in their own spelling."""
_STATUS = frozenset({"statusCode", "statusCodeClass", "modelStatusCode"})
_BYTES_A_REQUEST = 2150


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint's deployments over one window, by their name as it is written."""

    deployments: Mapping[str, Minutes]
    behaviour: Behaviour


def parts(endpoint: Endpoint, metric: str, split: Split) -> list[Part]:
    """What the metric holds, labelled by at least the dimensions in `split`."""
    return [part for part in _METRICS[metric](endpoint, split) if any(v is not None for v in part.average)]


def _requests(endpoint: Endpoint, split: Split) -> Iterator[Part]:
    for name, minutes in endpoint.deployments.items():
        if not split & _STATUS:
            yield Part({"deployment": name}, _shown(endpoint, minutes, minutes.requests))
            continue
        for (status, model), counts in minutes.outcomes.items():
            labels = {
                "deployment": name,
                "statusCode": str(status),
                "statusCodeClass": f"{status // 100}xx",
                "modelStatusCode": endpoint.behaviour.absent_model_status if model is None else str(model),
            }
            if (status, model) == OK:
                yield Part(labels, _shown(endpoint, minutes, counts))
            else:  # a status that did not occur in a minute has no value there
                yield Part(labels, [count or None for count in counts])


def _shown(endpoint: Endpoint, minutes: Minutes, counts: Counts) -> list[float | None]:
    """Counts where the deployment was asked; what Azure tells of the rest was not seen."""
    if endpoint.behaviour.quiet_minutes == "nothing":
        return [count or None for count in counts]
    if endpoint.behaviour.idle_endpoint_series == "zero":
        return minutes.only(minutes.serving, counts)
    return minutes.only_asked(counts)


def _latency(which: str) -> Callable[[Endpoint, Split], Iterator[Part]]:
    def found(endpoint: Endpoint, _split: Split) -> Iterator[Part]:
        for name, minutes in endpoint.deployments.items():
            yield Part({"deployment": name}, minutes.latency(which), weight=minutes.requests)

    return found


def _per_request(factor: float) -> Callable[[Endpoint, Split], Iterator[Part]]:
    """What grows with the requests of the whole endpoint."""

    def found(endpoint: Endpoint, _split: Split) -> Iterator[Part]:
        for minutes in endpoint.deployments.values():
            yield Part({}, minutes.only_asked([round(factor * count, 3) for count in minutes.requests]))

    return found


def _collected(word: str) -> Callable[[Endpoint, Split], Iterator[Part]]:
    def found(endpoint: Endpoint, _split: Split) -> Iterator[Part]:
        for name, minutes in endpoint.deployments.items():
            for labels, counts in collected(minutes, word):
                yield Part({"deployment": name, **labels}, minutes.only(minutes.serving, counts))

    return found


_METRICS: dict[str, Callable[[Endpoint, Split], Iterator[Part]]] = {
    "RequestsPerMinute": _requests,
    "RequestLatency": _latency("mean"),
    "RequestLatency_P50": _latency("p50"),
    "RequestLatency_P90": _latency("p90"),
    "RequestLatency_P95": _latency("p95"),
    "RequestLatency_P99": _latency("p99"),
    "ConnectionsActive": _per_request(1 / 90),
    "NewConnectionsPerSecond": _per_request(0.08 / 60),
    "NetworkBytes": _per_request(_BYTES_A_REQUEST / 60),
    "DataCollectionEventsPerMinute": _collected("events"),
    "DataCollectionErrorsPerMinute": _collected("errors"),
}
