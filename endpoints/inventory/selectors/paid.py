"""What a whole workspace's deployments were in a stretch of time: instances and size, and the weights they had.

Read in a few statements for thousands of deployments. A state counts from the first read that showed it: billing's own
clock is not known to the second either.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class PaidLife:
    """A deployment that was there in the stretch. `since` is Azure's creation where that is known."""

    id: int
    endpoint_id: int
    name_key: str
    since: datetime
    until: datetime | None
    owner: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PaidState:
    """From `since` on: so many instances of a size, each of which takes `concurrent` requests at once.

    None: Azure did not say.
    """

    since: datetime
    instances: int | None
    sku: str
    concurrent: int | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """An endpoint's live and mirrored weights from `since` on, by lower-case name."""

    since: datetime
    live: Mapping[str, int]
    mirror: Mapping[str, int]


# A deletion is noticed later than it happened. Where another one was made under the same name, or another endpoint, the
# former was gone by then: no minute belongs to both.
_LIVES = """
SELECT d.id, d.endpoint_id, d.name_key, life.began, life.ended, e.owner, e.tags
FROM inventory_deployment d JOIN inventory_endpoint e ON e.id = d.endpoint_id
CROSS JOIN LATERAL (
    SELECT least(d.first_seen_at, coalesce(d.azure_created_at, d.first_seen_at)) AS began,
        CASE WHEN coalesce(d.deleted_at, e.deleted_at) IS NOT NULL THEN least(d.deleted_at, e.deleted_at,
            (SELECT min(n.azure_created_at) FROM inventory_deployment n
             WHERE n.arm_key = d.arm_key AND n.id > d.id),
            (SELECT min(n.azure_created_at) FROM inventory_endpoint n
             WHERE n.arm_key = e.arm_key AND n.id > e.id)) END AS ended
) life
WHERE e.workspace_id = %(workspace)s AND (%(only)s::bigint IS NULL OR d.id = %(only)s)
AND life.began < %(until)s AND coalesce(life.ended, 'infinity') > %(since)s
ORDER BY d.id
"""
# The state at the beginning, and every later one. Deletions end a life, not a state. Before the first read nothing is
# known but the size: Azure makes another deployment of what is to have another one (AML-Kubernetes, issue 247).
_STATES = """
SELECT r.deployment_id, r.latest, (r.state->>'instance_count')::int, coalesce(r.state->>'instance_type', ''),
    (r.state->'request_settings'->>'maxConcurrentRequestsPerInstance')::int
FROM unnest(%(ids)s::bigint[]) AS wanted (id), LATERAL (
    (SELECT * FROM inventory_deployment_revision
     WHERE deployment_id = wanted.id AND latest <= %(since)s ORDER BY latest DESC, id DESC LIMIT 1)
    UNION ALL
    (SELECT * FROM inventory_deployment_revision
     WHERE deployment_id = wanted.id AND latest > %(since)s AND latest < %(until)s)
    UNION ALL
    (SELECT * FROM inventory_deployment_revision
     WHERE deployment_id = wanted.id AND latest >= %(until)s AND NOT EXISTS (
        SELECT FROM inventory_deployment_revision WHERE deployment_id = wanted.id AND latest < %(until)s)
     ORDER BY latest, id LIMIT 1)
) r WHERE NOT r.deleted ORDER BY r.deployment_id, r.latest, r.id
"""
_WEIGHTS = """
SELECT r.endpoint_id, r.latest, coalesce(r.state->'traffic', '{}'), coalesce(r.state->'mirror_traffic', '{}')
FROM unnest(%(ids)s::bigint[]) AS wanted (id), LATERAL (
    (SELECT * FROM inventory_endpoint_revision
     WHERE endpoint_id = wanted.id AND latest <= %(since)s ORDER BY latest DESC, id DESC LIMIT 1)
    UNION ALL
    (SELECT * FROM inventory_endpoint_revision
     WHERE endpoint_id = wanted.id AND latest > %(since)s AND latest < %(until)s)
) r WHERE NOT r.deleted ORDER BY r.endpoint_id, r.latest, r.id
"""


def paid_lives(
    workspace_id: int, since: datetime, until: datetime, *, only: int | None = None
) -> list[PaidLife]:
    """All deployments of a workspace that were there at any time of a stretch, deleted ones too; or `only` one."""
    rows = _rows(_LIVES, workspace=workspace_id, since=since, until=until, only=only)
    return [
        PaidLife(number, endpoint, name, began, ended, owner, json.loads(tags))
        for number, endpoint, name, began, ended, owner, tags in rows
    ]


def paid_states(ids: list[int], since: datetime, until: datetime) -> dict[int, list[PaidState]]:
    """Of each deployment the state at the beginning of a stretch and those that came in it, oldest first.

    Where it was read only after the stretch, its first state, which begins after it: the size was the same.
    """
    found: dict[int, list[PaidState]] = {}
    for number, *state in _rows(_STATES, ids=ids, since=since, until=until):
        found.setdefault(number, []).append(PaidState(*state))
    return found


def weights_of(endpoint_ids: list[int], since: datetime, until: datetime) -> dict[int, list[Weights]]:
    """Of each endpoint the weights at the beginning of a stretch and those that came in it, oldest first."""
    found: dict[int, list[Weights]] = {}
    for number, latest, live, mirror in _rows(_WEIGHTS, ids=endpoint_ids, since=since, until=until):
        found.setdefault(number, []).append(Weights(latest, _lower(live), _lower(mirror)))
    return found


def _lower(weights: str) -> dict[str, int]:
    return {name.lower(): int(weight) for name, weight in json.loads(weights).items() if weight}


def _rows(statement: str, **values: Any) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        yield from cursor.fetchall()
