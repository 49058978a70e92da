"""A stored freeze as the pure rules read it."""

from __future__ import annotations

from datetime import datetime

from endpoints.holds.calendar import Schedule
from endpoints.holds.models import Freeze
from endpoints.holds.scope import Scope


def schedule_of(freeze: Freeze) -> Schedule:
    return Schedule(
        zone=freeze.zone,
        first_start=datetime.fromisoformat(freeze.first_start),
        first_end=datetime.fromisoformat(freeze.first_end),
        rule=freeze.rule,
        excluded=frozenset(datetime.fromisoformat(shown) for shown in freeze.excluded),
    )


def scope_of(freeze: Freeze) -> Scope:
    return Scope(freeze.workspace_id, freeze.name_pattern, freeze.owner, freeze.tag)
