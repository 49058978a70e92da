"""The words in which services speak about readings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from endpoints.azure_gateway.records import Listing, Reading


@dataclass(frozen=True, slots=True)
class Answer:
    """When an answer was true: at some moment between `began` and `ended`."""

    began: datetime
    ended: datetime
    azure_request_id: str = ""

    @classmethod
    def to(cls, reading: Reading[Any] | Listing[Any]) -> Answer:
        return cls(reading.request_began, reading.response_ended, reading.azure_request_id)


@dataclass(frozen=True, slots=True)
class Observation:
    """What came of one answer.

    `stale`: it may be older than what is on record, so it was discarded; read again and observe that.
    `changed`: a new revision was made. `drifted`: nobody here ordered (all of) it. `cause` is the change
    that ordered it.
    """

    endpoint_id: int
    revision_id: int | None
    changed: bool = False
    drifted: bool = False
    stale: bool = False
    cause: str = ""
