"""A rollout in each state that its page has to show, made by the services and the executor's own outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from endpoints.changes import services
from endpoints.changes.draft import Draft, walk
from endpoints.changes.executor import jobs, outcomes
from endpoints.changes.executor.lease import Held, acquire
from endpoints.changes.gatespec import GateSpec, gate
from endpoints.changes.models import Change, Measurement
from endpoints.changes.terms import Terms
from endpoints.changes.verdict import Outcome
from endpoints.dispatch import db_now
from tests.changes.desk import ALL_BLUE, Desk
from tests.support.people import principal

ME = "host-1-a"
ERRORS, THROTTLED = gate("errors"), gate("throttled")
STAGES = ((5, 600, False), (25, 1200, True), (100, 0, False))


@dataclass
class Rollout:
    """green goes from 5 over 25 to 100 percent, at a desk where everybody sits."""

    desk: Desk
    number: int

    @property
    def page(self) -> str:
        return f"/changes/CR-{self.number}/live"

    @property
    def change(self) -> Change:
        return self.desk.change(self.number)

    def job(self) -> jobs.Job:
        held = acquire(self.desk.endpoint_id, ME)
        assert isinstance(held, Held)
        job = jobs.load_job(self.desk.endpoint_id, ME, held.epoch)
        assert job is not None
        return job

    def in_force(self) -> None:
        """Azure took the step, and was read twice."""
        split = self.job().facts.target.live
        outcomes.accept_unanswered(self.job(), "Azure shows it.")
        outcomes.confirm(self.job(), "azure-1")
        outcomes.step_done(self.job())
        self.desk.azure_shows(split)

    def bakes(self, seconds: float) -> None:
        outcomes.baked(self.job(), seconds)

    def gates_say(self, outcome: Outcome, reason: str = "as measured") -> None:
        Change.objects.filter(pk=self.number).update(
            gate_outcome=outcome, gate_reason=reason, measured_at=db_now()
        )

    def measured(self, spec: GateSpec, outcome: Outcome, ago: float = 0.0, **values: Any) -> None:
        at = db_now() - timedelta(minutes=ago)
        Measurement.objects.create(
            **{
                "change_id": self.number,
                "step": self.change.step,
                "gate": spec.name,
                "outcome": outcome,
                "reason": f"{spec.name} as measured.",
                "since": at - timedelta(minutes=5),
                "until": at,
                "at": at,
                "limit": spec.limit,
            }
            | values
        )

    def held(self, reason: str = "I want to look") -> None:
        services.hold_change(principal=principal(self.desk.operator), change_id=self.number, reason=reason)


def plan(*steps: tuple[int, int, bool], **terms: Any) -> Draft:
    wanted = {"gates": (ERRORS, THROTTLED), "watch": 1800} | terms
    return walk(ALL_BLUE, "green", steps or STAGES, Terms(**wanted))


def started(desk: Desk, draft: Draft | None = None) -> Rollout:
    """Approved and started; nothing was sent yet."""
    return Rollout(desk, desk.start(desk.approve(desk.request(split=None, draft=draft or plan()))))  # type: ignore[arg-type]


def baking(desk: Desk, draft: Draft | None = None) -> Rollout:
    """The first step is in force and bakes."""
    found = started(desk, draft)
    found.in_force()
    return found
