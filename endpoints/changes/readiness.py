"""Whether a rollback of an endpoint would work now: a standing light, with every reason in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from endpoints.changes.verdict import Outcome, Verdict, overall, worst_first
from endpoints.core.traffic import Split


@dataclass(frozen=True, slots=True)
class Light:
    """`outcome` is the worst of `reasons`. `target`: where a rollback would go; None when there is nowhere.

    `drillable` "" : a drill can be made; else why not. `seconds`: median from click to confirmed here, of `drills`
    and other rollbacks; None when there was none.
    """

    outcome: Outcome
    reasons: tuple[Verdict, ...]
    target: Split | None
    at: datetime
    drillable: str = ""
    seconds: float | None = None
    observed_seconds: float | None = None
    rollbacks: int = 0
    last_drill: datetime | None = None
    words: str = field(default="")


def light(verdicts: list[Verdict], target: Split | None, at: datetime, **more: object) -> Light:
    """The light over these verdicts."""
    worst = overall(verdicts)
    return Light(worst.outcome, tuple(worst_first(verdicts)), target, at, words=worst.reason, **more)  # type: ignore[arg-type]
