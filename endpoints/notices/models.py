"""The outbox: channels, messages and deliveries. A message is written with what it tells of, and sent afterwards."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q


class Channel(models.Model):
    """Where messages of some topics go: an address for mail, or a URL. No workspace: the whole installation.

    A webhook's signing key is derived from the portal's secret and the channel's id; it is stored nowhere.
    """

    class Kind(models.TextChoices):
        MAIL = "mail", "mail"
        WEBHOOK = "webhook", "webhook"

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("access.Workspace", on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.TextField(choices=Kind.choices)
    name = models.TextField()
    address = models.TextField()
    topics: models.JSONField[list[str]] = models.JSONField(default=list)
    made_by = models.TextField()
    made_at = models.DateTimeField()
    ended_by = models.TextField(default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "notices_channel"
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "kind", "address"),
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="notices_channel_once",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    """What is told, once: `key` is unique within the topic ("checkpoint:1200"). Append-only.

    `facts` is at most a handful of names and values, no payload, no key; `link` a path within the portal.
    """

    id = models.BigAutoField(primary_key=True)
    topic = models.TextField()
    key = models.TextField()
    workspace = models.ForeignKey("access.Workspace", on_delete=models.PROTECT, null=True, related_name="+")
    subject = models.TextField()
    text = models.TextField(default="")
    facts: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)
    link = models.TextField(default="")
    made_at = models.DateTimeField()

    class Meta:
        db_table = "notices_message"
        constraints = (models.UniqueConstraint(fields=("topic", "key"), name="notices_message_once"),)

    def __str__(self) -> str:
        return self.subject


class Delivery(models.Model):
    """A message on its way through one channel. `given_up_at`: nobody tries any more."""

    id = models.BigAutoField(primary_key=True)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="deliveries")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.TextField(default="")
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "notices_delivery"
        constraints = (models.UniqueConstraint(fields=("message", "channel"), name="notices_delivery_once"),)
        indexes = (
            models.Index(
                fields=("due_at",),
                condition=Q(sent_at__isnull=True, given_up_at__isnull=True),
                name="notices_delivery_due",
            ),
        )
