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
# A percentile of few requests is now one order statistic and now the next: under equal latencies, it exceeds the
# other deployment's in up to 59 % of the minutes. Hence 0.6 and not one half.
_DEFAULTS: Mapping[Kind, Mapping[str, float]] = MappingProxyType(
    {
        Kind.P95_OVER_BUDGET: {"limit": 1.0, "share": 0.1},
        Kind.P95_VS_STABLE: {"limit": 0.1, "share": 0.6},
        Kind.ERRORS: {"limit": 0.01},
        Kind.ERRORS_VS_STABLE: {"limit": 0.005},
        Kind.THROTTLED: {"limit": 0.01},
        Kind.CPU: {"limit": 90.0, "share": 0.1},
        Kind.MEMORY: {"limit": 90.0, "share": 0.1},
        Kind.GPU: {"limit": 95.0, "share": 0.1},
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


def _rules(spec: GateSpec) -> list[tuple[bool, str]]:
    return []


def _is_finite(value: float) -> bool:
    return math.isfinite(value)
