"""Whether a rollback would work now: one endpoint looked at live, and the lights that lists show, as kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import F

from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.models import Change, Drill, Readiness
from endpoints.changes.plan import put_split
from endpoints.changes.readiness import Answered, Drilled, Light, Picture, Times, from_json, light
from endpoints.changes.scaling import scale_first
from endpoints.changes.selectors.executor import ExecutorState, executor_state
from endpoints.changes.selectors.known import peak_of, peaks_lately, replicas_of, rooms_of
from endpoints.changes.selectors.probes import newest_probes, sample_of
from endpoints.changes.selectors.rollback import targets_of
from endpoints.changes.selectors.sight import EndpointSight, endpoint_sight
from endpoints.changes.verdict import Outcome, Verdict
from endpoints.core import traffic

TIMED = 200
"""So many rollbacks of an endpoint tell how long one takes."""


@dataclass(frozen=True, slots=True)
class KeptLight:
    """A light as it was looked at last."""

    endpoint_id: int
    outcome: Outcome
    reasons: tuple[Verdict, ...]
    at: datetime


def readiness_of(endpoint_id: int, *, executor: ExecutorState | None = None) -> Light:
    """The light of an endpoint that the caller may see, as of now; NotFound when it is gone."""
    return light_of(endpoint_sight(endpoint_id), executor=executor)


def light_of(sight: EndpointSight, *, executor: ExecutorState | None = None) -> Light:
    """The same out of what was read before."""
    live, found, told = sight.current(), peaks_lately(sight.endpoint_id), executor or executor_state()
    target = next((each for each in targets_of(sight) if each.preselected), None)
    peak, replicas = peak_of(found), replicas_of(found, sight.deployments)
    step = put_split(target.split, target.mirror) if target else put_split({}, {})
    scale = scale_first(step, peak, replicas, {})
    if scale.instances:
        scale = scale_first(step, peak, replicas, rooms_of(sight.endpoint_id, sight.deployments))
    return light(
        Picture(
            live=traffic.normalise(live.traffic),
            mirror=traffic.normalise(live.mirror_traffic),
            target=target,
            deployments=sight.standing,
            peak=peak,
            replicas=replicas,
            scale=scale,
            answers={
                name: Answered(probe.outcome, probe.reason, probe.at)
                for name, probe in newest_probes(sight.endpoint_id).items()
            },
            sampled=sample_of(sight.endpoint_id) is not None,
            drill=_last_drill(sight.endpoint_id),
            times=times_of(sight.endpoint_id),
            executor_age=told.age,
            executor_alive=told.alive,
            read_age=(live.looked_at - live.read_ended).total_seconds(),
            stale_after=settings.OPSPORTAL.stale_read_seconds,
            at=live.looked_at,
        )
    )


def times_of(endpoint_id: int) -> Times:
    """How long the newest rollbacks took until Azure showed their split; of drills also until requests followed."""
    done = Change.objects.filter(
        endpoint_id=endpoint_id, kind=Kind.ROLLBACK, state=State.SUCCEEDED, confirmed_at__isnull=False
    )
    rows = done.order_by("-pk").values_list("started_at", "confirmed_at")[:TIMED]
    observed = Drill.objects.filter(change__endpoint_id=endpoint_id, observed_at__isnull=False)
    seen = observed.order_by("-pk").values_list("ordered_at", "observed_at")[:TIMED]
    return Times(_seconds(rows), _seconds(seen))


def _seconds(rows: Any) -> tuple[float, ...]:
    return tuple((end - begin).total_seconds() for begin, end in rows if begin is not None)


def _last_drill(endpoint_id: int) -> Drilled | None:
    """One that was never started says nothing: it has neither passed nor failed."""
    ended = Drill.objects.filter(
        change__endpoint_id=endpoint_id, outcome__in=[Outcome.PASS.value, Outcome.FAIL.value]
    )
    row = ended.order_by("-pk").annotate(asked_at=F("change__created_at")).first()
    if row is None:
        return None
    return Drilled(row.pk, row.ordered_at or row.asked_at, row.outcome == Outcome.PASS, row.reason)


def kept_lights(endpoint_ids: Collection[int]) -> dict[int, KeptLight]:
    """The lights of a list of endpoints as they were looked at last, in one query; one never looked at is left out."""
    return {
        row.endpoint_id: KeptLight(
            row.endpoint_id, Outcome(row.outcome), tuple(from_json(item) for item in row.reasons), row.at
        )
        for row in Readiness.objects.filter(endpoint_id__in=list(endpoint_ids))
    }
