"""What can be turned while the emulator runs: how long operations take, latency, throttling, behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from emulator.behaviour import Behaviour

T = TypeVar("T", "Durations", Behaviour)


class SettingError(ValueError):
    """A setting that does not exist, or a value of the wrong type."""


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds from a write's answer to the end of its operation."""

    endpoint_create: float = 2.0
    endpoint_update: float = 2.0
    endpoint_delete: float = 2.0
    deployment_create: float = 8.0
    deployment_update: float = 6.0
    deployment_scale: float = 5.0
    deployment_delete: float = 3.0
    regenerate_keys: float = 1.0


@dataclass(slots=True)
class Settings:
    seed: int = 1
    latency_ms: float = 0.0
    """Waited before every ARM answer, as a network far away would."""
    arm_buckets: bool = False
    """Enforce ARM's token buckets per subscription and caller."""
    token_lifetime: float = 86_400.0
    metrics_calls_per_minute: float = 0.0
    """Calls to the metrics data plane by one caller and subscription; more are 429. 0 does not limit."""
    metrics_points_per_minute: float = 0.0
    """Points that one region's data plane hands out, whoever asks; more are 529. 0 does not limit."""
    resource_graph: bool = True
    """Whether Resource Graph answers at all; else 403."""
    resource_graph_queries: float = 15.0
    """Queries of one caller in five seconds; more are 429. 0 does not limit."""
    activity_delay_min: float = 180.0
    """Seconds until an event can be read in the activity log, at least and at most."""
    activity_delay_max: float = 1200.0
    activity_queries: float = 50.0
    """Queries of the activity log by one caller in 30 seconds; more are 429. 0 does not limit."""
    logs_delay_min: float = 180.0
    """Seconds until a row of a log can be queried, at least and at most."""
    logs_delay_max: float = 600.0
    logs_queries: float = 200.0
    """Queries of logs by one caller in 30 seconds; more are 429. 0 does not limit."""
    logs_query_ms: float = 0.0
    """How long a query of logs takes; five of one caller run at once, further ones wait."""
    scoring_wait_ms: float = 250.0
    """The longest that a scoring request really waits; how long it took is told as if it had waited all of it."""
    quota_cores: float = 100_000.0
    """Cores of a family in a region and subscription for which the scenario tells no quota."""
    durations: Durations = field(default_factory=Durations)
    behaviour: Behaviour = field(default_factory=Behaviour)

    def change(self, values: dict[str, Any]) -> None:
        """Apply a partial change all or nothing, as a scenario or the admin port sends it."""
        staged = {name: self._value(name, value) for name, value in values.items()}
        for name, value in staged.items():
            setattr(self, name, value)

    def _value(self, name: str, value: Any) -> Any:
        if name == "durations":
            return changed(self.durations, value)
        if name == "behaviour":
            return changed(self.behaviour, value)
        if name not in _PLAIN:
            raise SettingError(f"There is no setting {name!r}.")
        return _typed(name, getattr(self, name), value)


_PLAIN = frozenset(item.name for item in fields(Settings)) - {"durations", "behaviour"}


def changed(current: T, values: Any) -> T:
    """A copy with some fields replaced; unknown fields and wrong types are errors."""
    if not isinstance(values, dict):
        raise SettingError("A group of settings is a mapping of names to values.")
    known = {item.name for item in fields(current)}
    for name in values:
        if name not in known:
            raise SettingError(f"There is no setting {name!r}; known: {', '.join(sorted(known))}.")
    return replace(current, **{name: _typed(name, getattr(current, name), v) for name, v in values.items()})


def _typed(name: str, current: Any, value: Any) -> Any:
    if isinstance(current, bool) or isinstance(value, bool):
        ok = isinstance(current, bool) and isinstance(value, bool)
    elif isinstance(current, float):
        ok = isinstance(value, (int, float)) and value >= 0
    else:
        ok = isinstance(value, type(current))
    if not ok:
        raise SettingError(f"{name} wants a value like {current!r}, not {value!r}.")
    return float(value) if isinstance(current, float) else value
