"""Practise a rollback: an approved small shift, then the ordinary rollback, and how long that took.

The shift is asked for, checked, reviewed and started as any other change. Once it came off the executor orders the
rollback by itself; when requests followed it is told later, by metrics.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.db import Error as DatabaseError
from django.db import IntegrityError, transaction

from endpoints.access.policies import Action, Principal, require
from endpoints.changes.draft import Draft, DraftStep, shift
from endpoints.changes.lifecycle import TERMINAL, Kind, State
from endpoints.changes.models import Change, ChangeRevision, Drill
from endpoints.changes.plan import base_from_json
from endpoints.changes.readiness import undrillable
from endpoints.changes.selectors.situation import current_base, known_deployments
from endpoints.changes.services.keys import KEY_TAKEN, earlier_with_key
from endpoints.changes.services.lease import lock_lease
from endpoints.changes.services.moves import LABELS, actor_for, tell_ledger
from endpoints.changes.services.people import visible_endpoint, workspace_slug
from endpoints.changes.services.request import order_of, same_order
from endpoints.changes.services.revise import clean_reason
from endpoints.changes.services.rollback import order_drilled_rollback
from endpoints.changes.services.writing import write_down
from endpoints.changes.verdict import Outcome
from endpoints.core.errors import Conflict, Invalid, OpsportalError, Unavailable
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import endpoint_facts
from endpoints.metrics.selectors import observed_since
from endpoints.metrics.selectors.observed_since import LONGEST

log = structlog.get_logger(__name__)

MOST_WEIGHT = 20
BAKE = 120
"""Seconds for which the shift stands: long enough that metrics see it."""
LONGEST_BAKE = 3600
BATCH = 50
_CALLED_OFF = (State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.SUPERSEDED)


def order_drill(
    *,
    principal: Principal,
    endpoint_id: int,
    deployment: str,
    weight: int,
    reason: str,
    bake: int = BAKE,
    idempotency_key: str = "",
) -> int:
    """The number of the change that moves `weight` percent to `deployment`, to be reviewed and started as any.

    Conflict for an endpoint where nothing can be drilled, Invalid for a shift that is no small one.
    """
    endpoint = endpoint_facts(endpoint_id)
    slug = workspace_slug(endpoint.workspace_id)
    visible_endpoint(principal, endpoint)
    require(principal, Action.DRILL, workspace_id=endpoint.workspace_id, own=True, workspace=slug)
    words = clean_reason(reason)
    try:
        with transaction.atomic():
            lock_lease(endpoint_id)
            draft = _draft(endpoint_id, deployment, weight, bake)
            if earlier := earlier_with_key(principal, idempotency_key, endpoint_id, Kind.DRILL):
                return same_order(earlier, draft)
            order = order_of(principal, endpoint, draft, words, idempotency_key, Kind.DRILL)
            number = write_down(order)
            Drill.objects.create(change_id=number)
            return number
    except IntegrityError as error:
        raise Conflict(KEY_TAKEN) from error  # used at this very moment, for another endpoint


def _draft(endpoint_id: int, deployment: str, weight: int, bake: int) -> Draft:
    known, base, name = known_deployments(endpoint_id), current_base(endpoint_id), deployment.lower()
    if why := undrillable(known):
        raise Conflict(f"{why} Nothing was stored.")
    found = {
        "weight": [] if 1 <= weight <= MOST_WEIGHT else [f"From 1 to {MOST_WEIGHT} percent can be drilled."],
        "bake": [] if 0 <= bake <= LONGEST_BAKE else [f"From 0 to {LONGEST_BAKE} seconds can be given."],
        "deployment": [] if name in known else ["There is no such deployment."],
    }
    after = base.split.get(name, 0) + weight
    if after > 100 or not base.split:
        found["deployment"].append("Its share can't grow by so much.")
    if any(found.values()):
        raise Invalid({field: told for field, told in found.items() if told})
    return Draft((DraftStep(shift(base.split, name, after), None, bake),))


def finish_drills() -> int:
    """Order the rollbacks of drills whose shift came off, and return how many; called again and again."""
    done = Drill.objects.filter(outcome="", rollback=None, change__state=State.SUCCEEDED)
    return sum(
        _if_possible(_roll_back, pk) for pk in list(done.order_by("pk").values_list("pk", flat=True)[:BATCH])
    )


def observe_drills() -> int:
    """Say how drills ended of which it is not said yet, and return of how many it is now."""
    open_ones = Drill.objects.filter(outcome="").exclude(rollback=None, change__state=State.SUCCEEDED)
    ended = open_ones.filter(change__state__in=[*TERMINAL, State.DRIFTED])
    return sum(
        _if_possible(_observe, pk) for pk in list(ended.order_by("pk").values_list("pk", flat=True)[:BATCH])
    )


def _if_possible(act: Callable[[int], int], change_id: int) -> int:
    """One that can't be dealt with keeps no other from it."""
    try:
        return act(change_id)
    except (DatabaseError, Unavailable) as error:
        log.warning("drill_not_finished", change=change_id, cause=str(error).strip())
    except OpsportalError as error:
        _end(change_id, Outcome.FAIL, error.message)
    return 0


@transaction.atomic
def _roll_back(change_id: int) -> int:
    change = Change.objects.get(pk=change_id)
    lock_lease(change.endpoint_id)
    drill = Drill.objects.select_for_update(of=("self",)).get(pk=change_id)
    if drill.rollback_id is not None or drill.outcome:
        return 0  # another executor was first
    ordered = order_drilled_rollback(change)
    drill.rollback, drill.ordered_at = ordered, ordered.started_at
    drill.save(update_fields=["rollback", "ordered_at"])
    return 1


def _observe(change_id: int) -> int:
    drill = Drill.objects.select_related("change", "rollback").get(pk=change_id)
    if drill.rollback is None:
        return _end_without(drill.change)
    rollback = drill.rollback
    if rollback.state != State.SUCCEEDED:
        if rollback.state not in {*TERMINAL, State.DRIFTED}:
            return 0
        words = f"Its rollback CR-{rollback.pk} is {LABELS[State(rollback.state)]}."
        return _end(change_id, Outcome.FAIL, words)
    assert drill.ordered_at is not None
    Drill.objects.filter(pk=change_id).update(confirmed_at=rollback.confirmed_at)
    base = base_from_json(ChangeRevision.objects.get(change=drill.change, number=drill.change.revision).base)
    seen = observed_since(drill.change.endpoint_id, base.split, drill.ordered_at, mirror=base.mirror)
    if seen.minute is not None:
        Drill.objects.filter(pk=change_id).update(observed_at=seen.minute)
        return _end(change_id, Outcome.PASS, "")
    if db_now() < drill.ordered_at + LONGEST:
        return 0  # metrics come late
    return _end(change_id, Outcome.PASS, f"When requests followed is not known. {seen.reason}")


def _end_without(change: Change) -> int:
    """It ended before there was anything to roll back."""
    state = State(change.state)
    if state in _CALLED_OFF:
        return _end(change.pk, Outcome.INCONCLUSIVE, f"It was not carried through: it is {LABELS[state]}.")
    return _end(change.pk, Outcome.FAIL, f"The shift is {LABELS[state]}. {change.attention}".strip())


@transaction.atomic
def _end(change_id: int, outcome: Outcome, reason: str) -> int:
    ended = Drill.objects.filter(pk=change_id, outcome="").update(outcome=outcome, reason=reason)
    if ended:
        change = Change.objects.get(pk=change_id)
        tell_ledger(change, actor_for(change), "drill.ended", after={"outcome": outcome.value, "why": reason})
    return ended
