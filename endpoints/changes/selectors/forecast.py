"""The simulation of a plan: of one that is written down, or of a draft that somebody is still thinking about."""

from __future__ import annotations

from endpoints.access.policies import Principal, visible_workspaces
from endpoints.changes.draft import Draft, planned
from endpoints.changes.forecast import Forecast, forecast
from endpoints.changes.models import ChangeRevision
from endpoints.changes.plan import (
    Base,
    Step,
    base_from_json,
    candidates,
    duration,
    stables,
    steps_from_json,
)
from endpoints.changes.selectors.known import known_of
from endpoints.changes.selectors.situation import current_base
from endpoints.changes.terms import Terms, terms_from_json
from endpoints.core.errors import NotFound
from endpoints.inventory.selectors import DeploymentState, deployment_states


def forecast_of(revision: ChangeRevision, deployments: tuple[DeploymentState, ...] | None = None) -> Forecast:
    """What this content of a change would do from now on."""
    base, steps = base_from_json(revision.base), steps_from_json(revision.plan)
    endpoint_id = revision.change.endpoint_id
    return _forecast(endpoint_id, base, steps, terms_from_json(revision.terms), deployments)


def change_forecast(principal: Principal, change_id: int) -> Forecast:
    """The same for a change by its number; NotFound when it is none that the principal may see."""
    revision = (
        ChangeRevision.objects.select_related("change")
        .filter(change=change_id, change__workspace__in=visible_workspaces(principal))
        .order_by("-number")
        .first()
    )
    if revision is None:
        raise NotFound(f"There is no CR-{change_id}, or not for you.")
    return forecast_of(revision)


def forecast_draft(endpoint_id: int, draft: Draft) -> Forecast:
    """What a draft would do on the split that is live now; of an endpoint that the caller may see."""
    base = current_base(endpoint_id)
    return _forecast(endpoint_id, base, planned(draft, base.mirror), draft.terms, None)


def _forecast(
    endpoint_id: int,
    base: Base,
    steps: tuple[Step, ...],
    terms: Terms,
    deployments: tuple[DeploymentState, ...] | None,
) -> Forecast:
    known = known_of(
        endpoint_id,
        deployment_states(endpoint_id) if deployments is None else deployments,
        watched=candidates(base, steps),
        beside=stables(base, steps) or list(base.split),
        seconds=float(duration(steps, terms)),
    )
    return forecast(base, steps, terms, known)
