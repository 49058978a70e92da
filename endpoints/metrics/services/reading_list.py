"""What a collector reads: the living endpoints and deployments of its subscription and region."""

from __future__ import annotations

from django.db import connection

from endpoints.metrics.services.reading import Target

_TARGETS = """
SELECT e.id, e.arm_key, d.id, d.name_key, d.arm_key
FROM inventory_endpoint e
JOIN access_workspace w ON w.id = e.workspace_id
JOIN inventory_deployment d ON d.endpoint_id = e.id AND d.deleted_at IS NULL
WHERE e.deleted_at IS NULL AND w.disconnected_at IS NULL
AND lower(w.subscription_id) = %s AND lower(replace(e.location, ' ', '')) = %s
ORDER BY e.id, d.id
"""


def targets_of(subscription: str, region: str) -> list[Target]:
    """Endpoints that have a deployment, by number."""
    found: dict[int, Target] = {}
    with connection.cursor() as cursor:
        cursor.execute(_TARGETS, [subscription, region])
        for endpoint_id, arm_key, number, name, deployment_key in cursor.fetchall():
            target = found.setdefault(endpoint_id, Target(endpoint_id, arm_key, {}))
            target.deployments[number] = (name, deployment_key)
    return list(found.values())
