"""Cases in lists: rows of them, and who may see which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from endpoints.access.policies import Action, Principal, decide, visible_workspaces
from endpoints.challenges.clocks import Due, Reading, dues_from_json, read
from endpoints.challenges.lifecycle import Outcome, State
from endpoints.challenges.models import Case


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case in a list. `dues` are its clocks, soonest first; `key` names its record within endpoint and day."""

    id: int
    state: State
    outcome: Outcome | None
    version: int
    workspace_id: int
    workspace: str
    endpoint_id: int | None
    endpoint: str
    asked_id: str
    asked_at: datetime | None
    day: date | None
    key: str
    model: str
    reference: str
    via: str
    raised_by: str
    raised_at: datetime
    assigned_to: int | None
    dues: tuple[Due, ...]
    two_roles: bool
    decided_by: str
    decided_at: datetime | None
    confirmed_by: str
    closed_at: datetime | None
    legal_hold: bool

    @property
    def number(self) -> str:
        return f"CH-{self.id}"

    @property
    def has_record(self) -> bool:
        return self.key != ""

    def clocks(self, now: datetime) -> tuple[Reading, ...]:
        """How its clocks stand, or stood when it was closed."""
        return tuple(read(due, now, ended_at=self.closed_at) for due in self.dues)


def case_workspaces(principal: Principal) -> frozenset[int]:
    """The workspaces whose cases this principal may see."""
    return frozenset(
        workspace_id
        for workspace_id in visible_workspaces(principal)
        if decide(principal, Action.PREDICTIONS_VIEW, workspace_id=workspace_id)
    )


def with_names(found: QuerySet[Case]) -> QuerySet[Case]:
    """The cases with what `row_of` reads of other tables: no further query per row."""
    return found.select_related("workspace", "endpoint").only(
        *(field.name for field in Case._meta.concrete_fields), "workspace__slug", "endpoint__name"
    )


def row_of(case: Case) -> CaseRow:
    return CaseRow(
        id=case.pk,
        state=State(case.state),
        outcome=Outcome(case.outcome) if case.outcome else None,
        version=case.version,
        workspace_id=case.workspace_id,
        workspace=case.workspace.slug,
        endpoint_id=case.endpoint_id,
        endpoint=case.endpoint.name if case.endpoint else "",
        asked_id=case.asked_id,
        asked_at=case.asked_at,
        day=case.day,
        key=case.key,
        model=case.model,
        reference=case.reference,
        via=case.via,
        raised_by=case.raised_by,
        raised_at=case.raised_at,
        assigned_to=case.assigned_to_id,
        dues=dues_from_json(case.due),
        two_roles=case.two_roles,
        decided_by=case.decided_by,
        decided_at=case.decided_at,
        confirmed_by=case.confirmed_by,
        closed_at=case.closed_at,
        legal_hold=case.legal_hold,
    )
