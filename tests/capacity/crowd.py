"""A crowd of endpoints with owners, for what has to be fast."""

from __future__ import annotations

from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from tests.inventory.support import make_workspace


def endpoints(count: int, *, workspaces: int, owners: int) -> None:
    """Endpoints 1 to `count`, dealt out to workspaces 1 to `workspaces` and to owners with a team each."""
    for number in range(1, workspaces + 1):
        make_workspace(f"mlw-crowd-{number}")
    now = db_now()
    Endpoint.objects.bulk_create(
        [
            Endpoint(
                pk=n,
                workspace_id=1 + n % workspaces,
                arm_id=f"e{n}",
                arm_key=f"e{n}",
                name=f"e{n}",
                name_key=f"e{n}",
                first_seen_at=now,
                last_read_began=now,
                last_read_ended=now,
                owner=f"owner{n % owners}@example.org",
                tags={"team": f"team{n % owners}"},
            )
            for n in range(1, count + 1)
        ],
        batch_size=2000,
    )
