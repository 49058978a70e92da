"""What was collected for a case: stored bytes, and the passport that they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from endpoints.audit import selectors as ledger
from endpoints.challenges.facts import Passport
from endpoints.challenges.facts_json import from_document
from endpoints.challenges.models import Evidence
from endpoints.core.errors import NotFound
from endpoints.core.ids import ref

COLLECTED = "case.evidence_collected"


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One evidence. `is_whole`: its bytes have the hash that the ledger recorded when they were collected.

    `passport` None: they have not, or can't be read; whatever they say is not to be shown as evidence.
    """

    number: int
    sha256: str
    collected_by: str
    collected_at: datetime
    passport: Passport | None
    is_whole: bool


def evidence_of(case_id: int) -> tuple[EvidenceRow, ...]:
    """The newest evidence of a case and the one before, newest first: what a page compares."""
    newest = Evidence.objects.filter(case_id=case_id).order_by("-number")[:2]
    recorded = _recorded(case_id)
    return tuple(_row(one, recorded.get(one.number, "")) for one in newest)


def evidence_bytes(case_id: int, number: int) -> bytes:
    """The stored bytes of one evidence, for callers that decided who may read; NotFound when there is none."""
    found = Evidence.objects.filter(case_id=case_id, number=number).first()
    if found is None:
        raise NotFound(f"CH-{case_id} has no evidence {number}.")
    return bytes(found.document)


def _row(evidence: Evidence, recorded: str) -> EvidenceRow:
    body = bytes(evidence.document)
    is_whole = sha256(body).hexdigest() == recorded == evidence.sha256
    return EvidenceRow(
        evidence.number,
        evidence.sha256,
        evidence.collected_by,
        evidence.collected_at,
        from_document(json.loads(body)) if is_whole else None,
        is_whole,
    )


def _recorded(case_id: int) -> dict[int, str]:
    """The hashes by number, out of the ledger: the table's own column could be altered together with the bytes."""
    filters = ledger.Filters(subject=ref("case", case_id), action=COLLECTED)
    found = ledger.entries(ledger.Scope(everything=True), filters, limit=ledger.LARGEST_PAGE)
    return {row.after["number"]: row.after["sha256"] for row in found.rows}
