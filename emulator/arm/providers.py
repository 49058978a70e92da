"""The providers that are served. Metrics, activity log, Resource Graph and prices will be entries here."""

from __future__ import annotations

from emulator.arm import authorization, containerlogs, deployments, endpoints, keys, operations, workspaces
from emulator.arm.routes import Table

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
}
