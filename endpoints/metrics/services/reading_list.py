"""What a collector reads: the living endpoints and deployments of its subscription and region."""

from __future__ import annotations

from django.db import connection

from endpoints.metrics.services.reading import Deployed, Target
from endpoints.metrics.telemetry import State

# Reasons that seldom go by themselves.
_SUSPECT = frozenset({State.FORBIDDEN, State.UNREADABLE})
_TARGETS = """
SELECT e.id, e.arm_key, t.read_at, t.state, t.reason, d.id, d.name_key, d.arm_key,
    extract(epoch FROM d.azure_created_at)::bigint
FROM inventory_endpoint e
JOIN access_workspace w ON w.id = e.workspace_id
JOIN inventory_deployment d ON d.endpoint_id = e.id AND d.deleted_at IS NULL
LEFT JOIN metrics_telemetry t ON t.endpoint_id = e.id
WHERE e.deleted_at IS NULL AND w.disconnected_at IS NULL
AND lower(w.subscription_id) = %s AND lower(replace(e.location, ' ', '')) = %s
ORDER BY e.id, d.id
"""


def targets_of(subscription: str, region: str) -> list[Target]:
    """Endpoints that have a deployment, by number."""
    deployments: dict[int, dict[int, Deployed]] = {}
    found: dict[int, Target] = {}
    with connection.cursor() as cursor:
        cursor.execute(_TARGETS, [subscription, region])
        for endpoint_id, arm_key, read_at, state, reason, *deployed in cursor.fetchall():
            number, name, deployment_key, born = deployed
            below = deployments.setdefault(endpoint_id, {})
            below[number] = Deployed(name, deployment_key, born)
            trouble = (State(state), reason) if state in _SUSPECT else None
            found.setdefault(endpoint_id, Target(endpoint_id, arm_key, below, read_at, trouble))
    return list(found.values())
