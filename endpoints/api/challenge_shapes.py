"""Challenge cases as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rest_framework import serializers

from endpoints.api.change_shapes import MayOut
from endpoints.api.shapes import ActorOut, Refs, Shape, actor, named, next_field, person
from endpoints.challenges.clocks import Reading, Tick
from endpoints.challenges.facts_json import document
from endpoints.challenges.lifecycle import Kind, Outcome, State
from endpoints.challenges.selectors.case_rows import CaseRow
from endpoints.challenges.selectors.cases import CaseDetail, MoveRow, NoteRow
from endpoints.challenges.selectors.erasures import ErasureRow
from endpoints.challenges.selectors.legal_holds import HoldRow
from endpoints.challenges.selectors.policies import PolicyRow


class ClockOut(Shape):
    """A clock of the case: `target` is the house's own aim, otherwise `source` sets a deadline."""

    name = serializers.CharField()
    since = serializers.DateTimeField()
    at = serializers.DateTimeField()
    source = serializers.CharField()  # type: ignore[assignment]  # the field of this name
    target = serializers.BooleanField()
    state = serializers.ChoiceField(choices=list(Tick))
    used_seconds = serializers.IntegerField()


class CaseItemOut(Shape):
    """A case in a list. `record` null: none is chosen. `model` empty: which one answered is not certain."""

    number = serializers.IntegerField(source="id")
    state = serializers.ChoiceField(choices=list(State))
    outcome = serializers.ChoiceField(choices=list(Outcome), allow_null=True)
    version = serializers.IntegerField(help_text="Counts what happened to it; a decision must name it.")
    workspace = serializers.CharField()
    endpoint = serializers.CharField(help_text="Empty: not known.")
    asked_id = serializers.CharField()
    asked_at = serializers.DateTimeField(allow_null=True)
    record = serializers.CharField(allow_null=True, help_text="Its key within endpoint and `day`.")
    day = serializers.DateField(allow_null=True)
    model = serializers.CharField()
    reference = serializers.CharField()
    via = serializers.CharField()
    raised_by = ActorOut()
    raised_at = serializers.DateTimeField()
    assigned_to = ActorOut(allow_null=True)
    clocks = ClockOut(many=True)
    two_roles = serializers.BooleanField()
    decided_by = ActorOut(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    confirmed_by = ActorOut(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    legal_hold = serializers.BooleanField()


class CaseListOut(Shape):
    """A page of cases."""

    items = CaseItemOut(many=True)
    next = next_field()


class NoteOut(Shape):
    """Text of people. Erased: empty, and when that was."""

    kind = serializers.CharField()
    text = serializers.CharField()
    erased_at = serializers.DateTimeField(allow_null=True)


class CaseMoveOut(Shape):
    """Something that happened to the case."""

    version = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=list(Kind))
    state = serializers.ChoiceField(choices=list(State))
    by = ActorOut()
    at = serializers.DateTimeField()
    facts = serializers.DictField(child=serializers.JSONField())
    notes = NoteOut(many=True)


class CaseEvidenceOut(Shape):
    """The newest evidence. `passport` null: the stored bytes were altered, and are not shown."""

    number = serializers.IntegerField()
    sha256 = serializers.CharField()
    is_whole = serializers.BooleanField()
    collected_by = ActorOut()
    collected_at = serializers.DateTimeField()
    passport = serializers.JSONField(allow_null=True)
    changed = serializers.ListField(
        child=serializers.CharField(), help_text="Facts that differ from the evidence before it."
    )


class EvidenceBytesOut(Shape):
    """One evidence: `document` is the text whose UTF-8 bytes have this hash."""

    number = serializers.IntegerField()
    sha256 = serializers.CharField()
    document = serializers.CharField()


class CandidateOut(Shape):
    """A record that the case's id leads to."""

    endpoint = serializers.CharField()
    day = serializers.DateField()
    record = serializers.CharField()
    at = serializers.DateTimeField()
    deployment = serializers.CharField()
    status = serializers.IntegerField(allow_null=True)


class LinkOut(Shape):
    """Another case."""

    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=list(State))
    why = serializers.CharField()


class TallyOut(Shape):
    """Cases about answers of the same model version, over 30 days."""

    challenged = serializers.IntegerField()
    overturned = serializers.IntegerField()
    stands = serializers.IntegerField()
    undetermined = serializers.IntegerField()
    undecided = serializers.IntegerField()


class LegalHoldOut(Shape):
    """A legal hold of the case's endpoint: it waits for a second person, is in force, or has ended."""

    id = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    reason = serializers.CharField()
    asked_by = ActorOut()
    asked_at = serializers.DateTimeField()
    agreed_by = ActorOut(allow_null=True)
    agreed_at = serializers.DateTimeField(allow_null=True)
    ended_by = ActorOut(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class ErasureOut(Shape):
    """An erasure of a case's texts. `texts` null: it is not done."""

    id = serializers.IntegerField()
    case = serializers.IntegerField()
    workspace = serializers.CharField()
    reason = serializers.CharField()
    asked_by = ActorOut()
    asked_at = serializers.DateTimeField()
    agreed_by = ActorOut(allow_null=True)
    agreed_at = serializers.DateTimeField(allow_null=True)
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    texts = serializers.IntegerField(allow_null=True)


class ErasureListOut(Shape):
    """A page of erasures, newest first."""

    items = ErasureOut(many=True)
    next = next_field()


class CaseOut(CaseItemOut):
    """One case with all that a decision stands on."""

    question = NoteOut(allow_null=True)
    claimant = NoteOut(allow_null=True)
    evidence = CaseEvidenceOut(allow_null=True)
    candidates = CandidateOut(many=True)
    links = LinkOut(many=True)
    suggested = serializers.ListField(child=serializers.IntegerField())
    same_model = TallyOut(allow_null=True)
    legal_holds = LegalHoldOut(many=True)
    erasure = ErasureOut(allow_null=True)
    moves = CaseMoveOut(many=True)
    may = serializers.DictField(child=MayOut())


class PackOut(Shape):
    """An evidence pack: a ZIP in base64, and the SHA-256 of its bytes."""

    filename = serializers.CharField()
    sha256 = serializers.CharField()
    zip_base64 = serializers.CharField()


class PolicyClockOut(Shape):
    """A clock of a policy."""

    name = serializers.CharField()
    hours = serializers.FloatField()
    source = serializers.CharField()  # type: ignore[assignment]  # as above
    target = serializers.BooleanField()


class PolicyOut(Shape):
    """How cases are dealt with. `since` null: nobody set a policy, and this is what counts then."""

    clocks = PolicyClockOut(many=True)
    two_roles = serializers.BooleanField()
    band = serializers.FloatField(allow_null=True)
    since = serializers.DateTimeField(allow_null=True)
    set_by = ActorOut(allow_null=True)


class PolicyListOut(Shape):
    """What counts now, and a page of all that was set, newest first."""

    now = PolicyOut()
    items = PolicyOut(many=True)
    next = next_field()


def items(rows: Sequence[CaseRow], now: datetime) -> list[dict[str, Any]]:
    """One query, for names."""
    refs = {ref for row in rows for ref in (row.raised_by, row.decided_by, row.confirmed_by) if ref}
    names = named(refs, people=[row.assigned_to for row in rows])
    return [dict(CaseItemOut(_item(row, row.clocks(now), names)).data) for row in rows]


def detail(found: CaseDetail) -> dict[str, Any]:
    row = found.row
    names = named(_refs(found), people=[row.assigned_to])
    shown = _item(row, found.clocks, names) | {
        "question": found.question,
        "claimant": found.claimant,
        "evidence": _evidence(found, names),
        "candidates": _candidates(found),
        "links": [{"number": one.case.id, "state": one.case.state, "why": one.why} for one in found.links],
        "suggested": [one.id for one in found.suggested],
        "same_model": found.same_model,
        "legal_holds": [_hold(one, names) for one in found.holds],
        "erasure": _erasure(found.erasure, names) if found.erasure else None,
        "moves": [_move(one, names) for one in found.moves],
        "may": {action.value: decision for action, decision in found.may.items()},
    }
    return dict(CaseOut(shown).data)


def erasure_items(rows: Sequence[ErasureRow]) -> list[dict[str, Any]]:
    names = named({ref for row in rows for ref in (row.asked_by, row.agreed_by) if ref})
    return [dict(ErasureOut(_erasure(row, names)).data) for row in rows]


def policies(rows: Sequence[PolicyRow]) -> list[dict[str, Any]]:
    names = named({row.set_by for row in rows if row.set_by})
    return [dict(PolicyOut(_policy(row, names)).data) for row in rows]


def _item(row: CaseRow, clocks: Sequence[Reading], names: Refs) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "outcome": row.outcome,
        "version": row.version,
        "workspace": row.workspace,
        "endpoint": row.endpoint,
        "asked_id": row.asked_id,
        "asked_at": row.asked_at,
        "record": row.key or None,
        "day": row.day,
        "model": row.model,
        "reference": row.reference,
        "via": row.via,
        "raised_by": actor(row.raised_by, names),
        "raised_at": row.raised_at,
        "assigned_to": person(row.assigned_to, names) if row.assigned_to is not None else None,
        "clocks": [_clock(one) for one in clocks],
        "two_roles": row.two_roles,
        "decided_by": _maybe(row.decided_by, names),
        "decided_at": row.decided_at,
        "confirmed_by": _maybe(row.confirmed_by, names),
        "closed_at": row.closed_at,
        "legal_hold": row.legal_hold,
    }


def _clock(reading: Reading) -> dict[str, Any]:
    due = reading.due
    return {
        "name": due.name,
        "since": due.since,
        "at": due.at,
        "source": due.source,
        "target": due.target,
        "state": reading.tick,
        "used_seconds": int(reading.used.total_seconds()),
    }


def _refs(found: CaseDetail) -> set[str]:
    row = found.row
    refs = {row.raised_by, row.decided_by, row.confirmed_by, *(move.by for move in found.moves)}
    for hold in found.holds:
        refs |= {hold.asked_by, hold.agreed_by, hold.ended_by}
    if found.erasure:
        refs |= {found.erasure.asked_by, found.erasure.agreed_by}
    if found.evidence:
        refs.add(found.evidence.collected_by)
    return refs - {""}


def _evidence(found: CaseDetail, names: Refs) -> dict[str, Any] | None:
    newest = found.evidence
    if newest is None:
        return None
    return {
        "number": newest.number,
        "sha256": newest.sha256,
        "is_whole": newest.is_whole,
        "collected_by": actor(newest.collected_by, names),
        "collected_at": newest.collected_at,
        "passport": document(newest.passport) if newest.passport else None,
        "changed": [one.label for one in found.changed],
    }


def _candidates(found: CaseDetail) -> list[dict[str, Any]]:
    rows = found.records.found if found.records else ()
    return [
        {
            "endpoint": one.endpoint_name,
            "day": one.day,
            "record": one.key,
            "at": one.at,
            "deployment": one.deployment,
            "status": one.status,
        }
        for one in rows
    ]


def _move(move: MoveRow, names: Refs) -> dict[str, Any]:
    return {
        "version": move.version,
        "kind": move.kind,
        "state": move.after,
        "by": actor(move.by, names),
        "at": move.at,
        "facts": move.data,
        "notes": [_note(one) for one in move.notes],
    }


def _note(note: NoteRow) -> dict[str, Any]:
    return {"kind": note.kind, "text": note.text, "erased_at": note.erased_at}


def _hold(hold: HoldRow, names: Refs) -> dict[str, Any]:
    return {
        "id": hold.id,
        "since": hold.since,
        "until": hold.until,
        "reason": hold.reason,
        "asked_by": actor(hold.asked_by, names),
        "asked_at": hold.asked_at,
        "agreed_by": _maybe(hold.agreed_by, names),
        "agreed_at": hold.agreed_at,
        "ended_by": _maybe(hold.ended_by, names),
        "ended_at": hold.ended_at,
    }


def _erasure(row: ErasureRow, names: Refs) -> dict[str, Any]:
    return {
        "id": row.id,
        "case": row.case_id,
        "workspace": row.workspace,
        "reason": row.reason,
        "asked_by": actor(row.asked_by, names),
        "asked_at": row.asked_at,
        "agreed_by": _maybe(row.agreed_by, names),
        "agreed_at": row.agreed_at,
        "withdrawn_at": row.withdrawn_at,
        "texts": row.texts,
    }


def _policy(row: PolicyRow, names: Refs) -> dict[str, Any]:
    return {
        "clocks": [
            {
                "name": one.name,
                "hours": one.length.total_seconds() / 3600,
                "source": one.source,
                "target": one.target,
            }
            for one in row.clocks
        ],
        "two_roles": row.two_roles,
        "band": row.band,
        "since": row.since,
        "set_by": _maybe(row.set_by, names),
    }


def _maybe(ref: str, names: Refs) -> dict[str, str] | None:
    return actor(ref, names) if ref else None
