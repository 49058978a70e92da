"""When requests began to follow a split that was ordered: how long a rollback really took."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from endpoints.metrics.agreement import Agreement

LONGEST = timedelta(hours=1)


def observed_since(
    endpoint_id: int, split: Mapping[str, int], since: datetime, *, until: datetime | None = None
) -> Agreement:
    """The first minute after `since` in which the observed split agrees; looked for up to `until`, or for an hour."""
    raise NotImplementedError
