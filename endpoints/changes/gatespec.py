"""What a gate is: what it measures, how far that may go, and how much must be known. Pure, and sealed by approvals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal


class Kind(StrEnum):
    """What a gate measures of the candidate. What `limit` and `share` of a spec mean depends on it.

    Rates (`errors`, `throttled`): `limit` is the share of requests. `errors_vs_stable`: the points, as a share, by
    which the candidate's may exceed the stable's at the same time. Minutes: a minute is bad when `p95` is over
    `limit` times the endpoint's budget, or over the stable's by more than `limit` times that, or when use is over
    `limit` percent; `share` of the minutes may be bad. `figure`: see `GateSpec`.
    """

    P95_OVER_BUDGET = "p95_over_budget"
    P95_VS_STABLE = "p95_vs_stable"
    ERRORS = "errors"
    ERRORS_VS_STABLE = "errors_vs_stable"
    THROTTLED = "throttled"
    CPU = "cpu"
    MEMORY = "memory"
    GPU = "gpu"
    FIGURE = "figure"


FigureKind = Literal["rate", "mean"]
Direction = Literal["over", "under"]

RATES = frozenset({Kind.ERRORS, Kind.ERRORS_VS_STABLE, Kind.THROTTLED})
USES = frozenset({Kind.CPU, Kind.MEMORY, Kind.GPU})
LATENCIES = frozenset({Kind.P95_OVER_BUDGET, Kind.P95_VS_STABLE})

_LABELS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.P95_OVER_BUDGET: "p95 within the budget",
        Kind.P95_VS_STABLE: "p95 against stable",
        Kind.ERRORS: "Errors",
        Kind.ERRORS_VS_STABLE: "Errors against stable",
        Kind.THROTTLED: "Throttled requests",
        Kind.CPU: "CPU",
        Kind.MEMORY: "Memory",
        Kind.GPU: "GPU",
    }
)
# The p95 of 20 requests is uncertain by a quarter: of equals, one exceeds the other by a fifth in up to a third of the
# minutes. Two in five are beyond that, and are told from all within some minutes.
_DEFAULTS: Mapping[Kind, Mapping[str, float]] = MappingProxyType(
    {
        Kind.P95_OVER_BUDGET: {"limit": 1.0, "share": 0.1},
        Kind.P95_VS_STABLE: {"limit": 0.2, "share": 0.4},
        Kind.ERRORS: {"limit": 0.01},
        Kind.ERRORS_VS_STABLE: {"limit": 0.005},
        Kind.THROTTLED: {"limit": 0.01},
        Kind.CPU: {"limit": 90.0, "share": 0.1},
        Kind.MEMORY: {"limit": 90.0, "share": 0.1},
        Kind.GPU: {"limit": 95.0, "share": 0.1},
    }
)


@dataclass(frozen=True, slots=True)
class _Limits:
    low: float
    high: float
    words: str


_SHARE = _Limits(0.0001, 0.9, "the limit is a share of requests from 0.0001 to 0.9.")
_PERCENT = _Limits(1, 100, "the limit is from 1 to 100 percent.")
# Nothing allowed at all would hold every other healthy rollout: one of two equals is always the worse.
_LIMITS: Mapping[Kind, _Limits] = MappingProxyType(
    {
        Kind.P95_OVER_BUDGET: _Limits(0.1, 10, "the limit is from 0.1 to 10 times the budget."),
        Kind.P95_VS_STABLE: _Limits(0, 10, "the tolerance is from 0 to 10 times the stable's p95."),
        Kind.ERRORS: _SHARE,
        Kind.ERRORS_VS_STABLE: _Limits(0.0001, 0.5, "the limit is an excess from 0.0001 to 0.5 of requests."),
        Kind.THROTTLED: _SHARE,
        Kind.CPU: _PERCENT,
        Kind.MEMORY: _PERCENT,
        Kind.GPU: _PERCENT,
        Kind.FIGURE: _Limits(-1e12, 1e12, "the limit is a number of at most twelve digits."),
    }
)


@dataclass(frozen=True, slots=True)
class GateSpec:
    """One gate of a plan.

    `alpha`: the chance, at most, that a candidate which keeps to the limit is ever called harmful, however often it
    is looked at. `min_requests`, `min_minutes` and `known_share` (of the minutes that have passed) must be known
    before anything passes; harm that is proven by fewer still fails. A minute with fewer than `minute_requests`
    says nothing about latency. `design_effect`: how many times more than independent requests the failures of a
    minute vary; None: as the stable's minutes before the change show.
    `failure_limit`: failing measurements that are tolerated, -1 for any number. `consecutive_successes`: passes in
    a row that are needed at the end; 0 and 1 are the same. A dry run never blocks.

    A business figure is `figure` by name, a "rate" or "mean"; harm is to be `over` or `under` the limit, or, when
    `relative`, to be so by more than `limit` away from the stable's. Of a mean, minutes are counted.
    """

    kind: Kind
    limit: float
    share: float = 0.1
    min_requests: int = 200
    min_minutes: int = 5
    known_share: float = 0.8
    minute_requests: int = 20
    failure_limit: int = 0
    consecutive_successes: int = 0
    dry_run: bool = False
    alpha: float = 0.01
    design_effect: float | None = None
    figure: str = ""
    figure_kind: FigureKind = "rate"
    relative: bool = False
    direction: Direction = "over"

    @property
    def name(self) -> str:
        """What it measures, for people. Two gates of one name measure the same."""
        if self.kind is not Kind.FIGURE:
            return _LABELS[self.kind]
        than = "stable's" if self.relative else "limit"
        return f"{self.figure} not {self.direction} {than}"

    @property
    def against_stable(self) -> bool:
        """Whether it compares with the stable deployments at the same time."""
        return self.kind in (Kind.P95_VS_STABLE, Kind.ERRORS_VS_STABLE) or self.relative

    @property
    def counts_minutes(self) -> bool:
        """Whether it judges the share of bad minutes, rather than the share of requests."""
        return self.kind in LATENCIES | USES or (self.kind is Kind.FIGURE and self.figure_kind == "mean")

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"kind": self.kind.value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GateSpec:
        """A gate as stored or sent. ValueError for a kind or field that this version does not know."""
        unknown = sorted(set(data) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"A gate has no {', '.join(unknown)}.")
        if "kind" not in data:
            raise ValueError("A gate needs its kind.")
        mistyped = sorted(name for name, value in data.items() if not _has_type(name, value))
        if mistyped:
            raise ValueError(f"A gate's {', '.join(mistyped)} can't be read.")
        return gate(data["kind"], **{key: value for key, value in data.items() if key != "kind"})

    def problems(self) -> list[str]:
        """What is wrong with it, in words."""
        wrong = [text for is_wrong, text in _rules(self) if is_wrong]
        return [f"{self.name}: {text}" for text in wrong]


def gate(kind: Kind | str, **given: Any) -> GateSpec:
    """A gate with what is usual for its kind where nothing is given. ValueError for one that can't be read at all."""
    found = Kind(kind)
    values: dict[str, Any] = {**_DEFAULTS.get(found, {}), **given}
    if found is Kind.FIGURE and values.get("figure_kind") == "mean":
        values.setdefault("share", 0.6)
    if "limit" not in values:
        raise ValueError("A gate on a figure needs its limit.")
    return GateSpec(kind=found, **values)


def blind_beyond(spec: GateSpec) -> float:
    """How far over the limit harm may be, at most, to go unseen. A gate that sees less is blind, and no pass.

    Of minutes, nine bad ones in ten must be seen. Of requests 5 points, and four times a small limit, down to 1 point.
    """
    if spec.counts_minutes:
        return max(0.0, 0.95 - spec.share)
    return 0.05 if spec.kind is Kind.FIGURE else max(0.01, min(0.05, 4 * spec.limit))


_NUMBERS = frozenset({"limit", "share", "known_share", "alpha"})
_FLAGS = frozenset({"dry_run", "relative"})
_WORDS = frozenset({"kind", "figure", "figure_kind", "direction"})


def _has_type(name: str, value: Any) -> bool:
    if name in _FLAGS:
        return isinstance(value, bool)
    if name in _WORDS:
        return isinstance(value, str)
    if name == "design_effect" and value is None:
        return True
    # A bool is an int to Python, and nobody's limit.
    numbers = (int, float) if name in _NUMBERS or name == "design_effect" else (int,)
    return isinstance(value, numbers) and not isinstance(value, bool)


def _rules(spec: GateSpec) -> list[tuple[bool, str]]:
    """Every rule, and what to say where it is broken."""
    numbers = (spec.limit, spec.share, spec.known_share, spec.alpha, spec.design_effect or 1.0)
    if not all(math.isfinite(number) for number in numbers):
        return [(True, "a limit is a number.")]
    limits = _LIMITS[spec.kind]
    return [
        (not limits.low <= spec.limit <= limits.high, limits.words),
        (not 0.01 <= spec.share <= 0.9, "the share of minutes is from 0.01 to 0.9."),
        (not 1 <= spec.min_requests <= 10_000_000, "at least 1 request is needed, and at most 10,000,000."),
        (not 1 <= spec.min_minutes <= 1440, "at least 1 minute is needed, and at most 1,440."),
        (not 0.5 <= spec.known_share <= 1, "from half to all of the minutes must be known."),
        (not 1 <= spec.minute_requests <= 10_000, "a minute needs from 1 to 10,000 requests."),
        (
            not -1 <= spec.failure_limit <= 1000,
            "from 0 to 1,000 failures are tolerated, or -1 for any number.",
        ),
        (not 0 <= spec.consecutive_successes <= 1000, "from 0 to 1,000 passes in a row can be asked for."),
        (not 1e-6 <= spec.alpha <= 0.2, "the false-alarm rate is from 0.000001 to 0.2."),
        (not 1 <= (spec.design_effect or 1.0) <= 1000, "the design effect is from 1 to 1,000."),
        *_figure_rules(spec),
    ]


def _figure_rules(spec: GateSpec) -> list[tuple[bool, str]]:
    """A figure has a name and a sense of harm; nothing else has."""
    if spec.kind is not Kind.FIGURE:
        plain = not spec.figure and not spec.relative and spec.direction == "over"
        return [(not plain, "figure, relative and direction are for business figures only.")]
    is_rate = spec.figure_kind == "rate"
    return [
        (not spec.figure or len(spec.figure) > 80, "say which figure, by its name of at most 80 characters."),
        (spec.figure_kind not in ("rate", "mean"), "a figure is a rate or a mean."),
        (spec.direction not in ("over", "under"), "harm is to be over or under."),
        (is_rate and not 0.0001 <= spec.limit <= 0.9999, "a rate's limit is from 0.0001 to 0.9999."),
        (spec.relative and spec.limit < 0, "how far it may be from the stable's is not negative."),
    ]
