"""Ours or not: compares a new state with the old one and with what was ordered here. Pure.

Watched are the fields by which somebody decides where requests go and who may send them. Provisioning
state, scoring URI and the like follow from those, and are recorded without blame. A first sight is never
drift, and neither is a deployment's instance count: autoscaling moves it all day, through rules that this
portal can't see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from endpoints.core import traffic

Json = dict[str, Any]

TRAFFIC = ("traffic", "mirror_traffic")
ACCESS = ("auth_mode", "public_network_access", "identity", "tags")
DEPLOYMENT = (
    "model",
    "environment",
    "code_id",
    "scoring_script",
    "environment_variable_names",
    "instance_type",
    "scale_settings",
    "request_settings",
    "liveness_probe",
    "readiness_probe",
    "startup_probe",
    "data_collector",
)


class Kind(StrEnum):
    """What drifted. An endpoint drifts as a whole when it is deleted by others."""

    TRAFFIC = "traffic"
    CONFIGURATION = "configuration"
    DEPLOYMENT = "deployment"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True)
class Expected:
    """A write that was ordered here. `mirror` None: it leaves mirrored traffic as it is."""

    id: int
    cause: str
    traffic: Mapping[str, int]
    mirror: Mapping[str, int] | None
    ordered_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """`matched` explains the traffic; `before` and `after` hold watched fields that nobody here ordered."""

    matched: Expected | None = None
    before: Json | None = None
    after: Json | None = None

    @property
    def drifted(self) -> bool:
        return bool(self.before) or bool(self.after)

    @property
    def kind(self) -> Kind:
        changed = {*(self.before or {}), *(self.after or {})}
        return Kind.TRAFFIC if changed & {*TRAFFIC} else Kind.CONFIGURATION


def decide(old: Mapping[str, Any], new: Mapping[str, Any], expected: Iterable[Expected]) -> Verdict:
    """Judge an endpoint's step from `old` to `new`; of several orders that explain it, the newest wins."""
    changed = [name for name in (*TRAFFIC, *ACCESS) if old.get(name) != new.get(name)]
    moved = [name for name in changed if name in TRAFFIC]
    matched = _newest_match(old, new, expected) if moved else None
    blamed = [name for name in changed if name not in TRAFFIC] if matched else changed
    return Verdict(matched, _only(old, blamed), _only(new, blamed))


def watched_change(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Json, Json]:
    """The fields of a deployment that somebody decided, before and after; both empty when none moved."""
    changed = [name for name in DEPLOYMENT if old.get(name) != new.get(name)]
    return _only(old, changed), _only(new, changed)


def _newest_match(
    old: Mapping[str, Any], new: Mapping[str, Any], expected: Iterable[Expected]
) -> Expected | None:
    newest_first = sorted(expected, key=lambda one: (one.ordered_at, one.id), reverse=True)
    return next((one for one in newest_first if _explains(one, old, new)), None)


def _explains(one: Expected, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    mirror = old.get("mirror_traffic") if one.mirror is None else one.mirror
    return traffic.same(one.traffic, new.get("traffic")) and traffic.same(mirror, new.get("mirror_traffic"))


def _only(state: Mapping[str, Any], names: Iterable[str]) -> Json:
    """Both maps name every field that moved: absent is shown as null, not left out."""
    return {name: state.get(name) for name in names}
