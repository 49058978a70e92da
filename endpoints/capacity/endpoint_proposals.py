"""When a whole endpoint can go: nobody called any of its deployments for long enough, and nothing keeps one. Pure.

Its saving is that of all its deployments together, of which none is proposed by itself then: no instance is saved
twice. This is also the one way in which a deployment that still has a weight is proposed to go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from endpoints.capacity.proposals import MONTH_HOURS, Advice, Kind, Level, Proposal, Settings, Subject
from endpoints.core.money import Money


def whole_endpoint(
    subjects: Sequence[Subject], advices: Sequence[Advice], settings: Settings
) -> Proposal | None:
    """What to do about an endpoint with these deployments, all that it has. None: it is not known to be dead."""
    if not subjects or any(advice.kept for advice in advices):
        return None
    if any(_lives(subject, settings) for subject in subjects):
        return None
    count = sum(subject.instances or 0 for subject in subjects)
    high = _sum([_month(subject) for subject in subjects])
    days = min(subject.days for subject in subjects)
    return Proposal(
        Kind.DELETE_ENDPOINT, "", 0, "", high, high, Level.HIGH, Level.LOW,
        _formula(subjects, high),
        (
            f"No request to {_all(len(subjects))} in {days} days.",
            f"{min(subject.known_share for subject in subjects):.0%} of the hours are known.",
        ),
        f"None on peak load: nobody called it. Its address and keys are gone with its {count} instances; another"
        " endpoint of that name has other keys.",
    )  # fmt: skip


def advise_endpoints(
    endpoints: Mapping[int, Sequence[tuple[Subject, Advice]]], settings: Settings
) -> dict[int, Proposal]:
    """Of many endpoints, by id, those that can go as a whole."""
    found = {
        number: whole_endpoint([subject for subject, _ in parts], [advice for _, advice in parts], settings)
        for number, parts in endpoints.items()
    }
    return {number: proposal for number, proposal in found.items() if proposal is not None}


def _all(count: int) -> str:
    return "its one deployment" if count == 1 else f"any of its {count} deployments"


def _lives(subject: Subject, settings: Settings) -> bool:
    """Somebody called it, or nobody can say that nobody did."""
    quiet = subject.requests == 0 and subject.mirrored == 0 and subject.instances is not None
    known = subject.days >= settings.idle_days and subject.known_share >= settings.known_share
    return not (quiet and known)


def _month(subject: Subject) -> Money | None:
    return subject.per_hour.times(Decimal(subject.instances or 0) * MONTH_HOURS) if subject.per_hour else None


def _sum(parts: Sequence[Money | None]) -> Money | None:
    """None when one of them is not known, or they are of two currencies."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or len({part.currency for part in known}) != 1:
        return None
    return Money(sum((part.amount for part in known), Decimal(0)), known[0].currency)


def _formula(subjects: Sequence[Subject], high: Money | None) -> str:
    terms = " + ".join(
        f"{subject.instances} x {subject.per_hour}"
        if subject.per_hour
        else f"{subject.instances} x a price not known"
        for subject in subjects
    )
    dates = sorted({f"{subject.price_date:%Y-%m-%d}" for subject in subjects if subject.price_date})
    dated = f", of {' and '.join(dates)}" if dates else ""
    unknown = "" if high else " What that comes to is not known."
    return f"{MONTH_HOURS} h x ({terms}){dated}.{unknown}"
