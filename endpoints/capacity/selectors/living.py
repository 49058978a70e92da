"""The deployments of a workspace that are there now, as the mirror has them: what findings are looked for on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection


@dataclass(frozen=True, slots=True)
class Living:
    """`instances`, weights and `concurrent` None: not known now. `tags`: the endpoint's, under the deployment's own."""

    id: int
    name: str
    name_key: str
    endpoint_id: int
    endpoint: str
    owner: str
    sku: str
    since: datetime
    instances: int | None
    concurrent: int | None
    weight: int | None
    mirrored: int | None
    tags: Mapping[str, str]


# What can't be read now is not known, however it was before.
_LIVING = """
SELECT d.id, d.name, d.name_key, e.id, e.name, e.owner, d.instance_type,
    least(d.first_seen_at, coalesce(d.azure_created_at, d.first_seen_at)),
    CASE WHEN d.unreadable_since IS NULL THEN d.instance_count END,
    (r.state->'request_settings'->>'maxConcurrentRequestsPerInstance')::int,
    CASE WHEN e.unreadable_since IS NULL THEN e.traffic END,
    CASE WHEN e.unreadable_since IS NULL THEN e.mirror_traffic END,
    e.tags || CASE WHEN jsonb_typeof(r.state->'tags') = 'object' THEN r.state->'tags' ELSE '{}' END
FROM inventory_deployment d JOIN inventory_endpoint e ON e.id = d.endpoint_id
LEFT JOIN inventory_deployment_revision r ON r.id = d.latest_revision_id
WHERE e.workspace_id = %s AND d.deleted_at IS NULL AND e.deleted_at IS NULL ORDER BY e.id, d.id
"""


def living(workspace_id: int) -> list[Living]:
    """By endpoint. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_LIVING, [workspace_id])
        return [_row(*row) for row in cursor.fetchall()]


def _row(
    number: int, name: str, name_key: str, endpoint_id: int, endpoint: str, owner: str, sku: str, since: datetime,
    instances: int | None, concurrent: int | None, traffic: str | None, mirror: str | None, tags: str,
) -> Living:  # fmt: skip
    return Living(
        id=number,
        name=name,
        name_key=name_key,
        endpoint_id=endpoint_id,
        endpoint=endpoint,
        owner=owner,
        sku=sku,
        since=since,
        instances=instances,
        concurrent=concurrent,
        weight=_weight(traffic, name_key),
        mirrored=_weight(mirror, name_key),
        tags={str(key): str(value) for key, value in json.loads(tags).items()},
    )


def _weight(weights: str | None, name_key: str) -> int | None:
    if weights is None:
        return None
    found = {name.lower(): weight for name, weight in json.loads(weights).items()}
    return int(found.get(name_key) or 0)
