"""What is wrong with an autoscale setting, the sample's own fault included."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints.capacity.autoscale import faults, setting_of


def rule(operator: str, direction: str) -> dict[str, Any]:
    return {
        "metricTrigger": {"metricName": "CpuUtilizationPercentage", "operator": operator, "threshold": 30},
        "scaleAction": {"direction": direction, "type": "ChangeCount", "value": "1", "cooldown": "PT1H"},
    }


def document(*rules: dict[str, Any], least: str = "2", most: str = "5", **more: Any) -> dict[str, Any]:
    capacity = {"minimum": least, "maximum": most, "default": least}
    return {
        "enabled": True,
        "profiles": [{"name": "usual", "capacity": capacity, "rules": list(rules)}],
        **more,
    }


OUT, IN = rule("GreaterThan", "Increase"), rule("LessThan", "Decrease")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (document(OUT, IN), None),
        (document(OUT, rule("LessThan", "Increase")), "under little CpuUtilizationPercentage it scales out"),
        (document(rule("GreaterThan", "Decrease"), IN), "under much CpuUtilizationPercentage it scales in"),
        (document(OUT), "no rule to scale in"),
        (document(OUT, IN, least="3", most="3"), "both 3"),
        (document(OUT, rule("LessThan", "Increase"), enabled=False), None),
        ({}, None),
    ],
)
def test_faults__of_a_setting__are_named(setting: dict[str, Any], said: str | None) -> None:
    found = faults(setting_of(setting))
    assert (said is None and not found) or (said is not None and said in " ".join(found))


def test_setting__with_parts_that_nobody_understands__says_so_and_loses_nothing_else() -> None:
    found = setting_of(document(OUT, {"scaleAction": "sideways"}))
    assert not found.readable
    assert (found.profiles[0].least, found.profiles[0].rules[0].out) == (2, True)
    assert not setting_of({"profiles": "none"}).readable
