"""Tells of the audit ledger, which lies below this room and is therefore polled: checkpoints, and that it is broken."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q

from endpoints.audit.selectors import CheckpointRow, newest_checkpoint, verification_summary
from endpoints.dispatch import db_now
from endpoints.notices import pacing
from endpoints.notices.models import Channel, Delivery, Message
from endpoints.notices.rows import Kind
from endpoints.notices.selectors.channels import OPEN
from endpoints.notices.services.publish import deliver, publish, put
from endpoints.notices.topics import BROKEN, CHECKPOINT


@transaction.atomic
def tell_checkpoint() -> None:
    """Send the newest checkpoint to the channels that want it: it vouches for all older entries as well.

    A channel in which one is still on its way gets no second: a receiver that was down is not flooded.
    """
    newest = newest_checkpoint()
    if newest is None:
        return
    key = f"checkpoint:{newest.size}"
    if wanting := _wanting(key):
        deliver(_message(newest, key), wanting)


@transaction.atomic
def tell_broken() -> None:
    """Say once, for each first bad entry, that the last check did not find the ledger whole."""
    found = verification_summary()
    if found.ok is not False:
        return
    entry = str(found.first_bad_seq or "unknown")
    publish(
        topic=BROKEN,
        key=f"entry:{entry}",
        subject=f"The audit ledger is not whole: first bad entry {entry}",
        text=found.reason,
        facts={"first_bad_entry": entry, "ledger": settings.OPSPORTAL.audit_origin},
        link="/audit",
    )


def _message(newest: CheckpointRow, key: str) -> int:
    return put(
        topic=CHECKPOINT,
        key=key,
        subject=f"Checkpoint of {newest.size} entries of the audit ledger",
        text=newest.note,
        facts={"size": newest.size, "ledger": settings.OPSPORTAL.audit_origin},
        link="/audit",
        channels=(),
    )


def _wanting(key: str) -> list[int]:
    """Channels in use that want checkpoints, have none on its way, do not have this one, and may get one by now."""
    told = Message.objects.filter(topic=CHECKPOINT)
    standing = Channel.objects.filter(
        ended_at=None, workspace=None, topics__contains=[CHECKPOINT]
    ).values_list("pk", "kind")
    sent = Delivery.objects.filter(message__in=told, channel__in=[number for number, _ in standing])
    busy = set(sent.filter(OPEN | Q(message__key=key)).values_list("channel_id", flat=True))
    last = dict(sent.values_list("channel_id").annotate(Max("message__made_at")))
    now = db_now()
    return [
        number for number, kind in standing if number not in busy and _is_time(kind, last.get(number), now)
    ]


def _is_time(kind: str, last: datetime | None, now: datetime) -> bool:
    return kind != Kind.MAIL or last is None or now - last >= pacing.MAIL_CHECKPOINT_EVERY
