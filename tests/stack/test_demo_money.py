"""What FinOps of the demo says about money is about workspaces and endpoints that the demo's fleet has."""

from __future__ import annotations

from pathlib import Path

import yaml

from opsportal import demo
from opsportal.demo_money import PLANS, VALUES

ROOT = Path(__file__).resolve().parents[2]


def test_the_demos_money__is_about_what_its_fleet_has() -> None:
    told = yaml.safe_load((ROOT / "emulator" / "scenarios" / "demo.yaml").read_text())
    endpoints = {(one["workspace"], one["name"]) for one in told["endpoints"]}
    teams = {(one["workspace"], one.get("tags", {}).get("team", "")) for one in told["endpoints"]}
    assert {(value.workspace, value.endpoint) for value in VALUES} <= endpoints
    assert {(plan.workspace, plan.team) for plan in PLANS if plan.team} <= teams
    assert {plan.workspace for plan in PLANS} == set(demo.EVERYWHERE)
