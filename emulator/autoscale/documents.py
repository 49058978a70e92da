"""What an autoscale setting may be, what one of the scenario is, and how ARM shows it. Pure.

Capacities and steps are strings on the wire, as the schema has them: a number is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emulator import names
from emulator.errors import ArmError, bad_request
from emulator.fold import Resource
from emulator.reading import ScenarioError, mapping, parts
from emulator.values import Json

_OPERATORS = frozenset(
    {"equals", "notequals", "greaterthan", "greaterthanorequal", "lessthan", "lessthanorequal"}
)
_DIRECTIONS = frozenset({"none", "increase", "decrease"})
_MOST_PROFILES, _MOST_RULES = 20, 10


@dataclass(frozen=True, slots=True)
class Plan:
    """A setting that the scenario has: bounds, and rules on CPU unless there are none."""

    minimum: int
    maximum: int
    default: int
    enabled: bool = True
    rules: bool = True
    scales_in: bool = True
    """False: the rule of little load says Increase, as in Microsoft's own sample."""


def plan(value: Any, where: str) -> Plan:
    where = f"autoscale of {where}"
    part = parts(
        mapping(value, where),
        where,
        minimum=...,
        maximum=...,
        default=None,
        enabled=True,
        rules=True,
        scales_in=True,
    )
    if part["default"] is None:
        part["default"] = part["minimum"]
    for name in ("minimum", "maximum", "default"):
        if isinstance(part[name], bool) or not isinstance(part[name], int):
            raise ScenarioError(f"{where}: {name} is a whole number, not {part[name]!r}.")
    for name in ("enabled", "rules", "scales_in"):
        if not isinstance(part[name], bool):
            raise ScenarioError(f"{where}: {name} is true or false, not {part[name]!r}.")
    if not 0 <= part["minimum"] <= part["default"] <= part["maximum"]:
        raise ScenarioError(f"{where}: minimum, default and maximum do not follow each other.")
    return Plan(**part)


def planned(told: Plan, target: str, location: str) -> Json:
    """The document of a scenario's setting for the deployment `target`."""
    inward = "Decrease" if told.scales_in else "Increase"
    rules = (
        [_rule(target, "GreaterThan", 70.0, "Increase", "2"), _rule(target, "LessThan", 30.0, inward, "1")]
        if told.rules
        else []
    )
    bounds = {name: str(getattr(told, name)) for name in ("minimum", "maximum", "default")}
    return {
        "location": location,
        "tags": {},
        "properties": {
            "name": setting_name(target),
            "targetResourceUri": target,
            "targetResourceLocation": location,
            "enabled": told.enabled,
            "profiles": [{"name": "default", "capacity": bounds, "rules": rules}],
            "notifications": [],
        },
    }


def setting_name(target: str) -> str:
    parts_ = target.split("/")
    return f"as-{parts_[-3]}-{parts_[-1]}"


def _rule(target: str, operator: str, threshold: float, direction: str, value: str) -> Json:
    return {
        "metricTrigger": {
            "metricName": "CpuUtilizationPercentage",
            "metricNamespace": names.DEPLOYMENT_TYPE.lower(),
            "metricResourceUri": target,
            "timeGrain": "PT1M",
            "statistic": "Average",
            "timeWindow": "PT5M",
            "timeAggregation": "Average",
            "operator": operator,
            "threshold": threshold,
            "dividePerInstance": False,
        },
        "scaleAction": {
            "direction": direction,
            "type": "ChangeCount",
            "value": value,
            "cooldown": "PT5M",
        },
    }


def shown(found: Resource) -> Json:
    """The ARM document. Azure writes the provider's name in lower case here."""
    return {
        "id": found.id,
        "name": names.last(found.id),
        "type": names.AUTOSCALE_TYPE,
        "location": found.body["location"],
        "tags": found.body["tags"],
        "properties": {**found.body["properties"], "name": names.last(found.id)},
    }


def target(body: Json) -> str:
    return str(body["properties"]["targetResourceUri"])


def checked(sent: Json) -> Json:
    """The document to keep of what was sent; ARM's 400 for one that is no setting."""
    if not isinstance(sent.get("location"), str) or not sent["location"]:
        raise bad_request("The location property is required for this definition.", "LocationRequired")
    tags = _map(sent.get("tags") or {}, "tags")
    properties = _map(sent.get("properties"), "properties")
    if not isinstance(properties.get("targetResourceUri"), str):
        raise _invalid("properties.targetResourceUri is missing.")
    if not isinstance(properties.get("enabled", True), bool):
        raise _invalid("properties.enabled is true or false.")
    profiles = _list(properties.get("profiles"), "properties.profiles")
    if not 1 <= len(profiles) <= _MOST_PROFILES:
        raise _invalid(f"A setting has 1 to {_MOST_PROFILES} profiles, not {len(profiles)}.")
    for one in profiles:
        _check_profile(_map(one, "a profile"))
    kept = {"enabled": True, "notifications": [], **properties}
    return {"location": sent["location"], "tags": tags, "properties": kept}


def _check_profile(profile: Json) -> None:
    name = profile.get("name")
    if not isinstance(name, str) or not name:
        raise _invalid("A profile has a name.")
    bounds = _map(profile.get("capacity"), f"capacity of profile '{name}'")
    least, usual, most = (
        _whole(bounds.get(word), f"{word} of '{name}'") for word in ("minimum", "default", "maximum")
    )
    if not least <= usual <= most:
        raise _invalid(
            f"Profile '{name}': minimum {least} <= default {usual} <= maximum {most} does not hold."
        )
    rules = _list(profile.get("rules"), f"rules of profile '{name}'")
    if len(rules) > _MOST_RULES:
        raise _invalid(f"Profile '{name}' has more than {_MOST_RULES} rules.")
    for one in rules:
        _check_rule(_map(one, "a rule"), name)


def _check_rule(rule: Json, name: str) -> None:
    where = f"of a rule of profile '{name}'"
    trigger = _map(rule.get("metricTrigger"), f"metricTrigger {where}")
    action = _map(rule.get("scaleAction"), f"scaleAction {where}")
    for word in (
        "metricName",
        "metricResourceUri",
        "timeGrain",
        "statistic",
        "timeWindow",
        "timeAggregation",
    ):
        if not isinstance(trigger.get(word), str) or not trigger[word]:
            raise _invalid(f"{word} {where} is missing.")
    threshold = trigger.get("threshold")
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
        raise _invalid(f"threshold {where} is a number, not {threshold!r}.")
    _word(trigger.get("operator"), _OPERATORS, f"operator {where}")
    _word(action.get("direction"), _DIRECTIONS, f"direction {where}")
    _whole(action.get("value"), f"value {where}")


def _whole(value: Any, where: str) -> int:
    if not isinstance(value, str) or not value.isdecimal():
        raise _invalid(f"{where} is a whole number as a string, not {value!r}.")
    return int(value)


def _word(value: Any, known: frozenset[str], where: str) -> None:
    if not isinstance(value, str) or value.lower() not in known:
        raise _invalid(f"{where} has no value {value!r}.")


def _map(value: Any, where: str) -> Json:
    if not isinstance(value, dict):
        raise _invalid(f"{where} is an object.")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise _invalid(f"{where} is a list.")
    return value


def _invalid(message: str) -> ArmError:
    return bad_request(message, "InvalidAutoscaleSetting")
