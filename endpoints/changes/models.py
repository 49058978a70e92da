"""The rows of a change. Content and history are append-only; progress lives in Change, Lease and Attempt.

A Change never moves but through `services.moves.move`; once ended it never changes again (a trigger says so).
"""

from __future__ import annotations

from typing import Any

from django.db import models

from endpoints.changes.lifecycle import Kind, State


class Change(models.Model):
    """One thing somebody wants done to one endpoint. `version` counts its moves; "active" is started and not ended."""

    endpoint = models.ForeignKey("inventory.Endpoint", models.PROTECT, related_name="+")
    workspace = models.ForeignKey("access.Workspace", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=[(kind, kind) for kind in Kind])
    reverts = models.ForeignKey("self", models.PROTECT, null=True, related_name="reverted_by")
    state = models.CharField(max_length=20, choices=[(state, state) for state in State])
    version = models.PositiveIntegerField(default=1)
    revision = models.PositiveIntegerField(default=1)
    author = models.ForeignKey("access.User", models.PROTECT, related_name="+")
    cause = models.CharField(max_length=20, blank=True)
    idempotency_key = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    approval_expires_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    started_by = models.ForeignKey("access.User", models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    step = models.PositiveSmallIntegerField(default=0)
    step_since = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField(null=True)
    waiting_for = models.TextField(blank=True)
    attention = models.TextField(blank=True)
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["endpoint"],
                condition=models.Q(started_at__isnull=False, ended_at__isnull=True),
                name="changes_one_active_per_endpoint",
            ),
            models.UniqueConstraint(
                fields=["author", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="changes_idempotency",
            ),
        )
        indexes = (
            models.Index(fields=["workspace", "-id"], name="changes_by_workspace"),
            models.Index(fields=["endpoint", "-id"], name="changes_by_endpoint"),
            models.Index(
                fields=["next_check_at"],
                condition=models.Q(started_at__isnull=False, ended_at__isnull=True),
                name="changes_due",
            ),
        )

    def __str__(self) -> str:
        return f"CR-{self.pk}"


class ChangeRevision(models.Model):
    """What a change would do, as written at one moment; approvals are sealed to `content_hash`. Never updated."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    plan: models.JSONField[list[dict[str, Any]]] = models.JSONField()
    base: models.JSONField[dict[str, Any]] = models.JSONField()
    content_hash = models.CharField(max_length=64)
    editor = models.ForeignKey("access.User", models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["change", "number"], name="changes_revision_number"),)

    def __str__(self) -> str:
        return f"CR-{self.change_id} revision {self.number}"


class Note(models.Model):
    """Free text of people: reasons and comments. Kept apart so that a person's words can be erased."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="notes")
    revision = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    author = models.ForeignKey("access.User", models.PROTECT, related_name="+")
    text = models.TextField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} on CR-{self.change_id}"


class Decision(models.Model):
    """A reviewer's approval or rejection of one revision. Append-only."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="decisions")
    revision = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=64)
    reviewer = models.ForeignKey("access.User", models.PROTECT, related_name="+")
    approved = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["change", "revision", "reviewer"], name="changes_one_decision_each"
            ),
        )

    def __str__(self) -> str:
        return f"{'approval' if self.approved else 'rejection'} of CR-{self.change_id}"


class Check(models.Model):
    """One automatic check's verdict at one moment ("request", "approval", "start"). Append-only."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="checks")
    revision = models.PositiveIntegerField()
    moment = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    outcome = models.CharField(max_length=20)
    reason = models.TextField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.outcome}"


class Transition(models.Model):
    """One move in a change's life. Append-only."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="transitions")
    version = models.PositiveIntegerField()
    before = models.CharField(max_length=20, blank=True)
    after = models.CharField(max_length=20)
    step = models.PositiveSmallIntegerField()
    actor = models.CharField(max_length=100)
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["change", "version"], name="changes_transition_version"),
        )

    def __str__(self) -> str:
        return f"CR-{self.change_id}: {self.before} to {self.after}"


class Lease(models.Model):
    """Who may write to an endpoint, and for which goal. One row per endpoint; its lock orders all writers.

    `epoch` grows at each take-over, `generation` at each new goal. A call is sent only while both are still
    those that it was decided under.
    """

    endpoint = models.OneToOneField("inventory.Endpoint", models.PROTECT, primary_key=True, related_name="+")
    holder = models.CharField(max_length=64, blank=True)
    epoch = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    generation = models.PositiveBigIntegerField(default=0)
    goal = models.ForeignKey(Change, models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return f"lease of endpoint {self.endpoint_id}, epoch {self.epoch}"


class Attempt(models.Model):
    """One call that writes to Azure, recorded before it is sent."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="attempts")
    step = models.PositiveSmallIntegerField()
    generation = models.PositiveBigIntegerField()
    epoch = models.PositiveBigIntegerField()
    verb = models.CharField(max_length=30)
    target = models.TextField()
    intended: models.JSONField[dict[str, Any]] = models.JSONField()
    request_id = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    azure_request_id = models.CharField(max_length=100, blank=True)
    error = models.TextField(blank=True)
    retry_at = models.DateTimeField(null=True)
    operation_uri = models.TextField(blank=True)
    operation_ended_at = models.DateTimeField(null=True)
    operation_failure = models.TextField(blank=True)

    class Meta:
        indexes = (models.Index(fields=["change", "-id"], name="changes_attempts"),)

    def __str__(self) -> str:
        return f"{self.verb} for CR-{self.change_id}, step {self.step}"


class Executor(models.Model):
    """An executor process and when it last said that it lives."""

    name = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
