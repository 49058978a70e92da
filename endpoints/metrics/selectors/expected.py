"""What to expect of an endpoint in the time to come: its traffic, and a deployment's latency under a load."""

from __future__ import annotations

from datetime import datetime

from endpoints.metrics.expected import Expected, LatencyRange


def expected_traffic(
    endpoint_id: int, since: datetime, seconds: float, *, now: datetime | None = None
) -> Expected:
    """Requests a minute, on average over the stretch, of all deployments together."""
    raise NotImplementedError


def expected_p95(
    endpoint_id: int, deployment: str, requests: float | None, *, now: datetime | None = None
) -> LatencyRange:
    """The p95 of a deployment's recent minutes in which it served about so many requests a minute (None: any)."""
    raise NotImplementedError
