"""Freezes, stops, protections and overrides. Rows stay: an end is set once, nothing else ever changes.

The database keeps that (migration 0002). `by` fields are opaque: "user:7".
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Freeze(models.Model):
    """No forward step on these endpoints while the clock of `zone` says so. No workspace: all of them.

    `name_pattern` (with * and ?), `owner` and `tag` ("name" or "name=value") narrow it; "" does not. `first_start`
    and `first_end` are what that clock shows ("2026-12-24T16:00") the first time; `rule` is an RRULE that repeats
    it, `excluded` the starts left out of it. `starts_at` and `over_at` bound it in real time; NULL: no end.
    """

    class Source(models.TextChoices):
        PAGE = "page", "page"
        API = "api", "API"
        ICS = "ics", "calendar file"

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("access.Workspace", null=True, on_delete=models.PROTECT, related_name="+")
    name_pattern = models.TextField(default="")
    owner = models.TextField(default="")
    tag = models.TextField(default="")
    title = models.TextField()
    reason = models.TextField()
    zone = models.TextField()
    first_start = models.TextField()
    first_end = models.TextField()
    rule = models.TextField(default="")
    excluded = models.JSONField(default=list)
    starts_at = models.DateTimeField()
    over_at = models.DateTimeField(null=True)
    source = models.CharField(max_length=4, choices=Source.choices)
    uid = models.TextField(default="")
    made_by = models.TextField()
    made_at = models.DateTimeField()
    ended_by = models.TextField(default="")
    ended_at = models.DateTimeField(null=True)
    end_reason = models.TextField(default="")

    class Meta:
        db_table = "holds_freeze"
        constraints = (
            # A calendar that is imported again brings nothing twice; for other endpoints it may come again.
            models.UniqueConstraint(
                fields=("uid", "workspace", "name_pattern", "owner", "tag"),
                condition=Q(ended_at__isnull=True) & ~Q(uid=""),
                nulls_distinct=False,
                name="holds_freeze_uid_once",
            ),
            models.CheckConstraint(
                condition=Q(over_at__isnull=True) | Q(starts_at__lt=models.F("over_at")),
                name="holds_freeze_forward",
            ),
        )
        indexes = (
            models.Index(
                fields=("starts_at", "over_at"), condition=Q(ended_at__isnull=True), name="holds_freeze_alive"
            ),
        )

    def __str__(self) -> str:
        return self.title


class Stop(models.Model):
    """Somebody stopped the line: of one endpoint, of a workspace, or (neither given) of everything."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("access.Workspace", null=True, on_delete=models.PROTECT, related_name="+")
    endpoint = models.ForeignKey("inventory.Endpoint", null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    stopped_by = models.TextField()
    stopped_at = models.DateTimeField()
    lifted_by = models.TextField(default="")
    lifted_at = models.DateTimeField(null=True)
    lift_reason = models.TextField(default="")

    class Meta:
        db_table = "holds_stop"
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "endpoint"),
                condition=Q(lifted_at__isnull=True),
                nulls_distinct=False,
                name="holds_stop_once",
            ),
            models.CheckConstraint(
                condition=Q(endpoint__isnull=True) | Q(workspace__isnull=False),
                name="holds_stop_in_workspace",
            ),
        )

    def __str__(self) -> str:
        return f"stop {self.pk}"


class Protection(models.Model):
    """An endpoint, or one deployment of it, that another room needs as it is, for `cause` ("case:7").

    `until` NULL: until it is ended.
    """

    id = models.BigAutoField(primary_key=True)
    endpoint = models.ForeignKey("inventory.Endpoint", on_delete=models.PROTECT, related_name="+")
    deployment = models.TextField(default="")  # lower case; "" is the whole endpoint
    cause = models.TextField()
    reason = models.TextField()
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    made_by = models.TextField()
    ended_by = models.TextField(default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "holds_protection"
        constraints = (
            models.UniqueConstraint(
                fields=("endpoint", "deployment", "cause"),
                condition=Q(ended_at__isnull=True),
                name="holds_protection_once",
            ),
        )

    def __str__(self) -> str:
        return f"protection of endpoint {self.endpoint_id} for {self.cause}"


class Override(models.Model):
    """A person's word that a freeze or stop ("freeze:3") shall not hold `subject` ("change:42"). Append-only.

    `until` is the end of the freeze's occurrence that was overridden: the next one holds again. NULL: no end.
    """

    id = models.BigAutoField(primary_key=True)
    hold = models.TextField()
    subject = models.TextField()
    reason = models.TextField()
    until = models.DateTimeField(null=True)
    overridden_by = models.TextField()
    overridden_at = models.DateTimeField()

    class Meta:
        db_table = "holds_override"
        indexes = (models.Index(fields=("subject", "hold"), name="holds_override_subject"),)

    def __str__(self) -> str:
        return f"{self.subject} past {self.hold}"
