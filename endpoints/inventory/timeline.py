"""What was true at a moment, and how sure we are: pure decisions over revisions.

A revision says that a state began somewhere between `earliest` (the last read that still showed the former
one) and `latest` (the first read that showed this one); it has no end, the next one begins. `earliest` is
None when nothing was read before: the state may be as old as the thing itself.

Between `latest` of one revision and `earliest` of the next, the first is certain: reads bracket it. Within an
interval it is one of two. When intervals overlap, more than two states are possible and nothing is said.
After the newest revision it holds as far as reads cover; beyond the last read nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar


class Certainty(StrEnum):
    CERTAIN = "certain"
    ONE_OF_TWO = "one of two"
    UNKNOWN = "unknown"


class Gap(StrEnum):
    """Why nothing is said of a moment."""

    NOT_CREATED = "not created"  # Azure made it later
    NOT_KNOWN = "not known"  # nothing of it was on record
    READ_LATER = "read later"  # it was first read after that moment
    SEVERAL = "several"  # more than two states may have held
    NOT_READ_AFTER = "not read after"  # no reading at or after that moment bears the newest state out


@dataclass(frozen=True, slots=True)
class Why:
    """`moment`: when Azure made it, when it was first read, or when the last reading began; None where unknown."""

    gap: Gap
    moment: datetime | None = None


class Dated(Protocol):
    """What this module needs of a revision."""

    @property
    def earliest(self) -> datetime | None: ...

    @property
    def latest(self) -> datetime: ...

    @property
    def known_at(self) -> datetime: ...


R = TypeVar("R", bound=Dated)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AsOf(Generic[R]):
    """`candidates` holds one revision when certain, the older and the newer when one of two, else none."""

    certainty: Certainty
    candidates: tuple[R, ...] = ()


def in_order(revisions: Iterable[R]) -> list[R]:
    """Oldest first, by when each was certainly there."""
    return sorted(revisions, key=lambda revision: (revision.latest, revision.known_at))


def known_by(revisions: Iterable[R], known: datetime) -> list[R]:
    """What we had on record at that moment: an answer "as we knew it then" must not use later knowledge."""
    return [revision for revision in revisions if revision.known_at <= known]


def as_of(revisions: Sequence[R], at: datetime, *, covered_until: datetime | None = None) -> AsOf[R]:
    """The state at `at`.

    `revisions` are all of one entity, or at least the newest that began by `at`, every one that may have, and
    the next. `covered_until` is when the last read began that found the newest one unchanged; without such a
    read nothing says that it still held when its first read ended.
    """
    ordered = in_order(revisions)
    begun = [revision for revision in ordered if revision.latest <= at]
    maybe = [revision for revision in ordered if revision.latest > at and _may_have_begun(revision, at)]
    if not maybe:
        return _settled(begun, ordered, at, covered_until)
    if len(maybe) == 1 and begun and maybe[0].earliest is not None:
        return AsOf(Certainty.ONE_OF_TWO, (begun[-1], maybe[0]))
    return AsOf(Certainty.UNKNOWN)


def why_unknown(
    revisions: Sequence[Dated],
    at: datetime,
    *,
    created_at: datetime | None = None,
    covered_until: datetime | None = None,
) -> Why:
    """Why `as_of` said nothing, given what it was given. `created_at`: Azure's own, None where it is not known."""
    if created_at is not None and at < created_at:
        return Why(Gap.NOT_CREATED, created_at)
    if not revisions:
        return Why(Gap.NOT_KNOWN)
    ordered = in_order(revisions)
    first = ordered[0]
    if not any(revision.latest <= at for revision in ordered) and first.earliest is None:
        return Why(Gap.READ_LATER, first.latest)
    if any(revision.latest > at and _may_have_begun(revision, at) for revision in ordered):
        return Why(Gap.SEVERAL)
    return Why(Gap.NOT_READ_AFTER, covered_until)


def _may_have_begun(revision: R, at: datetime) -> bool:
    return revision.earliest is None or revision.earliest < at


def _settled(begun: list[R], ordered: list[R], at: datetime, covered_until: datetime | None) -> AsOf[R]:
    """No switch is under way at `at`: the newest that began holds, if a later read bears it out."""
    if not begun:
        return AsOf(Certainty.UNKNOWN)
    if begun[-1] is ordered[-1] and (covered_until is None or at > covered_until):
        return AsOf(Certainty.UNKNOWN)
    return AsOf(Certainty.CERTAIN, (begun[-1],))


@dataclass(frozen=True, slots=True)
class Span(Generic[R]):
    """From `since` up to `until` this state, or one that is the same for the asker, was certainly there."""

    revision: R
    since: datetime
    until: datetime


def certain_spans(
    revisions: Iterable[R], same: Callable[[R, R], bool], *, covered_until: datetime | None
) -> list[Span[R]]:
    """When a state was certain, oldest first. Between two that are not `same` lies a time in which neither is.

    `covered_until` as in `as_of`. Revisions that are the same in what the asker wants are one state.
    """
    ordered = in_order(revisions)
    # What may have begun by then ends the certainty of everything before it.
    first_begun = [revision.earliest or _BEFORE_ALL for revision in ordered]
    for place in range(len(ordered) - 2, -1, -1):
        first_begun[place] = min(first_begun[place], first_begun[place + 1])
    found: list[Span[R]] = []
    for place, revision in enumerate(ordered):
        if place and same(ordered[place - 1], revision):
            continue
        others = (later for later in range(place + 1, len(ordered)) if not same(revision, ordered[later]))
        following = next(others, None)
        ends = _last_known(ordered[-1], covered_until) if following is None else first_begun[following]
        if ends is not None and revision.latest < ends:
            found.append(Span(revision, revision.latest, ends))
    return found


def _last_known(newest: Dated, covered_until: datetime | None) -> datetime | None:
    """Until when the newest state is known to have held: its own reading saw it, however far later ones reach."""
    return None if covered_until is None else max(covered_until, newest.latest)


def interval(
    last_old_read: datetime | None,
    first_new_read: datetime,
    *,
    ordered_at: datetime | None = None,
    ended_at: datetime | None = None,
) -> tuple[datetime | None, datetime]:
    """When a state began: between two reads, narrowed by our own write's times when it was ours.

    A write can't show before it was ordered (`ordered_at`) nor begin after it ended (`ended_at`). Times that
    contradict the reads are ignored: reads are what we saw.
    """
    earliest, latest = last_old_read, first_new_read
    if ended_at is not None and ended_at < latest and (earliest is None or ended_at >= earliest):
        latest = ended_at
    if ordered_at is not None and ordered_at <= latest and (earliest is None or ordered_at > earliest):
        earliest = ordered_at
    return (earliest if earliest is None else min(earliest, latest)), latest
