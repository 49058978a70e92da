"""Which moment of the past is asked for, and by which knowledge. Pure.

`known` is when the answer is to have been given: never before the moment itself, for nobody knew it then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from endpoints.core.errors import Invalid

# Azure Machine Learning has had endpoints since 2021; what lies far before that is a slip of the pen.
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moment:
    """`known` None: as known now."""

    at: datetime
    known: datetime | None = None


def checked(at: datetime | None, known: datetime | None, *, now: datetime) -> Moment:
    """The moment, or Invalid with what is wrong with each of the two. Nothing was looked up then."""
    problems: dict[str, list[str]] = {}
    if at is None:
        problems["at"] = ["Say which moment is asked for: `known` alone says only by which knowledge."]
    elif at > now:
        problems["at"] = [f"This moment is to come: {_utc(at)}. Only the past can be shown."]
    elif at < EARLIEST:
        problems["at"] = [f"Nothing is on record of {_utc(at)}: it lies before {EARLIEST:%Y}."]
    if known is not None and known > now:
        problems["known"] = [f"What will be known at {_utc(known)} nobody can say; leave it out for now."]
    elif known is not None and at is not None and known < at:
        problems["known"] = [f"At {_utc(known)} nobody knew of {_utc(at)}, which came later."]
    if problems or at is None:
        raise Invalid(problems)
    return Moment(at, known)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
