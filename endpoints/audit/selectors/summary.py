"""What audit pages say at their top: the chain's head, the last check, the last checkpoint, the last anchor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from endpoints.audit import signing
from endpoints.audit.cadence import Rhythm, Standing, standing
from endpoints.audit.models import Entry, VerificationRun
from endpoints.audit.privileges import found_at_start
from endpoints.audit.selectors.checkpoints import CheckpointRow, LastAnchor, last_anchor, newest_checkpoint
from endpoints.core.errors import Unavailable
from endpoints.dispatch import db_now


@dataclass(frozen=True, slots=True)
class VerificationSummary:
    """The ledger's head, and the last complete check of it. `checked_at` None: never checked."""

    entries: int
    head_seq: int | None
    head_hash: str
    head_at: datetime | None
    checked_at: datetime | None
    ok: bool | None
    checked_to: int | None
    first_bad_seq: int | None
    reason: str
    checkpoints: int = 0
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sealing:
    """Who vouches for the ledger. `open_ways`: how this process's database role could alter it."""

    key: str
    no_key: str
    newest: CheckpointRow | None
    sealed: Standing
    anchor: LastAnchor | None
    anchored: Standing
    open_ways: tuple[str, ...]

    @property
    def words(self) -> str:
        """What nobody outside the database could contradict, in one sentence; empty when somebody could."""
        if self.anchored is Standing.NONE:
            return "Not anchored: nothing outside the database vouches for it."
        if self.anchored is Standing.LATE and self.anchor is not None:
            return f"Entries behind {self.anchor.size} are not anchored: nothing outside the database vouches for them."
        return ""


def verification_summary() -> VerificationSummary:
    """What an audit page says about the chain: no check is "unknown", never "whole"."""
    head = Entry.objects.order_by("-seq").first()
    run = VerificationRun.objects.order_by("-ended_at", "-id").first()
    return VerificationSummary(
        entries=head.seq if head else 0,
        head_seq=head.seq if head else None,
        head_hash=bytes(head.hash).hex() if head else "",
        head_at=head.at if head else None,
        checked_at=run.ended_at if run else None,
        ok=run.ok if run else None,
        checked_to=run.head_seq if run else None,
        first_bad_seq=run.first_bad_seq if run else None,
        reason=run.reason if run else "",
        checkpoints=run.checkpoints if run else 0,
        unchecked=tuple(run.unchecked.splitlines()) if run else (),
    )


def sealing() -> Sealing:
    """Checkpoints, anchors and the key, as they are now."""
    newest, anchor = newest_checkpoint(), last_anchor()
    sealed_to, anchored_to = newest.size if newest else None, anchor.size if anchor else None
    config, now = settings.OPSPORTAL, db_now()
    rhythm = Rhythm(config.audit_checkpoint_entries, config.audit_checkpoint_seconds)
    behind = _first_after({sealed_to or 0, anchored_to or 0})
    key, no_key = _key()
    return Sealing(
        key=key,
        no_key=no_key,
        newest=newest,
        sealed=standing(sealed_to, behind.get((sealed_to or 0) + 1), rhythm, now),
        anchor=anchor,
        anchored=standing(anchored_to, behind.get((anchored_to or 0) + 1), rhythm, now),
        open_ways=open_ways(),
    )


def open_ways() -> tuple[str, ...]:
    """How the database role of this process could alter the ledger, as found when the process started."""
    return found_at_start() or ()


def _first_after(sizes: set[int]) -> dict[int, datetime]:
    """When the first entry behind each of these was made, by its number."""
    rows = Entry.objects.filter(seq__in=[size + 1 for size in sizes])
    return dict(rows.values_list("seq", "at"))


def _key() -> tuple[str, str]:
    """The public key as verifiers take it; or why there is none, in words."""
    try:
        return signing.verifier_key(), ""
    except Unavailable as error:
        return "", error.message
