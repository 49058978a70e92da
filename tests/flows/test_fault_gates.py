"""The executor dies between what its gates said and what is done about it (F7)."""

from __future__ import annotations

import pytest

from endpoints.changes.draft import walk
from endpoints.changes.gatespec import gate
from endpoints.changes.models import Measurement
from endpoints.changes.terms import Terms
from tests.flows.stage import TIMES, Stage

pytestmark = pytest.mark.processes


def test_gates__executor_dies_when_they_have_spoken__are_asked_again_and_decide_once(world: Stage) -> None:
    """F7: what was measured is on record once, and the change is held once, whoever measures."""
    world.times = {**TIMES, "OPSPORTAL_GATE_SECONDS": "0.5", "OPSPORTAL_GATE_GRACE_SECONDS": "2"}
    steps = ((5, 1, False), (100, 0, False))
    first = world.executor(OPSPORTAL_CRASH="after_gates")
    number = world.started(
        None,  # type: ignore[arg-type]
        draft=walk({"blue": 100}, "green", steps, Terms(gates=(gate("errors"),))),
    )
    world.dies(first)
    assert Measurement.objects.filter(change=number).count() == 1
    assert world.change(number).state == "baking"
    world.executor()
    change = world.until(number, "held", seconds=60)
    moments = list(Measurement.objects.filter(change=number).values_list("step", "gate", "until"))
    assert len(moments) == len(set(moments))
    assert [row.after for row in change.transitions.order_by("version")].count("held") == 1
    assert world.live() == {"blue": 95, "green": 5}
    assert world.puts() == 1
