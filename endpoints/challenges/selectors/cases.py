"""One case with all that its page shows: texts, what happened, evidence, links, and what this person may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from endpoints.access.policies import Action, Decision, Principal, decide, require, visible_workspaces
from endpoints.access.selectors import workspace
from endpoints.challenges.clocks import Reading
from endpoints.challenges.differences import Difference, differences
from endpoints.challenges.lifecycle import Kind, State
from endpoints.challenges.linking import LOOK_BACK, Tally, tally
from endpoints.challenges.models import Case, Evidence, Link, Move, Note
from endpoints.challenges.selectors.case_rows import CaseRow, row_of, with_names
from endpoints.challenges.selectors.erasures import ErasureRow, erasure_of_case
from endpoints.challenges.selectors.evidence import EvidenceRow, evidence_of
from endpoints.challenges.selectors.legal_holds import HoldRow, holds_of_case
from endpoints.challenges.selectors.lookup import Lookup, lookup
from endpoints.core.errors import NotFound
from endpoints.dispatch import db_now

MOST_MOVES = 500
MOST_SUGGESTED = 5
_ACTIONS = (
    Action.CASE_WORK, Action.CASE_DECIDE, Action.LEGAL_HOLD, Action.ERASE, Action.PACK_EXPORT,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NoteRow:
    """Text about the case: question, claimant, comment, reason. Erased: "", and when that was."""

    kind: str
    version: int
    text: str
    by: str
    at: datetime
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class MoveRow:
    """Something that happened, with its facts and the texts that were given with it."""

    version: int
    kind: Kind
    after: State
    data: Mapping[str, Any]
    by: str
    at: datetime
    notes: tuple[NoteRow, ...]


@dataclass(frozen=True, slots=True)
class LinkRow:
    """Another case that this one is linked with, and why."""

    case: CaseRow
    why: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """A case. `evidence` None: nothing could be collected. `records`: what its id leads to, while none is chosen.

    `changed`: what the newest evidence says otherwise than the one before. `same_model`: None while the model that
    answered is not certain.
    """

    row: CaseRow
    at: datetime
    clocks: tuple[Reading, ...]
    question: NoteRow | None
    claimant: NoteRow | None
    moves: tuple[MoveRow, ...]
    evidence: EvidenceRow | None
    earlier: EvidenceRow | None
    changed: tuple[Difference, ...]
    records: Lookup | None
    links: tuple[LinkRow, ...]
    suggested: tuple[CaseRow, ...]
    same_model: Tally | None
    holds: tuple[HoldRow, ...]
    erasure: ErasureRow | None
    may: Mapping[Action, Decision]


def visible_case(principal: Principal, number: int) -> Case:
    """The case; NotFound when the principal may not see its workspace, Refused when it may see it but no cases."""
    case = with_names(Case.objects.filter(pk=number)).first()
    if case is None or case.workspace_id not in visible_workspaces(principal):
        raise NotFound(f"There is no CH-{number}, or not for you.")
    require(principal, Action.PREDICTIONS_VIEW, workspace_id=case.workspace_id, workspace=case.workspace.slug)
    return case


def case_row(principal: Principal, number: int) -> CaseRow:
    """The case as lists show it."""
    return row_of(visible_case(principal, number))


def case_page(principal: Principal, number: int) -> CaseDetail:
    """All of it. The number of queries does not depend on how much happened."""
    row = case_row(principal, number)
    now, moves = db_now(), _moves(number)
    newest, *before = [*evidence_of(number), None]
    earlier = before[0] if before else None
    linked = _links(number)
    return CaseDetail(
        row=row,
        at=now,
        clocks=row.clocks(now),
        question=_first(moves, "question"),
        claimant=_first(moves, "claimant"),
        moves=moves,
        evidence=newest,
        earlier=earlier,
        changed=_changed(earlier, newest),
        records=_records(row),
        links=linked,
        suggested=_suggested(row, {one.case.id for one in linked}),
        same_model=_tally(row, now),
        holds=holds_of_case(number),
        erasure=erasure_of_case(number),
        may={action: _may(principal, action, row) for action in _ACTIONS},
    )


def cases_of_record(principal: Principal, endpoint_id: int, key: str) -> tuple[CaseRow, ...]:
    """Cases about the same request that the principal may see, newest first."""
    found = Case.objects.filter(
        endpoint_id=endpoint_id, key=key, workspace__in=visible_workspaces(principal)
    ).order_by("-pk")[:10]
    return tuple(row_of(case) for case in with_names(found))


def evidence_numbers(case_id: int) -> tuple[tuple[int, str, str, datetime], ...]:
    """Number, SHA-256, by whom and when of all that was collected for a case, newest first."""
    found = Evidence.objects.filter(case_id=case_id).order_by("-number")
    return tuple(found.values_list("number", "sha256", "collected_by", "collected_at"))


def _changed(earlier: EvidenceRow | None, newest: EvidenceRow | None) -> tuple[Difference, ...]:
    before, after = (one.passport if one else None for one in (earlier, newest))
    return differences(before, after) if before and after else ()


def _may(principal: Principal, action: Action, row: CaseRow) -> Decision:
    slug = row.workspace or workspace(row.workspace_id).slug
    return decide(principal, action, workspace_id=row.workspace_id, workspace=slug)


def _moves(case_id: int) -> tuple[MoveRow, ...]:
    """Oldest first; of a case to which more happened than any page shows, the newest."""
    notes: dict[int, list[NoteRow]] = {}
    for note in Note.objects.filter(case_id=case_id).order_by("pk"):
        found = NoteRow(note.kind, note.version, note.text, note.by, note.at, note.erased_at)
        notes.setdefault(note.version, []).append(found)
    newest = Move.objects.filter(case_id=case_id).order_by("-version")[:MOST_MOVES]
    return tuple(
        MoveRow(
            move.version,
            Kind(move.kind),
            State(move.after),
            move.data,
            move.by,
            move.at,
            tuple(notes.get(move.version, ())),
        )
        for move in reversed(newest)
    )


def _first(moves: tuple[MoveRow, ...], kind: str) -> NoteRow | None:
    return next((note for move in moves for note in move.notes if note.kind == kind), None)


def _records(row: CaseRow) -> Lookup | None:
    """What there is to choose from; not asked for once one was chosen, or where there is no id."""
    if row.has_record or row.state is not State.OPEN or not row.asked_id:
        return None
    return lookup(row.asked_id, workspace_ids=[row.workspace_id], near=row.asked_at)


def _links(case_id: int) -> tuple[LinkRow, ...]:
    found = Link.objects.filter(case_id=case_id) | Link.objects.filter(other_id=case_id)
    links = list(found.order_by("-pk")[:100])
    others = {one.other_id if one.case_id == case_id else one.case_id: one for one in links}
    cases = {case.pk: case for case in with_names(Case.objects.filter(pk__in=others))}
    return tuple(LinkRow(row_of(cases[number]), one.why, one.by, one.at) for number, one in others.items())


def _suggested(row: CaseRow, linked: set[int]) -> tuple[CaseRow, ...]:
    """Other cases about answers of the same model version, newest first, that nobody linked yet."""
    if not row.model:
        return ()
    found = _of_model(row).exclude(pk__in=linked | {row.id}).order_by("-pk")[:MOST_SUGGESTED]
    return tuple(row_of(case) for case in with_names(found))


def _tally(row: CaseRow, now: datetime) -> Tally | None:
    if not row.model:
        return None
    return tally(_of_model(row).filter(raised_at__gte=now - LOOK_BACK).values_list("outcome", flat=True))


def _of_model(row: CaseRow) -> Any:
    return Case.objects.filter(model=row.model, workspace_id=row.workspace_id)
