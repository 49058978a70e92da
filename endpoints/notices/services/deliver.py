"""Delivers what is due. A row is claimed in one transaction and settled in another: none is open while the network is.

At least once: who dies between sending and settling lets go of the row after `pacing.CLAIM`, and it is sent again,
with the same id.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction

from endpoints.audit.services import note_anchoring
from endpoints.dispatch import db_now
from endpoints.notices import mail, pacing, webhook
from endpoints.notices.errors import NotSent
from endpoints.notices.hosts import target
from endpoints.notices.letters import Letter, as_json
from endpoints.notices.models import Delivery
from endpoints.notices.rows import Kind
from endpoints.notices.selectors.channels import OPEN
from endpoints.notices.services.channels import ENDED
from endpoints.notices.signing import HEADER, channel_key, signature
from endpoints.notices.topics import CHECKPOINT

log = structlog.get_logger(__name__)

RUN_SECONDS = 100.0


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed delivery. `attempt` tells this claim from a later one of the same row."""

    delivery_id: int
    attempt: int
    at: datetime
    channel_id: int
    kind: Kind
    address: str
    letter: Letter

    @property
    def place(self) -> str:
        return f"{self.kind}:{self.channel_id}"


def deliver_due(*, seconds: float = RUN_SECONDS) -> int:
    """Send what is due until nothing is, or the time is over; returns how much arrived.

    A channel that failed is left alone for the rest of the run: a dead receiver must not keep the others waiting.
    """
    began, failed, sent = time.monotonic(), set[int](), 0
    while time.monotonic() - began < seconds and (job := _claim(failed)):
        reason = _send(job)
        _settle(job, reason)
        if reason:
            log.warning("notice_not_sent", delivery=job.delivery_id, channel=job.channel_id, cause=reason)
            failed.add(job.channel_id)
        else:
            sent += 1
    return sent


@transaction.atomic
def _claim(besides: Collection[int]) -> Job | None:
    now = db_now()
    due = Delivery.objects.filter(OPEN, due_at__lte=now).exclude(channel_id__in=besides)
    # Made before a channel ended and seen after it: not sent.
    due.filter(channel__ended_at__isnull=False).update(given_up_at=now, reason=ENDED)
    row = (
        due.select_for_update(skip_locked=True, of=("self",))
        .select_related("message__workspace", "channel")
        .order_by("due_at", "pk")
        .first()
    )
    if row is None:
        return None
    row.attempts += 1
    row.due_at = now + pacing.CLAIM
    row.save(update_fields=["attempts", "due_at"])
    return Job(
        delivery_id=row.pk,
        attempt=row.attempts,
        at=now,
        channel_id=row.channel_id,
        kind=Kind(row.channel.kind),
        address=row.channel.address,
        letter=_letter(row),
    )


def _letter(row: Delivery) -> Letter:
    message, base = row.message, settings.OPSPORTAL.public_url.rstrip("/")
    return Letter(
        message_id=message.pk,
        topic=message.topic,
        key=message.key,
        subject=message.subject,
        made_at=message.made_at,
        text=message.text,
        link=f"{base}{message.link}" if base and message.link else "",
        workspace=message.workspace.slug if message.workspace else "",
        facts=message.facts,
    )


def _send(job: Job) -> str:
    """Why it did not arrive; "" when it did."""
    try:
        if job.kind is Kind.MAIL:
            _mail(job)
        else:
            _post(job)
    except NotSent as error:
        return error.reason
    except Exception as error:
        # Whatever it is, it concerns this delivery, and is told beside it.
        log.exception("notice_failed", delivery=job.delivery_id)
        return f"The portal could not send it: {type(error).__name__}."
    return ""


def _mail(job: Job) -> None:
    config = settings.OPSPORTAL
    through = mail.server(config.mail_url.get_secret_value())
    composed = mail.compose(job.letter, to=job.address, sender=config.mail_from, delivery_id=job.delivery_id)
    mail.send(through, composed)


def _post(job: Job) -> None:
    try:
        # Again: the list may have become shorter since the channel was made.
        goal = target(job.address, settings.OPSPORTAL.webhook_hosts)
    except ValueError as error:
        raise NotSent(str(error)) from error
    body = as_json(job.letter)
    key = channel_key(settings.OPSPORTAL.secret_key.get_secret_value(), job.channel_id)
    headers = {
        "Content-Type": "application/json",
        "Opsportal-Topic": job.letter.topic,
        "Opsportal-Delivery": str(job.delivery_id),
        HEADER: signature(key, int(job.at.timestamp()), body),
    }
    webhook.post(goal, body, headers)


@transaction.atomic
def _settle(job: Job, reason: str) -> None:
    now, row = db_now(), Delivery.objects.filter(pk=job.delivery_id, sent_at=None)
    if not reason:
        # It did arrive, whatever else was said of it meanwhile.
        row.update(sent_at=now, reason="", given_up_at=None)
    else:
        again = pacing.next_try(job.letter.made_at, job.attempt, now)
        mine = row.filter(attempts=job.attempt, given_up_at=None)
        mine.update(reason=reason, due_at=again or now, given_up_at=None if again else now)
    if job.letter.topic == CHECKPOINT:
        size = int(job.letter.facts["size"] or 0)
        note_anchoring(size=size, place=job.place, ok=not reason, reason=reason)
