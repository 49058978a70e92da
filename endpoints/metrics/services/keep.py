"""Ask for minutes to outlive their retention, because a change, a case or a person needs them as evidence."""

from __future__ import annotations

from datetime import datetime

from endpoints.core.errors import Invalid
from endpoints.core.ids import split_ref
from endpoints.dispatch import db_now
from endpoints.metrics.models import Keep


def keep(*, endpoint_id: int, since: datetime, until: datetime, cause: str) -> int:
    """Keep the minutes of all the endpoint's deployments from `since` up to `until`; the id of the kept window.

    `cause` is a reference such as "change:42". The same again is the same window. Minutes that are gone already do not
    come back by this; those that a backfill brings are stored.
    """
    split_ref(cause)
    if since >= until:
        raise Invalid("The window to keep ends before it begins. Nothing was kept.")
    kept, _ = Keep.objects.get_or_create(
        endpoint_id=endpoint_id, since=since, until=until, cause=cause, defaults={"created_at": db_now()}
    )
    return kept.pk
