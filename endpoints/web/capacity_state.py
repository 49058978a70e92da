"""How current a page of findings is: when each workspace was looked at last, and which look came to nothing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from endpoints.access.rows import WorkspaceRow
from endpoints.capacity.selectors.findings import LookedRow
from endpoints.web.wording import ago, plural, seconds_since

STALE_SECONDS = 7200
"""It is looked every quarter of an hour: after eight looks that did not come, the page says so."""


@dataclass(frozen=True, slots=True)
class Looks:
    """`never`: no workspace was looked at yet. `trouble` is a sentence, "" where all is well."""

    words: str
    never: bool
    trouble: str
    oldest: datetime | None


def looks_of(places: Sequence[WorkspaceRow], rows: Sequence[LookedRow]) -> Looks:
    """The last look at each of these workspaces."""
    slugs = {one.id: one.slug for one in places}
    mine = [row for row in rows if row.workspace_id in slugs]
    if not mine:
        return Looks("Nobody looked for findings yet", True, "", None)
    oldest = min(row.at for row in mine)
    many = sum(row.deployments for row in mine)
    return Looks(
        words=f"Looked for findings {ago(oldest)}, over {plural(many, 'deployment')}",
        never=False,
        trouble=_trouble(mine, slugs),
        oldest=oldest,
    )


def _trouble(rows: Sequence[LookedRow], slugs: dict[int, str]) -> str:
    failed = [row for row in rows if row.failed]
    if failed:
        first = failed[0]
        more = f" {plural(len(failed) - 1, 'other workspace')} too." if len(failed) > 1 else ""
        return (
            f"The last look at {slugs[first.workspace_id]}, {ago(first.at)}, came to nothing: {first.failed}{more} The"
            " findings shown are those of the look before."
        )
    late = [row for row in rows if seconds_since(row.at) > STALE_SECONDS]
    if late:
        name, when = slugs[late[0].workspace_id], ago(late[0].at)
        return f"{name} was looked at last {when}. What is shown may have changed since."
    return ""
