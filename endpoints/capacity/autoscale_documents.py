"""Autoscale settings as proposals want them, in the shape of Azure Monitor (2022-10-01): whole documents. Pure.

A recurring profile of Azure's begins at its times and holds until another one begins. So a schedule is two of them,
each of which ends the other; the one for days is named as Azure's own portal names the end of a recurrence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from endpoints.capacity.autoscale import faults, setting_of
from endpoints.capacity.causes import Rules
from endpoints.capacity.windows_zones import windows_zone

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
OUT, IN = 70, 30
"""Percent of CPU: above the one it scales out, below the other it scales in. Half as many instances stay below OUT."""
NIGHTS = "Nights and weekends"
_METRIC = "CpuUtilizationPercentage"
_NAMESPACE = "microsoft.machinelearningservices/workspaces/onlineendpoints/deployments"
_HOURS = 24
Document = dict[str, Any]


def scheduled(target: str, location: str, *, instances: int, rules: Rules) -> Document | None:
    """So many instances while people work, and one while nobody does, by the zone's clock.

    None: nobody ever rests by these rules, or Azure's name of the zone is not known.
    """
    zone = windows_zone(rules.zone.key)
    rests, works = _turns(rules, off=True), _turns(rules, off=False)
    if not zone or not rests or not works or instances < 2:
        return None
    ends = json.dumps({"name": "Auto created default scale condition", "for": NIGHTS})
    return _setting(
        target,
        location,
        [
            _profile(ends, instances, instances, instances, []) | _weekly(zone, works),
            _profile(NIGHTS, 1, 1, 1, []) | _weekly(zone, rests),
        ],
    )


def by_load(target: str, location: str, *, least: int, most: int) -> Document:
    """One profile that follows the CPU; where nothing is measured it goes to `most`, so that nobody is turned away."""
    rules = [_rule(target, "GreaterThan", OUT, "Increase"), _rule(target, "LessThan", IN, "Decrease")]
    return _setting(target, location, [_profile("By load", least, most, most, rules)])


def put_right(document: Mapping[str, Any]) -> Document | None:
    """The same setting with its faulty rules put right and nothing else; None: what is meant can't be told."""
    fixed = deepcopy(dict(document))
    properties = fixed.get("properties")
    if not isinstance(properties, dict) or not setting_of(properties).readable:
        return None
    for profile in properties["profiles"]:
        _put_right(profile)
    return None if faults(setting_of(properties)) or fixed == document else fixed


def _put_right(profile: dict[str, Any]) -> None:
    rules = profile.get("rules") or []
    for rule in rules:
        operator = str(rule["metricTrigger"].get("operator", "")).lower()
        if operator.startswith("less"):
            rule["scaleAction"]["direction"] = "Decrease"
        if operator.startswith("greater"):
            rule["scaleAction"]["direction"] = "Increase"
    directions = {str(rule["scaleAction"].get("direction", "")).lower() for rule in rules}
    if directions == {"increase"}:
        profile["rules"] = [*rules, _counterpart(rules[0])]


def _counterpart(rule: Mapping[str, Any]) -> dict[str, Any]:
    """The rule that takes back what another one adds: well below it, so that the two do not chase each other."""
    other = deepcopy(dict(rule))
    threshold = float(rule["metricTrigger"].get("threshold") or 0)
    other["metricTrigger"] |= {"operator": "LessThan", "threshold": round(threshold * IN / OUT)}
    other["scaleAction"] |= {"direction": "Decrease", "value": "1"}
    return other


def _turns(rules: Rules, *, off: bool) -> dict[int, list[int]]:
    """The weekdays, by hour of the clock, at which rest begins (`off`) or ends."""
    resting = [
        day in rules.weekend or not rules.day_begins <= hour < rules.day_ends
        for day in range(len(DAYS))
        for hour in range(_HOURS)
    ]
    found: dict[int, list[int]] = {}
    for place, rests in enumerate(resting):
        if rests is off and resting[place - 1] is not off:
            found.setdefault(place % _HOURS, []).append(place // _HOURS)
    return found


def _weekly(zone: str, turns: Mapping[int, list[int]]) -> Document:
    """All turns of one kind are at one hour of the day: the rules know one working day."""
    ((hour, days),) = turns.items()
    schedule = {"timeZone": zone, "days": [DAYS[day] for day in days], "hours": [hour], "minutes": [0]}
    return {"recurrence": {"frequency": "Week", "schedule": schedule}}


def _profile(name: str, least: int, usual: int, most: int, rules: list[Document]) -> Document:
    bounds = {"minimum": str(least), "maximum": str(most), "default": str(usual)}
    return {"name": name, "capacity": bounds, "rules": rules}


def _rule(target: str, operator: str, threshold: int, direction: str) -> Document:
    return {
        "metricTrigger": {
            "metricName": _METRIC,
            "metricNamespace": _NAMESPACE,
            "metricResourceUri": target,
            "timeGrain": "PT1M",
            "statistic": "Average",
            "timeWindow": "PT5M",
            "timeAggregation": "Average",
            "operator": operator,
            "threshold": threshold,
            "dividePerInstance": False,
        },
        "scaleAction": {"direction": direction, "type": "ChangeCount", "value": "1", "cooldown": "PT5M"},
    }


def _setting(target: str, location: str, profiles: list[Document]) -> Document:
    return {
        "location": location,
        "tags": {},
        "properties": {
            "enabled": True,
            "targetResourceUri": target,
            "targetResourceLocation": location,
            "profiles": profiles,
            "notifications": [],
        },
    }
