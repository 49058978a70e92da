"""What is wrong with an autoscale setting, as Azure Monitor keeps it. Pure.

Microsoft's own sample for endpoints has a scale-in rule whose direction is "Increase" (how-to-autoscale-endpoints,
Python tab): under little load it scales out, and never in. Capacities are strings on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_ABOVE = frozenset({"greaterthan", "greaterthanorequal"})
_BELOW = frozenset({"lessthan", "lessthanorequal"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a profile: when `metric` is above or below `threshold`, change the count by `step`."""

    metric: str
    above: bool | None  # None: compared for equality or in a way that is not known
    threshold: float | None
    out: bool | None  # scales out; None: in a way that is not known
    step: int | None


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile's bounds and rules; None: could not be read."""

    name: str
    least: int | None
    most: int | None
    usual: int | None
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """An autoscale setting of one deployment. `readable` False: parts of it could not be understood."""

    enabled: bool
    profiles: tuple[Profile, ...]
    readable: bool = True


def setting_of(document: Mapping[str, Any]) -> Setting:
    """From `properties` of Microsoft.Insights/autoscalesettings (2022-10-01), leniently."""
    raw = document.get("profiles")
    profiles = (
        tuple(_profile(one) for one in raw if isinstance(one, Mapping)) if isinstance(raw, list) else ()
    )
    whole = isinstance(raw, list) and len(profiles) == len(raw)
    return Setting(bool(document.get("enabled", True)), profiles, whole and all(map(_understood, profiles)))


def faults(setting: Setting) -> tuple[str, ...]:
    """What is wrong, in sentences; a setting that is switched off has no faults that cost anything."""
    if not setting.enabled:
        return ()
    return tuple(fault for profile in setting.profiles for fault in _of_profile(profile))


def _of_profile(profile: Profile) -> list[str]:
    found = []
    for rule in profile.rules:
        if rule.above is False and rule.out is True:
            found.append(
                f"{profile.name}: under little {rule.metric} it scales out. The rule means to scale in; its direction"
                " says Increase."
            )
        if rule.above is True and rule.out is False:
            found.append(f"{profile.name}: under much {rule.metric} it scales in.")
    outs = [rule for rule in profile.rules if rule.out]
    ins = [rule for rule in profile.rules if rule.out is False]
    if outs and not ins and not found:
        found.append(f"{profile.name}: it scales out and has no rule to scale in.")
    if (
        profile.least is not None
        and profile.most is not None
        and profile.least == profile.most
        and profile.rules
    ):
        found.append(
            f"{profile.name}: least and most are both {profile.least}, so no rule can change anything."
        )
    return found


def _profile(raw: Mapping[str, Any]) -> Profile:
    capacity = raw.get("capacity")
    bounds = capacity if isinstance(capacity, Mapping) else {}
    rules = raw.get("rules")
    return Profile(
        name=str(raw.get("name", "")),
        least=_whole(bounds.get("minimum")),
        most=_whole(bounds.get("maximum")),
        usual=_whole(bounds.get("default")),
        rules=tuple(map(_rule, _maps(rules))),
    )


def _rule(raw: Mapping[str, Any]) -> Rule:
    trigger, action = _map(raw.get("metricTrigger")), _map(raw.get("scaleAction"))
    operator, direction = str(trigger.get("operator", "")).lower(), str(action.get("direction", "")).lower()
    return Rule(
        metric=str(trigger.get("metricName", "")),
        above=True if operator in _ABOVE else False if operator in _BELOW else None,
        threshold=_number(trigger.get("threshold")),
        out={"increase": True, "decrease": False}.get(direction),
        step=_whole(action.get("value")),
    )


def _understood(profile: Profile) -> bool:
    bounds = (profile.least, profile.most, profile.usual)
    return None not in bounds and all(None not in (rule.above, rule.out, rule.step) for rule in profile.rules)


def _maps(raw: Any) -> Sequence[Mapping[str, Any]]:
    return [one for one in raw if isinstance(one, Mapping)] if isinstance(raw, list) else []


def _map(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}


def _number(raw: Any) -> float | None:
    try:
        return float(raw)
    except (TypeError, ValueError):
        return None


def _whole(raw: Any) -> int | None:
    number = _number(raw)
    return int(number) if number is not None and number == int(number) else None
