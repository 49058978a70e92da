"""Puts checkpoints outside the database: to the log, and to the file of the setting. What happened is a row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import structlog
from django.db import connection, transaction

from endpoints.audit.anchorfile import anchor_file, append_note
from endpoints.audit.models import Anchoring, Checkpoint
from endpoints.dispatch import db_now

log = structlog.get_logger(__name__)

FILE, LOG = "file", "log"
_AT_ONCE = 500
_LOCK = 7203420
_SAY_AGAIN = timedelta(hours=1)


@transaction.atomic
def anchor_new() -> None:
    """Put out what was not put out yet. What fails is told in a row, and tried again the next time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    _put(LOG, _to_log)
    if path := anchor_file():
        _put(FILE, partial(append_note, path))


def note_anchoring(*, size: int, place: str, ok: bool, reason: str = "") -> None:
    """Keep whether the checkpoint of `size` entries reached a place outside the database: "mail", "webhook:3" …

    A failure that is the same as the last one is kept once an hour.
    """
    now = db_now()
    last = Anchoring.objects.filter(checkpoint_id=size, place=place).order_by("-id").first()
    if last and not ok and not last.ok and last.reason == reason and now - last.at < _SAY_AGAIN:
        return
    Anchoring.objects.create(checkpoint_id=size, at=now, place=place, ok=ok, reason=reason)


def _put(place: str, put: Callable[[str], None]) -> None:
    done = Anchoring.objects.filter(place=place, ok=True).order_by("-checkpoint_id").first()
    waiting = Checkpoint.objects.filter(size__gt=done.checkpoint_id if done else 0).order_by("size")
    for size, note in waiting.values_list("size", "note")[:_AT_ONCE]:
        try:
            put(note)
        except OSError as error:
            reason = f"The file could not be written: {error.strerror or error}."
            log.warning("checkpoint_not_anchored", size=size, place=place, cause=reason)
            note_anchoring(size=size, place=place, ok=False, reason=reason)
            return  # in order: a file that lacks one in the middle says less
        note_anchoring(size=size, place=place, ok=True)


def _to_log(note: str) -> None:
    log.info("audit_checkpoint", note=note)
