"""The remembered check of the whole ledger."""

from __future__ import annotations

from datetime import datetime

from endpoints.audit.anchorfile import Anchored
from endpoints.audit.chain import Anchor, Verification
from endpoints.audit.models import VerificationRun
from endpoints.audit.verification import verify_stored
from endpoints.dispatch import db_now


def remember_verification(
    *, asked_by: str, anchor: Anchor | None = None, anchored: Anchored | None = None
) -> Verification:
    """Check the whole ledger and keep the result, so that pages can say when it was last whole."""
    began_at = db_now()
    return remember(verify_stored(anchor, anchored=anchored), began_at=began_at, asked_by=asked_by)


def remember(found: Verification, *, began_at: datetime, asked_by: str) -> Verification:
    """Keep what a check found."""
    VerificationRun.objects.create(
        began_at=began_at,
        ended_at=db_now(),
        ok=found.ok,
        entries=found.count,
        head_seq=found.head.seq if found.head else None,
        head_hash=found.head.hash if found.head else None,
        first_bad_seq=found.first_bad_seq,
        fault=found.fault or "",
        reason=found.reason,
        checkpoints=found.checkpoints,
        unchecked="\n".join(found.unchecked),
        asked_by=asked_by,
    )
    return found
