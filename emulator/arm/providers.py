"""The providers that are served. Activity log and prices will be entries here."""

from __future__ import annotations

from emulator.arm import authorization, containerlogs, deployments, endpoints, keys, operations, workspaces
from emulator.arm.routes import Table
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
    },
    "microsoft.authorization": authorization.ROUTES,
    "microsoft.resourcegraph": queries.ROUTES,
    "microsoft.insights": {**listing.ROUTES, **diagnostics.ROUTES},
}
