"""Which words can be taken at all: ids, times and sizes that are possible. Pure; doors may ask for more."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from endpoints.challenges.recorded import Record

MOST_SCORES = 20
LONGEST_TEXT = 255
_LARGEST_SMALL, _LARGEST_BIG = 2**15 - 1, 2**63 - 1
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is accepted now: endpoints that exist, from the first day that is kept until a little after now."""

    endpoints: Collection[int]
    oldest: datetime
    newest: datetime


def first_day(now: datetime, days: int) -> date:
    """The first day that is kept: records go by whole months."""
    return (now.astimezone(UTC) - timedelta(days=days)).date().replace(day=1)


def bounds(endpoints: Collection[int], now: datetime, days: int) -> Bounds:
    """The sender's clock may be a little ahead."""
    day = first_day(now, days)
    return Bounds(endpoints, datetime(day.year, day.month, day.day, tzinfo=UTC), now + _SKEW)


def problem(record: Record, within: Bounds) -> str:
    """Why a word can't be taken, in a sentence; "" when it can."""
    if record.endpoint_id not in within.endpoints:
        return "There is no such endpoint."
    if not record.request_id and not record.client_id:
        return "It names neither Azure's request id nor the client's."
    return _time_problem(record.at, within) or _text_problem(record) or _number_problem(record)


def _time_problem(at: datetime, within: Bounds) -> str:
    if at.tzinfo is None:
        return "Its time has no offset."
    if at < within.oldest:
        return f"Records are kept since {within.oldest:%Y-%m-%d}; this one is older."
    if at > within.newest:
        return "Its time has not come."
    return ""


def _text_problem(record: Record) -> str:
    texts = (
        record.request_id,
        record.client_id,
        record.deployment,
        record.model_version,
        record.app_version,
    )
    for text in texts:
        if len(text) > LONGEST_TEXT or not text.isprintable():
            return f"A text is longer than {LONGEST_TEXT} characters, or has some that can't be shown."
    return ""


def _number_problem(record: Record) -> str:
    for small in (record.status, record.model_status):
        if small is not None and not 0 <= small <= _LARGEST_SMALL:
            return "A status is out of range."
    for big in (record.request_bytes, record.response_bytes):
        if big is not None and not 0 <= big <= _LARGEST_BIG:
            return "A size is out of range."
    if record.duration_ms is not None and not (math.isfinite(record.duration_ms) and record.duration_ms >= 0):
        return "A duration is a number from 0 on."
    if record.confidence is not None and not 0 <= record.confidence <= 1:
        return "A confidence is from 0 to 1."
    return _score_problem(record)


def _score_problem(record: Record) -> str:
    if not record.scores:
        return ""
    if len(record.scores) > MOST_SCORES:
        return f"It has more than {MOST_SCORES} scores."
    if not all(math.isfinite(value) for value in record.scores.values()):
        return "A score is no finite number."
    return ""
