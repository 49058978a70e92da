"""Whether somebody carries out what was approved."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models.functions import Now

from endpoints.changes.models import Executor

SILENT_AFTER_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class ExecutorState:
    """`age` is the seconds since any executor said that it lives; None: none ever did."""

    age: float | None

    @property
    def alive(self) -> bool:
        return self.age is not None and self.age <= SILENT_AFTER_SECONDS


def executor_state() -> ExecutorState:
    """By the database's clock."""
    newest = Executor.objects.order_by("-beat_at").values_list("beat_at", Now()).first()
    return ExecutorState((newest[1] - newest[0]).total_seconds() if newest else None)
