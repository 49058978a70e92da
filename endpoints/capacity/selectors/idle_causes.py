"""The cause that most of a deployment's unserved money is due to, and of an endpoint's, in the last days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import connection

from endpoints.capacity.causes import JUSTIFIED, Cause
from endpoints.capacity.why import Idle

# What was justified is no ground to save; where no price is known, seconds decide. That no request came says nothing of
# why, so that any other cause says more: of the weeks before the portal read an endpoint first it is all there is.
_CAUSES = """
WITH summed AS (
    SELECT {by} AS id, cause, ref, sum(nanos) AS nanos, sum(seconds) AS seconds FROM capacity_idle
    WHERE workspace_id = %(workspace)s AND day >= %(since)s AND NOT cause = ANY (%(justified)s)
    GROUP BY GROUPING SETS (({by}, cause), ({by}, cause, ref)))
SELECT DISTINCT ON (c.id) c.id, c.cause, r.ref
FROM summed c JOIN summed r ON r.id = c.id AND r.cause = c.cause AND r.ref IS NOT NULL WHERE c.ref IS NULL
ORDER BY c.id, c.cause = %(no_requests)s, c.nanos DESC, c.seconds DESC, c.cause, r.nanos DESC, r.seconds DESC, r.ref
"""


def causes_of_deployments(workspace_id: int, since: date) -> Mapping[int, Idle]:
    """By deployment; one that was never idle is left out."""
    return _causes("deployment_id", workspace_id, since)


def causes_of_endpoints(workspace_id: int, since: date) -> Mapping[int, Idle]:
    """By endpoint, over all its deployments."""
    return _causes("endpoint_id", workspace_id, since)


def _causes(by: str, workspace_id: int, since: date) -> dict[int, Idle]:
    values: dict[str, Any] = {"workspace": workspace_id, "since": since, "justified": sorted(JUSTIFIED)}
    values["no_requests"] = Cause.NO_REQUESTS
    with connection.cursor() as cursor:
        cursor.execute(_CAUSES.format(by=by), values)
        return {number: Idle(cause, ref) for number, cause, ref in cursor.fetchall()}
