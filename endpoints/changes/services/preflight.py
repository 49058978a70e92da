"""What is looked at again right before each step is ordered: what holds the endpoint, and whether replicas suffice.

Before a delete also whether its scream test was silent, and that the files of what goes are kept.

The base, and that deployments stand and are Succeeded, is seen on the reading that the call is based on.
"""

from __future__ import annotations

from endpoints.changes import capacity, scaling
from endpoints.changes.capacity_checks import moves_load, of_capacity
from endpoints.changes.decide import Blocked
from endpoints.changes.lifecycle import Hold
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import DELETES, Base, Step, base_from_json, before_step
from endpoints.changes.selectors.accepted import accepted_by_people
from endpoints.changes.selectors.holding import holds_against
from endpoints.changes.selectors.kept import missing_files, to_keep
from endpoints.changes.selectors.known import peak_of, peaks_lately, replicas_of, rooms_of
from endpoints.changes.selectors.scream import scream_of
from endpoints.changes.services.conditions import told_holds
from endpoints.changes.verdict import Outcome, Verdict, overall, unaccepted
from endpoints.inventory.selectors import deployment_states

KEPT = "The files of what is deleted are kept"


def before_next_step(change: Change, revision: ChangeRevision, steps: tuple[Step, ...]) -> Blocked | None:
    """Why the step that comes next must wait for a person; None when nothing stands against it.

    In an emergency freezes, stops and estimates of load hold nothing up.
    """
    if change.emergency:
        return None
    held = holds_against(change, revision)
    if held:
        return Blocked(Hold.STOP, told_holds(held))
    verdicts = [*_of_delete(change, revision, steps), *_verdicts(change, revision, steps)]
    if not verdicts:
        return None
    worst = overall(verdicts)
    if worst.blocks:
        return Blocked(Hold.CHECK, f"{worst.name}: {worst.reason}")
    if left := unaccepted(verdicts, accepted_by_people(change)):
        return Blocked(Hold.CHECK, f"Nobody accepted this: {left[0].name}: {left[0].reason}")
    return None


def _of_delete(change: Change, revision: ChangeRevision, steps: tuple[Step, ...]) -> list[Verdict]:
    """Nothing is deleted that somebody asked for in its scream test, or of which the files are not kept."""
    step = steps[change.step]
    if step.verb not in DELETES:
        return []
    told = scream_of(change, steps)
    return [*([told] if told else []), _kept(change, revision, step)]


def _kept(change: Change, revision: ChangeRevision, step: Step) -> Verdict:
    missing = missing_files(change.pk, change.endpoint_id, step)
    if not missing:
        return Verdict(KEPT, Outcome.PASS, "They are.")
    unsure = to_keep(str(change), change.endpoint_id, base_from_json(revision.base), step).unsure
    why = " ".join(unsure) or f"{', '.join(sorted(missing))}: resume it, and they are."
    return Verdict(
        KEPT, Outcome.INCONCLUSIVE, f"Its YAML can't be kept. {why}" if unsure else f"Not yet. {why}"
    )


def _verdicts(change: Change, revision: ChangeRevision, steps: tuple[Step, ...]) -> list[Verdict]:
    """Whether replicas can carry what this step gives them, as they stand now; and quota, where it scales."""
    before, step = before_step(base_from_json(revision.base), steps, change.step), steps[change.step]
    if of_capacity(steps) and not moves_load(Base(*before, ""), (step,)):
        return []
    found, deployments = peaks_lately(change.endpoint_id), deployment_states(change.endpoint_id)
    replicas = replicas_of(found, deployments)
    verdicts = [capacity.check(Base(*before, ""), (step,), peak_of(found), replicas)]
    if scaling.scales((step,)):
        rooms = rooms_of(change.endpoint_id, deployments)
        verdicts.append(scaling.check((step,), replicas, rooms))
    return verdicts
