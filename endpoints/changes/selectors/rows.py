"""Lists of changes: what waits for me, what is open, what is closed. Newest first, by key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import F, Q

from endpoints.access.policies import Principal, visible_workspaces
from endpoints.changes.lifecycle import OPEN, TERMINAL, Hold, Kind, State
from endpoints.changes.models import ChangeRevision
from endpoints.changes.plan import Step, base_from_json, steps_from_json
from endpoints.changes.selectors.waiting import waiting_ids
from endpoints.core.traffic import Split


class Tab(StrEnum):
    """`WAITING`: a person's next act is mine to do."""

    WAITING = "waiting"
    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change in a list. `before` and `after` are live splits: of its base, and of its last step.

    `origin`: the row of a higher room that it was asked for by, or "".
    """

    id: int
    kind: Kind
    state: State
    version: int
    endpoint_id: int
    endpoint: str
    workspace_id: int
    workspace: str
    author_id: int | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    reverts_id: int | None
    before: Split
    after: Split
    waiting_for: str
    attention: str
    emergency: bool = False
    hold: Hold | None = None
    steps: tuple[Step, ...] = ()
    origin: str = ""

    @property
    def number(self) -> str:
        return f"CR-{self.id}"

    @property
    def active(self) -> bool:
        return self.started_at is not None and self.ended_at is None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Rows, and the number to ask for older ones with; None when these are the last."""

    rows: list[ChangeRow]
    older: int | None


# All that `row_of` reads: a column that is missing here would be fetched for each row.
_COLUMNS = (
    "kind", "state", "version", "endpoint", "workspace", "author", "created_at", "started_at", "ended_at",
    "reverts", "waiting_for", "attention", "emergency", "hold", "origin",
    "endpoint__name", "workspace__slug",
)  # fmt: skip
# The content that counts, with its change: one query for a whole page.
_CURRENT = (
    ChangeRevision.objects.filter(number=F("change__revision"))
    .select_related("change__endpoint", "change__workspace")
    .only("plan", "base", *(f"change__{column}" for column in _COLUMNS))
)


def change_rows(
    principal: Principal,
    *,
    tab: Tab = Tab.ALL,
    workspace_id: int | None = None,
    endpoint_id: int | None = None,
    mine: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> ChangePage:
    """The changes that the principal may see. `before`: only those with a smaller number."""
    if tab is Tab.WAITING:
        wanted = Q(change__in=waiting_ids(principal))
    else:
        wanted = _in_tab(tab) & Q(change__workspace__in=visible_workspaces(principal))
    if workspace_id is not None:
        wanted &= Q(change__workspace=workspace_id)
    if endpoint_id is not None:
        wanted &= Q(change__endpoint=endpoint_id)
    if mine:
        wanted &= Q(change__author=principal.user_id)
    if before is not None:
        wanted &= Q(change__lt=before)
    newest = [row_of(revision) for revision in _CURRENT.filter(wanted).order_by("-change")[: limit + 1]]
    rows = newest[:limit]
    return ChangePage(rows, rows[-1].id if len(newest) > limit else None)


def _in_tab(tab: Tab) -> Q:
    if tab in (Tab.OPEN, Tab.WAITING):
        return Q(change__state__in=OPEN)
    return Q(change__state__in=TERMINAL) if tab is Tab.CLOSED else Q()


def row_of(revision: ChangeRevision) -> ChangeRow:
    """The row of the change that this is the current content of."""
    change, steps = revision.change, steps_from_json(revision.plan)
    return ChangeRow(
        id=change.pk,
        kind=Kind(change.kind),
        state=State(change.state),
        version=change.version,
        endpoint_id=change.endpoint_id,
        endpoint=change.endpoint.name,
        workspace_id=change.workspace_id,
        workspace=change.workspace.slug,
        author_id=change.author_id,
        created_at=change.created_at,
        started_at=change.started_at,
        ended_at=change.ended_at,
        reverts_id=change.reverts_id,
        before=base_from_json(revision.base).split,
        after=steps[-1].split,
        waiting_for=change.waiting_for,
        attention=change.attention,
        emergency=change.emergency,
        hold=Hold(change.hold) if change.hold else None,
        steps=steps,
        origin=change.origin,
    )
