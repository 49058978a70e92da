"""Puts one cloud together: log, world, settings, identities, models."""

from __future__ import annotations

import secrets
from pathlib import Path

from emulator.activity.log import ActivityLog
from emulator.cloud import Cloud
from emulator.compute.market import Market
from emulator.control import Control
from emulator.graph.rows import Rows
from emulator.incidents import Incidents
from emulator.monitor.history import History
from emulator.monitor.source import Source
from emulator.scenario import Scenario
from emulator.seeding import Seeder, models, workload
from emulator.settings import Settings
from emulator.tokens import Identity, Tokens
from emulator.values import Clock, Json, guid, system_clock
from emulator.views import Views
from emulator.worldlog import WorldLog


def build(
    scenario: Scenario,
    *,
    seed: int = 1,
    overrides: Json | None = None,
    state: Path | None = None,
    identity_header: str | None = None,
    clock: Clock = system_clock,
) -> Cloud:
    """A cloud on the log in `state`: an empty log is seeded by the scenario, a used one wins over it."""
    settings = Settings(seed=seed)
    settings.change(scenario.settings)
    settings.change(overrides or {})
    control = Control(log=WorldLog(state), settings=settings, clock=clock)
    if control.world.last == 0:
        control.seed(Seeder(settings.seed, clock(), scenario.writers).records(scenario))
    told = workload(scenario, seed=settings.seed, began=control.log.began(clock))
    behaviours = models(scenario)
    return Cloud(
        settings=settings,
        control=control,
        tokens=Tokens(settings.seed, clock, list(scenario.identities) or [_default_identity()]),
        views=Views(control),
        models=behaviours,
        workload=told,
        source=Source(control, settings, behaviours, told, History(control.log)),
        graph=Rows(control),
        activity=ActivityLog(control.log, settings.seed),
        vaults=scenario.vaults,
        incidents=Incidents(control, told),
        market=Market(scenario.limits, scenario.unpriced, scenario.retail),
        identity_header=identity_header or secrets.token_hex(16),
    )


def _default_identity() -> Identity:
    return Identity(guid("client", "opsportal"), guid("object", "opsportal"), "opsportal")
