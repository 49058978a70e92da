"""All that is known of one endpoint when something is to be decided about it: read once, then passed on."""

from __future__ import annotations

from dataclasses import dataclass

from endpoints.changes.selectors.orders import Orders, orders_of
from endpoints.core.errors import NotFound
from endpoints.inventory.selectors import CurrentSplit, DeploymentState, current_split, deployment_states


@dataclass(frozen=True, slots=True)
class EndpointSight:
    """One endpoint with its deployments and its changes. `live` is None when Azure has it no more."""

    endpoint_id: int
    live: CurrentSplit | None
    deployments: tuple[DeploymentState, ...]
    orders: Orders

    def current(self) -> CurrentSplit:
        """`live`; NotFound when the endpoint is gone."""
        if self.live is None:
            raise NotFound("There is no such endpoint, or it was deleted.")
        return self.live

    @property
    def standing(self) -> dict[str, str]:
        """Lower-case name to provisioning state of every deployment that stands."""
        return states_of(self.deployments)


def endpoint_sight(endpoint_id: int) -> EndpointSight:
    """Three queries, whatever the endpoint's history."""
    return EndpointSight(
        endpoint_id, live_split(endpoint_id), deployment_states(endpoint_id), orders_of(endpoint_id)
    )


def live_split(endpoint_id: int) -> CurrentSplit | None:
    """The split on record; None when the endpoint is gone."""
    try:
        return current_split(endpoint_id)
    except NotFound:
        return None


def states_of(deployments: tuple[DeploymentState, ...]) -> dict[str, str]:
    """Lower-case name to provisioning state."""
    return {state.name.lower(): state.provisioning_state for state in deployments}
