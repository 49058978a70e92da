"""Publish: write what is told together with what it tells of. Sending comes after the commit, and may fail alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import connection
from django.db.models import Q

from endpoints.dispatch import after_commit, db_now
from endpoints.notices.letters import Fact
from endpoints.notices.models import Channel, Delivery, Message
from endpoints.notices.topics import is_known

DELIVER_DUE = "notices.deliver_due"
MOST_FACTS = 12
LONGEST_FACT = 500


def publish(
    *,
    topic: str,
    key: str,
    subject: str,
    text: str = "",
    facts: Mapping[str, Fact] | None = None,
    link: str = "",
    workspace_id: int | None = None,
) -> int:
    """Tell every channel that wants the topic; returns the message's id. Within the caller's transaction.

    The same `key` of the same topic again is the same message: nothing is told twice. `link` is a path of the
    portal. Neither text nor facts hold a payload, a key or a person's words: they leave the house.
    """
    wanting = Channel.objects.filter(Q(workspace=None) | Q(workspace=workspace_id), ended_at=None)
    channels = wanting.filter(topics__contains=[topic]).values_list("pk", flat=True)
    return put(
        topic=topic,
        key=key,
        subject=subject,
        text=text,
        facts=facts,
        link=link,
        workspace_id=workspace_id,
        channels=channels,
    )


def put(
    *,
    topic: str,
    key: str,
    subject: str,
    text: str = "",
    facts: Mapping[str, Fact] | None = None,
    link: str = "",
    workspace_id: int | None = None,
    channels: Iterable[int],
) -> int:
    """`publish` to these channels and no others."""
    _check(topic, key, subject, link)
    if not connection.in_atomic_block:
        raise RuntimeError("publish() belongs into the transaction of what it tells of")
    message, is_new = Message.objects.get_or_create(
        topic=topic,
        key=key,
        defaults={
            "workspace_id": workspace_id,
            "subject": subject,
            "text": text,
            "facts": _facts(facts or {}),
            "link": link,
            "made_at": db_now(),
        },
    )
    if is_new:
        deliver(message.pk, channels)
    return message.pk


def deliver(message_id: int, channels: Iterable[int]) -> None:
    """Put a message on its way through these channels, each once, also when two do it at the same time."""
    now = db_now()
    Delivery.objects.bulk_create(
        (Delivery(message_id=message_id, channel_id=channel, due_at=now) for channel in channels),
        ignore_conflicts=True,
    )
    after_commit(DELIVER_DUE)


def _check(topic: str, key: str, subject: str, link: str) -> None:
    """ValueError: these come from code, never from input."""
    if not is_known(topic):
        raise ValueError(f"no topic of the table: {topic}")
    if not key or not subject:
        raise ValueError("a message has a key and a subject")
    if link and (not link.startswith("/") or link.startswith("//")):
        raise ValueError(f"no path of the portal: {link}")


def _facts(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    if len(facts) > MOST_FACTS:
        raise ValueError(f"at most {MOST_FACTS} facts; these are {len(facts)}")
    if odd := [name for name, value in facts.items() if not isinstance(value, str | int | None)]:
        raise ValueError(f"a fact is text, a whole number, yes or no: {', '.join(odd)}")
    return {name: value[:LONGEST_FACT] if isinstance(value, str) else value for name, value in facts.items()}
