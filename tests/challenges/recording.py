"""Words about requests, as sources say them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from endpoints.challenges.recorded import Record
from endpoints.dispatch import db_now

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def guid(number: int) -> str:
    """An id as Azure makes them, the same for the same number."""
    return str(uuid.UUID(int=number, version=4))


def ago(**since: float) -> datetime:
    """So long ago, in whole seconds."""
    return db_now().astimezone(UTC).replace(microsecond=0) - timedelta(**since)


def said(endpoint_id: int, at: datetime, **fields: Any) -> Record:
    return Record(endpoint_id, at, **fields)
