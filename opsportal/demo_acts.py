"""What people of the demo do with changes: ask, approve, start, wait. Through the same services as everything else."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from endpoints.access.policies import Principal
from endpoints.access.selectors import principal_now, user_id_by_name, workspace_by_slug
from endpoints.changes.draft import Draft, walk
from endpoints.changes.lifecycle import State
from endpoints.changes.selectors import ChangeDetail, change_detail
from endpoints.changes.services import approve_change, request_change, start_change
from endpoints.changes.terms import Terms
from endpoints.inventory.selectors import current_split, endpoint_id_by_name

PATIENCE_SECONDS = 60.0


def person(username: str) -> Principal:
    return principal_now(user_id_by_name(username))


def endpoint(slug: str, name: str) -> int:
    return endpoint_id_by_name(workspace_by_slug(person("okafor"), slug).id, name)


def request(
    author: str,
    slug: str,
    name: str,
    reason: str,
    *,
    split: Mapping[str, int] | None = None,
    draft: Draft | None = None,
) -> int:
    return request_change(
        principal=person(author),
        endpoint_id=endpoint(slug, name),
        split=split,
        draft=draft,
        reason=reason,
        idempotency_key=f"demo-{name}",
    )


def walked(
    slug: str, name: str, candidate: str, steps: Sequence[tuple[int, int, bool]], terms: Terms
) -> Draft:
    """The candidate at one weight after another, from the split that is live."""
    return walk(current_split(endpoint(slug, name)).traffic, candidate, steps, terms)


def start(change_id: int, *reviewers: str) -> None:
    """Approved by one person after the other, who accept what is not known yet; started by somebody else."""
    for username in reviewers or ("okafor",):
        reviewer = person(username)
        detail = change_detail(reviewer, change_id)
        if detail.row.state is State.IN_REVIEW:
            approve_change(
                principal=reviewer,
                change_id=change_id,
                seen_hash=detail.content_hash,
                accept=_warnings(detail),
            )
    operator = person("berg")
    detail = change_detail(operator, change_id)
    if detail.row.state is State.APPROVED:
        start_change(
            principal=operator, change_id=change_id, seen_hash=detail.content_hash, accept=_warnings(detail)
        )


def _warnings(detail: ChangeDetail) -> list[str]:
    return [check.name for check in detail.checks if check.needs_acceptance]


def carry_out(change_id: int) -> None:
    """Approved by one person, started by another, done by the executor."""
    start(change_id)
    wait(change_id)


def wait(change_id: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while change_detail(person("okafor"), change_id).row.active and time.monotonic() < deadline:
        time.sleep(0.2)
