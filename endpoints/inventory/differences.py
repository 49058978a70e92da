"""What moved between two states, in words. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from endpoints.core import traffic
from endpoints.inventory.assets import short

_LABELS = {
    "code_id": "code",
    "app_insights": "Application Insights",
    "auth_mode": "authentication",
    "scoring_uri": "scoring URI",
    "swagger_uri": "OpenAPI address",
    "sku_name": "SKU",
    "sku_tier": "SKU tier",
    "other": "other properties",
}
_ASSETS = frozenset({"model", "environment", "code_id"})
_SPLITS = frozenset({"traffic", "mirror_traffic"})
_LONGEST = 400
# In this order; whatever is not named here comes after, by name.
_FIRST = ("traffic", "mirror_traffic", "provisioning_state", "model", "environment", "code_id")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field, before and after as text; "" stands for absent."""

    field: str
    label: str
    before: str
    after: str


def between(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """The fields that differ, those that matter most first."""
    moved = [name for name in {*old, *new} if old.get(name) != new.get(name)]
    moved.sort(key=_place)
    return tuple(_change(name, old.get(name), new.get(name)) for name in moved)


@dataclass(frozen=True, slots=True)
class Said:
    """One field side by side in several states, as text; "" stands for absent."""

    field: str
    label: str
    texts: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return len(set(self.texts)) > 1


def side_by_side(states: Sequence[Mapping[str, Any]]) -> tuple[Said, ...]:
    """Every field of any of the states, those that matter most first."""
    names = sorted({name for state in states for name in state}, key=_place)
    return tuple(
        Said(name, label(name), tuple(_shown(name, state.get(name)) for state in states)) for name in names
    )


def label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " "))


def _place(name: str) -> tuple[int, str]:
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)


def _change(name: str, before: Any, after: Any) -> FieldChange:
    return FieldChange(name, label(name), _shown(name, before), _shown(name, after))


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in _SPLITS:
        return traffic.describe(value)
    if name in _ASSETS:
        return short(str(value))
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
