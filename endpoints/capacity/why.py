"""Why something could be saved, in one sentence with how long. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from endpoints.capacity.causes import WORDS, Cause
from endpoints.capacity.proposals import Kind, Proposal, Subject


@dataclass(frozen=True, slots=True)
class Idle:
    """The cause to which most unserved money of the days looked at is due; its key and what it stands on."""

    cause: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """So many days without a request. `at_least`: there may have been none before either, of which nothing is known."""

    days: int
    at_least: bool

    def __str__(self) -> str:
        least = "at least " if self.at_least else ""
        return f"{least}{self.days} {'day' if self.days == 1 else 'days'}"


NO_CAUSE = frozenset({Kind.SHRINK, Kind.RESIZE})
"""What is too large has served: no cause of idleness stands behind it."""


def silence(served: date | None, known: date, today: date) -> Silence:
    """Since the day after the last one with a request, or since anything is known."""
    if served is not None:
        return Silence((today - served).days, at_least=False)
    return Silence((today - known).days, at_least=True)


def why(proposal: Proposal, subject: Subject, idle: Idle, quiet: Silence | None) -> str:
    """Of one deployment."""
    count = subject.instances or 0
    match proposal.kind:
        case Kind.DELETE:
            return f"{_words(idle, Cause.NO_REQUESTS)}: no request in {quiet or f'{subject.days} days'}."
        case Kind.SHRINK:
            return f"More instances than its load takes: {count}, and {proposal.instances} would do."
        case Kind.RESIZE:
            return f"A larger size than its load takes: at its busiest {subject.cpu or 0:.0%} of the cores are used."
        case Kind.SCHEDULE:
            return f"{WORDS[Cause.NIGHT_OR_WEEKEND]}: {subject.off_hours_idle or 0:.0%} of their hours had no request."
        case Kind.AUTOSCALE:
            idle_share = 1 - (subject.served_share or 1.0)
            return f"Its load moves and its {count} instances do not: {idle_share:.0%} of the hours had no request."
        case Kind.FIX_AUTOSCALE:
            return f"{WORDS[Cause.WRONG_AUTOSCALE]}: {subject.autoscale_faults[0]}"
        case _:
            return f"Requests come in {subject.served_share or 0:.1%} of the hours; it is paid for in all of them."


def why_endpoint(deployments: int, idle: Idle, quiet: Silence | None) -> str:
    """Of an endpoint as a whole."""
    which = "its one deployment" if deployments == 1 else f"any of its {deployments} deployments"
    return f"{_words(idle, Cause.NO_REQUESTS)}: no request to {which}{f' in {quiet}' if quiet else ''}."


def _words(idle: Idle, otherwise: Cause) -> str:
    return WORDS[Cause(idle.cause) if idle.cause in set(Cause) else otherwise]
