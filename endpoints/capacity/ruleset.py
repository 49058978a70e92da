"""Everything that a workspace may set about its capacity: bounds, working hours, tests, and what is left out. Pure.

Stored as a document whose missing keys count as usual, so that a rule that is new needs no new rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo

from endpoints.capacity import causes, needs, proposals

TESTS: Mapping[str, frozenset[str]] = {
    "environment": frozenset({"test", "dev", "development", "staging", "sandbox", "hackathon", "demo"}),
    "purpose": frozenset({"test", "hackathon", "demo", "workshop"}),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds in a workspace. `weekend` by Monday 0; `report_weekday` None: no weekly report.

    `scream_hours`: for so long a deployment has no traffic before it is deleted; None: as the installation sets it.

    `excluded_tags`: a name and a value, "" is any value. `excluded_names`: with * and ?, of an endpoint ("old-*") or
    of one deployment ("credit-risk/blue").
    """

    idle_days: int = 30
    known_share: float = 0.95
    usage_target: float = 0.7
    off_hours_idle: float = 0.8
    batch_share: float = 0.05
    percentile: float = needs.PERCENTILE
    headroom: float = needs.HEADROOM
    zone: str = "UTC"
    day_begins: int = 7
    day_ends: int = 20
    weekend: frozenset[int] = frozenset({5, 6})
    test_tags: Mapping[str, frozenset[str]] = field(default_factory=lambda: TESTS)
    excluded_tags: tuple[tuple[str, str], ...] = ()
    excluded_names: tuple[str, ...] = ()
    scream_hours: int | None = None
    report_weekday: int | None = 0

    @property
    def bounds(self) -> proposals.Settings:
        """What proposals ask for."""
        return proposals.Settings(
            self.idle_days, self.known_share, self.usage_target, self.off_hours_idle, self.batch_share
        )

    @property
    def needs(self) -> needs.Settings:
        """How much must be carried."""
        return needs.Settings(self.percentile, self.headroom)

    @property
    def causes(self) -> causes.Rules:
        """What marks a test, and when people work."""
        return causes.Rules(self.test_tags, ZoneInfo(self.zone), self.day_begins, self.day_ends, self.weekend)


USUAL = Rules()
NAMES = tuple(one.name for one in fields(Rules))


def left_out_by(rules: Rules, endpoint: str, deployment: str, tags: Mapping[str, str]) -> str:
    """Which rule leaves a deployment alone, in words; "" when none does. Names and tags' names are without case."""
    lower = {name.lower(): value for name, value in tags.items()}
    for name, value in rules.excluded_tags:
        if name.lower() in lower and value in ("", lower[name.lower()]):
            return f"the tag {name}={lower[name.lower()]}"
    whole = f"{endpoint}/{deployment}".lower()
    for pattern in rules.excluded_names:
        if fnmatchcase(whole if "/" in pattern else endpoint.lower(), pattern.lower()):
            return f"the pattern {pattern}"
    return ""


def as_json(rules: Rules) -> dict[str, Any]:
    """The document as it is stored."""
    document: dict[str, Any] = {name: getattr(rules, name) for name in NAMES}
    document["weekend"] = sorted(rules.weekend)
    document["test_tags"] = {name: sorted(values) for name, values in sorted(rules.test_tags.items())}
    document["excluded_tags"] = [list(pair) for pair in rules.excluded_tags]
    document["excluded_names"] = list(rules.excluded_names)
    return document


def from_json(document: Mapping[str, Any]) -> Rules:
    """The rules of a document that has no problems; what it does not say is as usual."""
    given = {name: document[name] for name in NAMES if name in document}
    for name in _READ.keys() & given.keys():
        given[name] = _READ[name](given[name])
    return Rules(**given)


def as_facts(rules: Rules) -> dict[str, Any]:
    """For the ledger, which holds no fractions: they stand as text."""
    return {
        name: f"{value:g}" if isinstance(value, float) else value for name, value in as_json(rules).items()
    }


def _tags(raw: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    return {str(name).strip(): frozenset(value.strip().lower() for value in raw[name]) for name in raw}


_READ: Mapping[str, Any] = {
    "idle_days": int,
    "known_share": float,
    "usage_target": float,
    "off_hours_idle": float,
    "batch_share": float,
    "percentile": float,
    "headroom": float,
    "weekend": frozenset,
    "test_tags": _tags,
    "excluded_tags": lambda raw: tuple((str(name).strip(), str(value).strip()) for name, value in raw),
    "excluded_names": lambda raw: tuple(str(name).strip() for name in raw),
}
