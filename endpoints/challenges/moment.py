"""What is on record of one moment of an endpoint: what a passport is made of, beside the request itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from endpoints.challenges.bypass import Bypass
from endpoints.challenges.confidence import Place
from endpoints.challenges.health import Health
from endpoints.core.traffic import Split


@dataclass(frozen=True, slots=True)
class Weights:
    """One split that may have been in force: live and mirrored percents, without zeros, by lower-case name."""

    live: Split
    mirror: Split


@dataclass(frozen=True, slots=True)
class SplitThen:
    """One of `splits` was in force; none: it is not known, and `reason` says why, as it does when there are two."""

    splits: tuple[Weights, ...]
    reason: str = ""
    known_at: datetime | None = None

    @property
    def is_certain(self) -> bool:
        """Whether live traffic is: two splits may differ in mirrored traffic alone."""
        return bool(self.splits) and all(one.live == self.splits[0].live for one in self.splits)

    @property
    def may_be_off(self) -> bool:
        """Whether one of the splits gives no deployment live traffic."""
        return any(not one.live for one in self.splits)

    @property
    def weighted(self) -> tuple[str, ...]:
        """Every deployment that may have had live traffic, the largest weight first."""
        largest: dict[str, int] = {}
        for one in self.splits:
            for name, weight in one.live.items():
                largest[name] = max(weight, largest.get(name, 0))
        return tuple(sorted(largest, key=lambda name: (-largest[name], name)))

    @property
    def shadows(self) -> frozenset[str]:
        """Those that may have got copies of requests, and no live traffic."""
        mirrored = {name for one in self.splits for name in one.mirror}
        return frozenset(mirrored - set(self.weighted))


@dataclass(frozen=True, slots=True)
class Build:
    """What a deployment was made of; "" where Azure does not say."""

    model: str = ""
    environment: str = ""
    code: str = ""
    instance_type: str = ""
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """A deployment that had a name then, or may have had it. One of `builds` was its own; none: see `reason`.

    `others`: how many other deployments had the same name at other times, each deleted before the next was made.
    """

    id: int
    name: str
    builds: tuple[Build, ...]
    reason: str = ""
    created_at: datetime | None = None
    others: int = 0


@dataclass(frozen=True, slots=True)
class GateThen:
    """What a gate had said last by then."""

    name: str
    outcome: str
    reason: str
    at: datetime
    is_dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Ordered:
    """The change that ordered a split, as of a moment. People are references, "user:7"; "" nobody, or not yet.

    `needs_approval` is false for rollbacks. `overridden` are gates that somebody let it pass.
    """

    number: int
    kind: str
    author: str
    approvals: tuple[tuple[str, datetime], ...]
    needs_approval: bool
    is_emergency: bool
    started_by: str
    started_at: datetime | None
    gates: tuple[GateThen, ...] = ()
    overridden: tuple[str, ...] = ()
    reviewed_after_by: str = ""


@dataclass(frozen=True, slots=True)
class InForce:
    """How a split came and went. It began between `earliest` (None: not known) and `latest`, and ended before `until`.

    `cause` is "change:42", "drift", or "" where nobody need have ordered it. `until` None: it still is.
    """

    cause: str
    earliest: datetime | None
    latest: datetime
    until: datetime | None = None
    order: Ordered | None = None


@dataclass(frozen=True, slots=True)
class LogThen:
    """What became of the traffic log of that moment: "read", "off", "failed" or "unread"; `reason` in words."""

    outcome: str = "unread"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """`served` is by lower-case name. `read_before` and `read_after` are the readings of Azure next to it."""

    endpoint_id: int
    endpoint: str
    at: datetime
    split: SplitThen
    served: Mapping[str, tuple[Served, ...]] = field(default_factory=dict)
    in_force: InForce | None = None
    log: LogThen = LogThen()
    read_before: datetime | None = None
    read_after: datetime | None = None
    health: Health | None = None
    bypass: Bypass | None = None
    place: Place | None = None
    band: float | None = None
