"""The providers that are served. A further one is an entry here."""

from __future__ import annotations

from emulator.activity import listing as activity
from emulator.arm import authorization, containerlogs, deployments, endpoints, keys, operations, workspaces
from emulator.arm.routes import Table
from emulator.autoscale import listing as autoscale
from emulator.compute import listing as compute
from emulator.graph import queries
from emulator.monitor import diagnostics, listing

PROVIDERS: dict[str, Table] = {
    "microsoft.machinelearningservices": {
        **workspaces.ROUTES,
        **endpoints.ROUTES,
        **keys.ROUTES,
        **deployments.ROUTES,
        **containerlogs.ROUTES,
        **operations.ROUTES,
        **compute.ROUTES,
    },
    "microsoft.authorization": authorization.ROUTES,
    "microsoft.resourcegraph": queries.ROUTES,
    "microsoft.insights": {**listing.ROUTES, **diagnostics.ROUTES, **activity.ROUTES, **autoscale.ROUTES},
}
