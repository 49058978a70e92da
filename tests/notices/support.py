"""Channels and messages for tests, made by the services that make them in production."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from endpoints.access.models import User, Workspace
from endpoints.dispatch import db_now
from endpoints.notices import services
from endpoints.notices.models import Channel, Delivery, Message
from tests.support.people import principal
from tests.support.receivers import Hook

CASES = ("case.raised", "case.due")


def hook_channel(by: User, receiver: Hook, *topics: str, path: str = "/hook", **given: int | None) -> int:
    """The id of a channel that posts to the receiver."""
    return services.add_channel(
        principal=principal(by),
        kind="webhook",
        name="Hook",
        address=receiver.url(path),
        topics=topics or CASES,
        **given,
    ).channel_id


def mail_channel(by: User, *topics: str, to: str = "team@example.org", **given: int | None) -> int:
    """The id of a channel that mails."""
    return services.add_channel(
        principal=principal(by), kind="mail", name="Team", address=to, topics=topics or CASES, **given
    ).channel_id


def kept_channel(workspace: Workspace | None = None) -> int:
    """A webhook as if the settings had allowed its host when it was made."""
    made = Channel.objects.create(
        workspace=workspace,
        kind=Channel.Kind.WEBHOOK,
        name="Desk",
        address=f"https://hooks.example.org/{workspace.slug if workspace else ''}",
        topics=["case.raised"],
        made_by="user:1",
        made_at=db_now(),
    )
    return made.pk


def tell(key: str = "case:7", topic: str = "case.raised", workspace_id: int | None = None) -> int:
    """A message as another room publishes it."""
    with transaction.atomic():
        return services.publish(
            topic=topic,
            key=key,
            subject=f"{key} was raised",
            facts={"case": "CH-7"},
            link="/challenges/CH-7",
            workspace_id=workspace_id,
        )


def told_long_ago(channel_id: int, ago: timedelta, *, attempts: int) -> int:
    """A delivery of a message of that age, which failed so often: messages can't be altered afterwards."""
    now = db_now()
    message = Message.objects.create(
        topic="case.raised", key="case:old", subject="case:old was raised", made_at=now - ago
    )
    row = Delivery.objects.create(
        message=message, channel_id=channel_id, due_at=now, attempts=attempts, reason="It was away."
    )
    return row.pk


def make_due() -> None:
    """The pauses of all that waits are over."""
    Delivery.objects.update(due_at=db_now() - timedelta(seconds=1))
