"""What a pack does not hold, and why: said in full, because a gap that nobody mentions is taken for nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from endpoints.challenges.facts import Sure
from endpoints.challenges.pack.parts import NotKept


@dataclass(frozen=True, slots=True)
class Left:
    """What collecting left out. `grain`: of the figures, "" when there are none."""

    grain: str = ""
    erased_notes: int = 0
    people_unknown: int = 0
    entries_cut: bool = False
    changes_cut: tuple[str, ...] = ()
    has_checkpoint: bool = True


def not_kept(newest: Mapping[str, Any] | None, left: Left) -> tuple[NotKept, ...]:
    """Everything that is not there, the passport's own unknowns first."""
    return (*_of_passport(newest), *_of_figures(left), *_of_people(left), *_of_ledger(left))


def _of_passport(newest: Mapping[str, Any] | None) -> Iterator[NotKept]:
    if newest is None:
        yield NotKept(
            "Evidence about the request",
            "The portal has no record of the request, or nobody chose one of several, and nothing was collected.",
        )
        return
    for section in newest["sections"]:
        for fact in section["facts"]:
            if fact["sure"] == Sure.UNKNOWN:
                yield NotKept(fact["label"], fact["reason"] or "Nobody said it.")
            elif fact["name"] == "payload":
                yield NotKept(fact["label"], fact["reason"])


def _of_figures(left: Left) -> Iterator[NotKept]:
    if left.grain == "hour":
        yield NotKept("Figures by the minute", "They are not kept any more; the charts show hours.")
    elif left.grain != "minute":
        yield NotKept("Figures around the request", "None are on record for that time.")


def _of_people(left: Left) -> Iterator[NotKept]:
    yield NotKept(
        "Network addresses of people",
        "The ledger commits to them; they prove nothing about the case, so they stay.",
    )
    if left.erased_notes:
        yield NotKept(
            f"{left.erased_notes} texts of the case",
            "They were erased, as the person whom they concern may ask.",
        )
    if left.people_unknown:
        yield NotKept(f"Names of {left.people_unknown} people", "They are erased, or were never known here.")


def _of_ledger(left: Left) -> Iterator[NotKept]:
    yield NotKept(
        "Other entries of the ledger",
        "They concern other cases, people and endpoints. Proofs show that the entries here are part of one ledger "
        "without showing the others.",
    )
    if left.entries_cut:
        yield NotKept(
            "Some entries of the ledger about this case",
            "There were more than a pack holds; the oldest are in it.",
        )
    if not left.has_checkpoint:
        yield NotKept(
            "Checkpoints", "No key signs this ledger, so nothing outside its database vouches for it."
        )
    for number in left.changes_cut:
        yield NotKept(
            f"A part of {number}", "More was measured or sent than a pack holds; the oldest is in it."
        )
