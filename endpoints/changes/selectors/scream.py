"""The scream test of a change that deletes: since when what goes has had no traffic, and who asked for it since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from endpoints.changes.capacity_checks import doomed
from endpoints.changes.hearing import SETTLING, judge_scream
from endpoints.changes.lifecycle import State
from endpoints.changes.models import Change, Transition
from endpoints.changes.plan import DELETES, Step
from endpoints.changes.selectors.ground import heard_of
from endpoints.changes.selectors.situation import known_deployments
from endpoints.changes.verdict import Verdict
from endpoints.dispatch import db_now


def screams_at(steps: Sequence[Step], number: int) -> bool:
    """Whether step `number` is a scream test: what goes is without traffic, and the next step deletes it."""
    return number + 1 < len(steps) and steps[number].bake > 0 and steps[number + 1].verb in DELETES


def silent_since(change: Change, steps: Sequence[Step]) -> datetime | None:
    """When the scream test before the step at work came in force; None where the plan has none there."""
    before = change.step - 1
    if before < 0 or not screams_at(steps, before) or change.started_at is None:
        return None
    begun = Transition.objects.filter(
        change=change, step=before, after=State.BAKING, at__gte=change.started_at
    )
    return begun.order_by("version").values_list("at", flat=True).first()


def scream_of(change: Change, steps: Sequence[Step]) -> Verdict | None:
    """Whether it was silent up to now; None where there is no test before the step at work."""
    since = silent_since(change, steps)
    if since is None:
        return None
    now, wanted = db_now(), steps[change.step - 1].bake
    begin = since + min(SETTLING, timedelta(seconds=wanted / 10))
    going = doomed(steps, known_deployments(change.endpoint_id))
    found = heard_of(change.endpoint_id, {name: [(begin, now)] for name in going}, now)
    return judge_scream(found, since, seconds=wanted)
