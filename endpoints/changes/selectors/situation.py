"""What the mirror and the rows know about an endpoint at this moment, in the shape that checks take."""

from __future__ import annotations

from django.conf import settings

from endpoints.changes.capacity_checks import Ground, deletes
from endpoints.changes.checks import Situation
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import Base, base_from_json, steps_from_json
from endpoints.changes.scaling import scales
from endpoints.changes.selectors.ground import ground_of
from endpoints.changes.selectors.known import peak_of, peaks_lately, replicas_of, rooms_of
from endpoints.changes.selectors.probes import direct_of
from endpoints.changes.selectors.sight import EndpointSight, endpoint_sight, states_of
from endpoints.core import traffic
from endpoints.inventory.selectors import CurrentSplit, current_split, deployment_states


def current_base(endpoint_id: int) -> Base:
    """The split that Azure reported last, as a plan's base."""
    live = current_split(endpoint_id)
    return Base(traffic.normalise(live.traffic), traffic.normalise(live.mirror_traffic), live.state_hash)


def known_deployments(endpoint_id: int) -> dict[str, str]:
    """Lower-case name to provisioning state of every deployment that stands."""
    return states_of(deployment_states(endpoint_id))


def situation_of(change: Change) -> Situation:
    """Everything that `checks.run` asks about this change, now."""
    revision = ChangeRevision.objects.get(change=change, number=change.revision)
    return situation(revision, endpoint_sight(change.endpoint_id))


def situation(revision: ChangeRevision, sight: EndpointSight) -> Situation:
    """The same out of what was read before."""
    live, found = sight.current(), peaks_lately(sight.endpoint_id)
    base, steps = base_from_json(revision.base), steps_from_json(revision.plan)
    return Situation(
        base=base,
        steps=steps,
        live_split=traffic.normalise(live.traffic),
        live_mirror=traffic.normalise(live.mirror_traffic),
        deployments=sight.standing,
        endpoint_state=live.provisioning_state,
        other_open=tuple(number for number in sight.orders.rivals if number != revision.change_id),
        read_age=(live.looked_at - live.read_ended).total_seconds(),
        stale_after=settings.OPSPORTAL.stale_read_seconds,
        unreadable=_unreadable(live),
        peak=peak_of(found),
        replicas=replicas_of(found, sight.deployments),
        rooms=rooms_of(sight.endpoint_id, sight.deployments) if scales(steps) else {},
        direct=direct_of(sight.endpoint_id, base, steps),
        ground=ground_of(sight, steps) if deletes(steps) else Ground(),
    )


def _unreadable(live: CurrentSplit) -> str:
    if live.unreadable_since is None:
        return ""
    return f"Azure's answer about this endpoint can't be understood since {live.unreadable_since:%Y-%m-%d %H:%M} UTC."
