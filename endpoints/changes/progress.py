"""How far a change's call to Azure has come, as steps that a page can draw. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from endpoints.changes.lifecycle import State


class Mark(StrEnum):
    DONE = "done"
    NOW = "now"
    TODO = "todo"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ProgressStep:
    """One step of the way. `at` is when it was reached; `detail` what is known about it."""

    name: str
    mark: Mark
    at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """When each stage was reached; None where it was not."""

    state: State
    started: datetime | None
    sent: datetime | None
    accepted: datetime | None
    applied: datetime | None
    confirmed: datetime | None
    ended: datetime | None
    detail: str = ""


def steps(way: Way) -> list[ProgressStep]:
    """Requested, accepted by Azure, applied, read back, done: reached, at work, to come, or where it stopped."""
    reached = (
        ("Requested", way.started),
        ("Accepted by Azure", way.accepted),
        ("Applied", way.applied or way.confirmed),
        ("Read back once", way.confirmed),
        ("Done", way.ended if way.state is State.SUCCEEDED else None),
    )
    found: list[ProgressStep] = []
    for name, at in reached:
        waiting = all(step.mark is Mark.DONE for step in found)
        found.append(ProgressStep(name, _mark(way, at, waiting), at, "" if at or not waiting else way.detail))
    return found


def _mark(way: Way, at: datetime | None, first_open: bool) -> Mark:
    if at is not None:
        return Mark.DONE
    if way.state is State.SUCCEEDED:
        return Mark.DONE  # an adopted change skips stages that nobody saw
    if not first_open:
        return Mark.TODO
    return Mark.NOW if way.ended is None and way.state is not State.DRIFTED else Mark.FAILED
