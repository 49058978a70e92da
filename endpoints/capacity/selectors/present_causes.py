"""Why deployments stand idle at this moment, where the ledger's days do not say: no split of those days is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from endpoints.capacity.causes import JUSTIFIED, Cause, Moment, Rules, cause_of
from endpoints.capacity.selectors.living import Living
from endpoints.capacity.selectors.world import part_of
from endpoints.capacity.why import Idle
from endpoints.changes.selectors.parts import parts_of


def present_causes(
    living: Sequence[Living], ids: Collection[int], rules: Rules, now: datetime
) -> Mapping[int, Idle]:
    """Of `ids` among all that live in a workspace; one of which nothing more can be said is left out. One query."""
    wanted = [one for one in living if one.id in ids]
    if not wanted:
        return {}
    weights: Counter[int] = Counter()
    for one in living:
        weights[one.endpoint_id] += one.weight or 0
    parts = parts_of({one.endpoint_id for one in wanted}, until=now)
    found: dict[int, Idle] = {}
    for one in wanted:
        told = [part_of(each, one.name_key, one.since) for each in parts.get(one.endpoint_id, ())]
        moment = Moment(
            at=now,
            weight=one.weight,
            mirrored=one.mirrored,
            endpoint_weight=None if one.weight is None else weights[one.endpoint_id],
            parts=[part for part in told if part],
            tags=one.tags,
            owner=bool(one.owner),
            served_that_week=False,
        )
        cause = cause_of(moment, rules)
        if cause.cause not in JUSTIFIED | {Cause.NO_REQUESTS}:
            found[one.id] = Idle(cause.cause, cause.ref)
    return found
