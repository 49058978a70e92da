"""Ask for minutes to outlive their retention, because a change, a case or a person needs them as evidence."""

from __future__ import annotations

from datetime import datetime


def keep(*, endpoint_id: int, since: datetime, until: datetime, cause: str) -> int:
    """Keep the minutes of all the endpoint's deployments from `since` up to `until`; the id of the kept window.

    The same again is the same window. Minutes that are gone already do not come back.
    """
    raise NotImplementedError
