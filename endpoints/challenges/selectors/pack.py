"""Gathers all that an evidence pack of a case holds: the case's own rows, changes, splits, figures, people, entries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from endpoints.access.policies import Principal
from endpoints.access.selectors import display_names, workspace
from endpoints.audit import signing
from endpoints.audit.selectors import newest_checkpoint
from endpoints.challenges.models import Case, Evidence, Link, Move, Note
from endpoints.challenges.pack.not_kept import Left, not_kept
from endpoints.challenges.pack.parts import PackInput
from endpoints.challenges.selectors.pack_charts import Charts, charts_around, no_charts, splits_around
from endpoints.challenges.selectors.pack_ledger import Found, entries_for, proven
from endpoints.challenges.words import moment
from endpoints.changes.selectors import change_documents, release_of
from endpoints.core.errors import Conflict, NotFound
from endpoints.core.ids import ref
from endpoints.inventory.selectors import endpoint_facts

_PEOPLE = ("user:", "system:", "anonymous:")


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything but the proofs, which need a checkpoint behind the newest of these entries."""

    case: dict[str, Any]
    passports: dict[int, bytes]
    changes: dict[int, dict[str, Any]]
    releases: dict[int, dict[str, str]]
    splits: dict[str, Any]
    charts: Charts
    found: Found
    subjects: frozenset[str]


def gather(case: Case, principal: Principal) -> Gathered:
    """Of a case that the caller locked: nothing may happen to it meanwhile."""
    evidence = list(Evidence.objects.filter(case=case).order_by("number"))
    passports = {one.number: bytes(one.document) for one in evidence}
    newest = _newest(passports)
    numbers = _changes_named(newest)
    subjects = frozenset({ref("case", case.pk), *(ref("change", number) for number in numbers)})
    at = _moment_of(case, newest)
    endpoint = ref("endpoint", case.endpoint_id) if case.endpoint_id else ""
    found = entries_for(subjects, endpoint, at)
    changes = change_documents(numbers, workspace_id=case.workspace_id)
    return Gathered(
        case=_document(case, evidence, found),
        passports=passports,
        changes=changes,
        releases={number: _release(principal, number) for number in changes},
        splits=splits_around(case.endpoint_id, at) if case.endpoint_id and at else {},
        charts=charts_around(case.endpoint_id, at) if case.endpoint_id and at else no_charts(),
        found=found,
        subjects=subjects,
    )


def pack_of(gathered: Gathered, made_at: datetime) -> PackInput:
    """The pack, with as much proof as there is now."""
    people = _people(gathered)
    left = Left(
        grain=gathered.charts.grain,
        erased_notes=sum(note["erased_at"] is not None for note in gathered.case["notes"]),
        people_unknown=sum(name is None for name in people.values()),
        entries_cut=gathered.found.is_cut,
        changes_cut=tuple(one["number"] for one in gathered.changes.values() if "cut" in one),
        has_checkpoint=newest_checkpoint() is not None,
    )
    return PackInput(
        origin=signing.origin(),
        made_at=made_at,
        case=gathered.case,
        passports=gathered.passports,
        changes=gathered.changes,
        releases=gathered.releases,
        splits=gathered.splits,
        charts=gathered.charts.charts,
        people=people,
        not_kept=not_kept(_newest(gathered.passports), left),
        ledger=proven(gathered.found, gathered.subjects),
    )


def _newest(passports: Mapping[int, bytes]) -> dict[str, Any] | None:
    if not passports:
        return None
    found: dict[str, Any] = json.loads(passports[max(passports)])
    return found


def _changes_named(newest: Mapping[str, Any] | None) -> list[int]:
    sections = newest["sections"] if newest else []
    refs = {fact["ref"] for section in sections for fact in section["facts"]}
    return sorted(int(one.partition(":")[2]) for one in refs if one.startswith("change:"))


def _release(principal: Principal, number: int) -> dict[str, str]:
    """The files of what a change left behind; none while it is not over, or never reached Azure."""
    try:
        return {one.name: one.text for one in release_of(principal, number).files}
    except (Conflict, NotFound):
        return {}


def _moment_of(case: Case, newest: Mapping[str, Any] | None) -> datetime | None:
    return datetime.fromisoformat(newest["at"]) if newest else case.asked_at


def _document(case: Case, evidence: Sequence[Evidence], found: Found) -> dict[str, Any]:
    place = workspace(case.workspace_id)
    endpoint = endpoint_facts(case.endpoint_id) if case.endpoint_id else None
    entries = _entries_by_version(case, found)
    last = evidence[-1].number if evidence else 0
    return {
        "id": case.pk,
        "number": f"CH-{case.pk}",
        "workspace": {"id": place.id, "slug": place.slug, "arm_id": place.arm_id},
        "endpoint": {"id": endpoint.id, "name": endpoint.name, "arm_id": endpoint.arm_id}
        if endpoint
        else None,
        "asked_id": case.asked_id,
        "asked_at": _text(case.asked_at),
        "day": case.day.isoformat() if case.day else None,
        "key": case.key,
        "model": case.model,
        "reference": case.reference,
        "state": case.state,
        "version": case.version,
        "outcome": case.outcome,
        "two_roles": case.two_roles,
        "legal_hold": case.legal_hold,
        "via": case.via,
        "raised_by": case.raised_by,
        "raised_at": moment(case.raised_at),
        "assigned_to": ref("user", case.assigned_to_id) if case.assigned_to_id else None,
        "decided_by": case.decided_by,
        "decided_at": _text(case.decided_at),
        "confirmed_by": case.confirmed_by,
        "closed_at": _text(case.closed_at),
        "due": case.due,
        "moves": [_move(one, entries) for one in Move.objects.filter(case=case).order_by("version")],
        "notes": [_note(one) for one in Note.objects.filter(case=case).order_by("pk")],
        "links": list(_links(case)),
        "evidence": [_evidence(one, last) for one in evidence],
    }


def _entries_by_version(case: Case, found: Found) -> dict[int, int]:
    """Which entry of the ledger recorded which move."""
    subject = ref("case", case.pk)
    return {
        body["after"]["version"]: seq
        for seq, body in found.bodies.items()
        if body["subject"] == subject and body["after"] and "version" in body["after"]
    }


def _move(move: Move, entries: Mapping[int, int]) -> dict[str, Any]:
    return {
        "version": move.version,
        "kind": move.kind,
        "before": move.before,
        "after": move.after,
        "data": move.data,
        "by": move.by,
        "at": moment(move.at),
        "entry": entries.get(move.version),
    }


def _note(note: Note) -> dict[str, Any]:
    return {
        "kind": note.kind,
        "version": note.version,
        "text": note.text,
        "by": note.by,
        "at": moment(note.at),
        "erased_at": _text(note.erased_at),
    }


def _links(case: Case) -> Iterator[dict[str, Any]]:
    found = Link.objects.filter(case=case) | Link.objects.filter(other=case)
    for one in found.order_by("pk"):
        other = one.other_id if one.case_id == case.pk else one.case_id
        yield {"case": f"CH-{other}", "why": one.why, "by": one.by, "at": moment(one.at)}


def _evidence(one: Evidence, last: int) -> dict[str, Any]:
    return {
        "number": one.number,
        "sha256": one.sha256,
        "path": "passport.json" if one.number == last else f"passports/{one.number}.json",
        "collected_by": one.collected_by,
        "collected_at": moment(one.collected_at),
    }


def _people(gathered: Gathered) -> dict[str, str | None]:
    """A name for every person whom the pack's documents name by id."""
    documents = (gathered.case, gathered.changes, list(gathered.found.bodies.values()))
    refs = {text for document in documents for text in _texts(document) if text.startswith(_PEOPLE)}
    names = display_names(refs)
    return {one: None if names.get(one, one) == one else names[one] for one in sorted(refs)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _text(at: datetime | None) -> str | None:
    return moment(at) if at is not None else None
