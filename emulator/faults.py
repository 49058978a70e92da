"""Faults that a test has ordered: which requests they meet, how often, until when. Pure but for the clock.

What a fault does to the wire is in `wire.py`; what it does to an operation is its `fate`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emulator.control import Fate
from emulator.values import Json

KINDS = frozenset(
    {
        "latency",
        "status",
        "reset_before",
        "reset_after",
        "half_open",
        "drip",
        "stuck_operation",
        "failed_operation",
        "batch_refused",
        "no_metrics",
        "metric_gap",
        "metric_duplicates",
        "metric_disorder",
        "metric_values",
    }
)
OPERATION_KINDS = frozenset({"stuck_operation", "failed_operation"})
BLEMISHES = frozenset({"no_metrics", "metric_gap", "metric_duplicates", "metric_disorder", "metric_values"})
"""These meet no request but the points of a resource; `path` is then searched in the resource's id."""
_DEFAULTS: dict[str, Json] = {
    "batch_refused": {"status": 403, "code": "Forbidden", "message": "The metrics batch is not to be had."}
}
_WRITES = frozenset({"PUT", "PATCH", "DELETE", "POST"})
_OPTIONS: dict[str, Any] = {
    "milliseconds": 0,
    "status": 500,
    "retry_after": None,
    "body": None,
    "code": "InternalServerError",
    "message": "A fault was ordered for this request.",
    "headers": None,
    "apply": False,
    "interval_ms": 200,
    "metric": None,
    "since": None,
    "until": None,
    "every": 5,
    "listed": False,
    "differs": False,
    "value": '"NaN"',
}


_OF_METRICS = BLEMISHES | {"batch_refused"}


class FaultError(ValueError):
    """A fault that can't be understood; none was added."""


@dataclass(slots=True)
class Fault:
    id: str
    kind: str
    plane: str
    method: str | None
    path: re.Pattern[str]
    subscription: str | None
    options: Json
    times: int | None
    skip: int
    ends: float | None
    hits: int = 0
    seen: int = 0

    def meets(self, *, plane: str, method: str, path: str, now: float) -> bool:
        return (
            self.is_live(now)
            and plane == self.plane
            and self._is_method(method)
            and self.path.search(path) is not None
            and (self.subscription is None or f"/subscriptions/{self.subscription}/" in f"{path.lower()}/")
        )

    def is_live(self, now: float) -> bool:
        return (self.times is None or self.hits < self.times) and (self.ends is None or now < self.ends)

    def _is_method(self, method: str) -> bool:
        if self.kind in OPERATION_KINDS and self.method is None:
            return method in _WRITES
        return self.method is None or method == self.method

    @property
    def fate(self) -> Fate | None:
        if self.kind == "stuck_operation":
            return Fate(stuck=True)
        if self.kind == "failed_operation":
            return Fate(error={"code": self.options["code"], "message": self.options["message"]})
        return None

    def to_json(self, now: float) -> Json:
        return {
            "id": self.id,
            "kind": self.kind,
            "match": {
                "plane": self.plane,
                "method": self.method,
                "path": self.path.pattern,
                "subscription": self.subscription,
            },
            **{name: value for name, value in self.options.items() if value != _OPTIONS[name]},
            "times": self.times,
            "skip": self.skip,
            "hits": self.hits,
            "live": self.is_live(now),
        }


@dataclass(slots=True)
class Faults:
    monotonic: Callable[[], float]
    _items: dict[str, Fault] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def add(self, order: Any) -> Fault:
        """Take an order in the admin port's form; the newest live fault that meets a request wins."""
        if not isinstance(order, dict):
            raise FaultError("A fault is a mapping with kind and match.")
        values = dict(order)
        kind = values.pop("kind", None)
        if kind not in KINDS:
            raise FaultError(f"kind is one of {', '.join(sorted(KINDS))}, not {kind!r}.")
        fault = self._build(str(kind), values)
        self._items[fault.id] = fault
        return fault

    def hit(self, *, plane: str, method: str, path: str) -> Fault | None:
        """The fault for this request, counted, or None."""
        if not self._items:
            return None
        now = self.monotonic()
        for fault in reversed(self._items.values()):
            if fault.kind not in BLEMISHES and fault.meets(plane=plane, method=method, path=path, now=now):
                fault.seen += 1
                if fault.seen <= fault.skip:
                    continue
                fault.hits += 1
                return fault
        return None

    def blemishes(self, resource_id: str) -> list[Fault]:
        """The live orders about the points of this resource, in their order, counted."""
        now = self.monotonic()
        found = [
            fault
            for fault in self._items.values()
            if fault.kind in BLEMISHES and fault.is_live(now) and fault.path.search(resource_id) is not None
        ]
        for fault in found:
            fault.hits += 1
        return found

    def remove(self, fault_id: str | None = None) -> int:
        """Remove one fault, or all; returns how many there were."""
        gone = list(self._items) if fault_id is None else [name for name in self._items if name == fault_id]
        for name in gone:
            del self._items[name]
        return len(gone)

    def listed(self) -> list[Json]:
        now = self.monotonic()
        return [fault.to_json(now) for fault in self._items.values()]

    def _build(self, kind: str, values: Json) -> Fault:
        match = _mapping(values.pop("match", {}))
        times, seconds = _number(values, "times"), _number(values, "for_seconds")
        skip = _number(values, "skip") or 0
        _known(values, set(_OPTIONS), "a fault")
        _known(match, {"plane", "method", "path", "subscription"}, "match")
        _typed(values)
        if values.get("every", 1) < 1:
            raise FaultError("every is a number of 1 or more.")
        method, subscription = _text(match, "method"), _text(match, "subscription")
        return Fault(
            id=f"f{next(self._numbers)}",
            kind=kind,
            plane=_text(match, "plane") or ("metrics" if kind in _OF_METRICS else "arm"),
            method=method.upper() if method else None,
            path=_pattern(_text(match, "path") or ""),
            subscription=subscription.lower() if subscription else None,
            options={**_OPTIONS, **_DEFAULTS.get(kind, {}), **values},
            times=None if times is None else int(times),
            skip=int(skip),
            ends=None if seconds is None else self.monotonic() + seconds,
        )


def _mapping(value: Any) -> Json:
    if not isinstance(value, dict):
        raise FaultError("match is a mapping of plane, method, path and subscription.")
    return value


def _known(values: Json, known: set[str], what: str) -> None:
    unknown = set(values) - known
    if unknown:
        raise FaultError(
            f"Unknown in {what}: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}."
        )


def _number(values: Json, name: str) -> float | None:
    """A number of 0 or more, taken out of the order; None where it is not told."""
    value = values.pop(name, None)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise FaultError(f"{name} is a number of 0 or more, not {value!r}.")
    return value


def _text(match: Json, name: str) -> str | None:
    value = match.get(name)
    if value is not None and not isinstance(value, str):
        raise FaultError(f"{name} is text, not {value!r}.")
    return value


def _typed(options: Json) -> None:
    """Options with a default of a kind keep that kind."""
    for name, value in options.items():
        default = _OPTIONS[name]
        if default is not None and type(value) is not type(default):
            raise FaultError(f"{name} wants a value like {default!r}, not {value!r}.")


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise FaultError(f"path is no regular expression: {error}.") from None
