"""The highest load of an endpoint's deployments in the last weeks, and what their replicas can carry."""

from __future__ import annotations

from datetime import datetime

from endpoints.metrics.peaks import Peaks


def peaks(endpoint_id: int, *, days: int = 14, cpu_limit: float = 80.0, now: datetime | None = None) -> Peaks:
    """From minutes while these are kept, of the time before from hours, whose busiest minute is not known."""
    raise NotImplementedError
