"""Ask for a capacity change: other instances, another autoscale setting, or a delete. Reviewed as any change."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.db import IntegrityError, transaction

from endpoints.access.policies import Action, Principal, require
from endpoints.changes.capacity_order import CapacityOrder, Known, problems, steps_of
from endpoints.changes.lifecycle import Kind
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import Base, Step, base_from_json, steps_from_json
from endpoints.changes.selectors.situation import current_base
from endpoints.changes.services.keys import KEY_TAKEN, earlier_with_key
from endpoints.changes.services.lease import lock_lease
from endpoints.changes.services.people import visible_endpoint, workspace_slug
from endpoints.changes.services.revise import clean_reason
from endpoints.changes.services.writing import Order, write_down
from endpoints.core.errors import Conflict, Invalid
from endpoints.inventory.selectors import EndpointFacts, deployment_states, endpoint_facts


def request_capacity(
    *,
    principal: Principal,
    endpoint_id: int,
    order: CapacityOrder,
    reason: str,
    origin: str = "",
    idempotency_key: str = "",
) -> int:
    """The new change's number; asked twice with one key, the first one's.

    `origin` names the row that it is asked for by ("finding:7"). Invalid for what can't be asked for or changes
    nothing; nothing is stored then.
    """
    endpoint = endpoint_facts(endpoint_id)
    slug = workspace_slug(endpoint.workspace_id)
    visible_endpoint(principal, endpoint)
    require(principal, Action.CREATE_CAPACITY, workspace_id=endpoint.workspace_id, own=True, workspace=slug)
    words = clean_reason(reason)
    try:
        with transaction.atomic():
            lock_lease(endpoint_id)
            if earlier := earlier_with_key(principal, idempotency_key, endpoint_id, Kind.CAPACITY):
                return _same_order(earlier, order, origin)
            base, steps = planned_capacity(endpoint, order)
            return write_down(
                Order(
                    principal,
                    endpoint,
                    Kind.CAPACITY,
                    base,
                    steps,
                    words,
                    key=idempotency_key,
                    origin=origin,
                )
            )
    except IntegrityError as error:
        raise Conflict(KEY_TAKEN) from error  # used at this very moment, for another endpoint


def planned_capacity(endpoint: EndpointFacts, order: CapacityOrder) -> tuple[Base, tuple[Step, ...]]:
    """The order as steps on the base that is live now, or Invalid with every reason why it can't be a plan."""
    states, base = deployment_states(endpoint.id), current_base(endpoint.id)
    instances = {state.name.lower(): state.instance_count for state in states}
    known = Known(
        endpoint.name,
        base,
        instances,
        {state.name.lower(): state.name for state in states},
        settings.OPSPORTAL.scream_test_seconds,
    )
    if found := problems(order, known):
        raise Invalid(found)
    return base, steps_of(order, base, instances)


def _same_order(earlier: Change, order: CapacityOrder, origin: str) -> int:
    """The number of the change that this key made; Conflict when it was for something else.

    What stood when it was written is no part of what was asked for.
    """
    first = ChangeRevision.objects.get(change=earlier, number=1)
    asked = tuple(replace(step, was=0) for step in steps_from_json(first.plan))
    if asked != steps_of(order, base_from_json(first.base)) or earlier.origin != origin:
        raise Conflict(KEY_TAKEN)
    return earlier.pk
