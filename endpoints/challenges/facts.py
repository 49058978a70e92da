"""What is known of one request, and how sure that is: the shape that pages, API, cases and packs share. Pure.

A passport is a list of sections of facts. Each fact says its value, its certainty, where it comes from, and, when it is
not certain, why. Nothing is left out because it is not known: it is there with UNKNOWN and its reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Sure(StrEnum):
    """How sure an answer is. The values are what people read."""

    CERTAIN = "certain"
    ONE_OF = "one of several"
    ESTIMATE = "estimate"  # statistical: never to be quoted as a fact
    UNKNOWN = "cannot say"


@dataclass(frozen=True, slots=True)
class Fact:
    """One answer. `value` is text, a whole number or a decimal as text, a bool, a list or a dict of such, or None.

    `alternatives` hold what else may be true when ONE_OF. `source` names who said it ("Azure's traffic log",
    "caller", "model", "mirror", "ledger"); `ref` an object of the portal ("change:413"), which edges resolve.
    """

    name: str  # a stable key: "deployment", "model", "split", "approval", …
    label: str  # for people: "Deployment that answered"
    value: Any
    sure: Sure
    source: str = ""
    reason: str = ""  # why it is not certain, or not known; a whole sentence
    alternatives: tuple[Any, ...] = ()
    ref: str = ""
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Facts that belong together: what answered, traffic then, health then, what is not here."""

    name: str  # "request", "answered", "traffic", "approval", "health", "absent"
    label: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Passport:
    """What was true of one request. `known`: as known at that moment (None: as known when it was made, `made_at`)."""

    endpoint_id: int
    at: datetime
    sections: tuple[Section, ...]
    sure: Sure  # the worst of what decides which model answered
    verdict: str  # one sentence: "blue answered, with triage-cnn:7, certain." / "Cannot say: …"
    made_at: datetime
    known: datetime | None = None
    corrections: tuple[str, ...] = field(default=())  # what is known now and was not at `known`

    def fact(self, name: str) -> Fact | None:
        """The fact of that name; None: this passport has no such fact."""
        for section in self.sections:
            for one in section.facts:
                if one.name == name:
                    return one
        return None
