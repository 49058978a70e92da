"""What was collected for a case: stored bytes, and the passport that they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from endpoints.challenges.facts import Passport
from endpoints.challenges.facts_json import from_document
from endpoints.challenges.models import Evidence
from endpoints.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One evidence. `is_whole`: its bytes still have the hash that was recorded with them."""

    number: int
    sha256: str
    collected_by: str
    collected_at: datetime
    passport: Passport
    is_whole: bool


def evidence_of(case_id: int) -> tuple[EvidenceRow, ...]:
    """The newest evidence of a case and the one before, newest first: what a page compares."""
    return tuple(_row(one) for one in Evidence.objects.filter(case_id=case_id).order_by("-number")[:2])


def evidence_bytes(case_id: int, number: int) -> bytes:
    """The stored bytes of one evidence, for callers that decided who may read; NotFound when there is none."""
    found = Evidence.objects.filter(case_id=case_id, number=number).first()
    if found is None:
        raise NotFound(f"CH-{case_id} has no evidence {number}.")
    return bytes(found.document)


def stored_document(evidence: Evidence) -> dict[str, Any]:
    """The document in the stored bytes."""
    found: dict[str, Any] = json.loads(bytes(evidence.document))
    return found


def _row(evidence: Evidence) -> EvidenceRow:
    body = bytes(evidence.document)
    return EvidenceRow(
        evidence.number,
        evidence.sha256,
        evidence.collected_by,
        evidence.collected_at,
        from_document(stored_document(evidence)),
        sha256(body).hexdigest() == evidence.sha256,
    )
