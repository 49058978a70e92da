"""One source's word about one request: the only shape in which predictions enter, whatever the door. Pure.

FIELDS is the allow-list. There is no field for a payload, an address or a person, and no door takes another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Source(StrEnum):
    """Who said it. What Azure saw itself counts before the model's word, and that before the caller's."""

    LOG = "log"
    MODEL = "model"
    CALLER = "caller"


FIELDS = (
    "at",
    "request_id",
    "client_id",
    "deployment",
    "model_version",
    "app_version",
    "status",
    "model_status",
    "duration_ms",
    "request_bytes",
    "response_bytes",
    "confidence",
    "high_risk",
    "scores",
    "pinned",
    "fingerprint",
)


@dataclass(frozen=True, slots=True)
class Record:
    """What one source says of one request; None or "": it does not say. Ids are normalised already (`ids.py`).

    At least one of `request_id` (Azure's, a GUID in lower case) and `client_id` is given. `at` is aware UTC.
    `confidence` and scores are between 0 and 1 for shares, else any finite number; at most 20 scores.
    """

    endpoint_id: int
    at: datetime
    request_id: str = ""
    client_id: str = ""
    deployment: str = ""
    model_version: str = ""
    app_version: str = ""
    status: int | None = None
    model_status: int | None = None
    duration_ms: float | None = None
    request_bytes: int | None = None
    response_bytes: int | None = None
    confidence: float | None = None
    high_risk: bool | None = None
    scores: Mapping[str, float] | None = None
    pinned: bool | None = None
    fingerprint: bytes | None = None
