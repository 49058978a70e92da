"""Rows of logs become words about requests: which endpoint each is about, and no more than the allow-list. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from endpoints.azure_gateway.records import ModelLine, TrafficRow
from endpoints.challenges import ids
from endpoints.challenges.recorded import Record

_ENDPOINTS = "/onlineendpoints/"


@dataclass(frozen=True, slots=True)
class Known:
    """An endpoint whose log is read. `created_at`: requests before it were made to another one of that name."""

    endpoint_id: int
    arm_key: str
    created_at: datetime | None


class Places:
    """Finds the endpoint that a row is about."""

    def __init__(self, endpoints: Iterable[Known]) -> None:
        self._by_key: dict[str, list[Known]] = {}
        self._by_names: dict[tuple[str, str, str], str] = {}
        for one in sorted(
            endpoints, key=lambda one: (one.created_at is not None, one.created_at), reverse=True
        ):
            self._by_key.setdefault(one.arm_key, []).append(one)
            self._by_names[_names(one.arm_key)] = one.arm_key

    def of_request(self, row: TrafficRow) -> int | None:
        """By the endpoint that wrote the row, else by the workspace that did and the name in the row."""
        key = row.resource_id
        if _ENDPOINTS not in key and row.endpoint:
            key = f"{key}{_ENDPOINTS}{row.endpoint}" if key else ""
            key = key or self._by_names.get((row.subscription, row.workspace, row.endpoint), "")
        return self._at(key, row.at)

    def of_line(self, line: ModelLine) -> int | None:
        return self._at(line.resource_id, line.at)

    def _at(self, resource_id: str, at: datetime) -> int | None:
        """The newest of that name that stood by then. What a deployment wrote is its endpoint's."""
        known = self._by_key.get(resource_id.partition("/deployments/")[0], ())
        stood = (one for one in known if one.created_at is None or one.created_at <= at)
        found = next(stood, None)
        return None if found is None else found.endpoint_id


def requests(rows: Iterable[TrafficRow], places: Places) -> Sequence[Record]:
    """What the traffic log says; rows about endpoints that are not known here are left out."""
    return [
        Record(
            endpoint_id=endpoint_id,
            at=row.at,
            request_id=ids.request_id(row.request_id),
            client_id=ids.client_id(row.client_id),
            deployment=row.deployment,
            status=row.status,
            model_status=row.model_status,
            duration_ms=row.duration_ms,
            request_bytes=row.request_bytes,
            response_bytes=row.response_bytes,
        )
        for row in rows
        if (endpoint_id := places.of_request(row)) is not None
    ]


def answers(lines: Iterable[ModelLine], places: Places) -> Sequence[Record]:
    """What models wrote; the deployment is the one whose console it is."""
    return [
        Record(
            endpoint_id=endpoint_id,
            at=line.at,
            request_id=ids.request_id(line.request_id),
            client_id=ids.client_id(line.client_id),
            deployment=line.deployment,
            model_version=line.model_version,
            confidence=line.confidence,
            high_risk=line.high_risk,
            scores=line.scores,
        )
        for line in lines
        if (endpoint_id := places.of_line(line)) is not None
    ]


def _names(arm_key: str) -> tuple[str, str, str]:
    parts = arm_key.split("/")
    return (parts[2], parts[8], parts[10]) if len(parts) > 10 else ("", "", "")
