"""The rows of a change. Content and history are append-only; progress lives in Change, Lease and Attempt.

A Change never moves but through `services.moves.move`; once ended it never changes again (a trigger says so).
"""

from __future__ import annotations

from typing import Any

from django.db import models

from endpoints.changes.lifecycle import Kind, State


class Change(models.Model):
    """One thing somebody wants done to one endpoint. `version` counts its moves; "active" is started and not ended.

    `author` is None for a rollback that the portal ordered by itself; `cause` then says on what ground.
    `origin`: the row of a higher room that it was asked for by, opaque here.
    `confirmed_at` is set while the step is in force. `baked` counts the seconds for which it was seen in force and
    healthy, up to `baked_at`. `held_seconds` is what earlier holds took. The gate fields are the last measurement's.
    """

    endpoint = models.ForeignKey("inventory.Endpoint", models.PROTECT, related_name="+")
    workspace = models.ForeignKey("access.Workspace", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=[(kind, kind) for kind in Kind])
    reverts = models.ForeignKey("self", models.PROTECT, null=True, related_name="reverted_by")
    state = models.CharField(max_length=20, choices=[(state, state) for state in State])
    version = models.PositiveIntegerField(default=1)
    revision = models.PositiveIntegerField(default=1)
    author = models.ForeignKey("access.User", models.PROTECT, null=True, related_name="+")
    cause = models.CharField(max_length=20, blank=True)
    origin = models.CharField(max_length=40, blank=True)  # "finding:7"
    idempotency_key = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    approval_expires_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    started_by = models.ForeignKey("access.User", models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    step = models.PositiveSmallIntegerField(default=0)
    step_since = models.DateTimeField(null=True)
    start_at = models.DateTimeField(null=True)
    scheduled_by = models.ForeignKey("access.User", models.PROTECT, null=True, related_name="+")
    emergency = models.BooleanField(default=False)
    baked = models.FloatField(default=0.0)
    baked_at = models.DateTimeField(null=True)
    hold = models.CharField(max_length=20, blank=True)
    hold_wanted = models.BooleanField(default=False)
    held_at = models.DateTimeField(null=True)
    held_seconds = models.FloatField(default=0.0)
    gate_outcome = models.CharField(max_length=20, blank=True)
    gate_reason = models.TextField(blank=True)
    gate_harm = models.TextField(blank=True)
    measured_at = models.DateTimeField(null=True)
    warm_until = models.DateTimeField(null=True)
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
            models.CheckConstraint(
                condition=models.Q(author__isnull=False) | models.Q(kind=Kind.ROLLBACK),
                name="changes_only_rollbacks_by_itself",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=State.SCHEDULED) | models.Q(start_at__isnull=False),
                name="changes_scheduled_has_a_time",
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
                fields=["start_at"], condition=models.Q(state=State.SCHEDULED), name="changes_to_start"
            ),
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
    terms: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)
    content_hash = models.CharField(max_length=64)
    editor = models.ForeignKey("access.User", models.PROTECT, null=True, related_name="+")
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
    """A reviewer's approval or rejection of one revision, with the warnings they accepted by name. Append-only."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="decisions")
    revision = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=64)
    reviewer = models.ForeignKey("access.User", models.PROTECT, related_name="+")
    approved = models.BooleanField()
    accepted: models.JSONField[list[str]] = models.JSONField(default=list)
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
    acceptable = models.BooleanField(default=False)
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


class KeptFile(models.Model):
    """What a change is about to delete, as a YAML file that makes it anew. Append-only."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="kept")
    name = models.TextField()
    text = models.TextField()
    left_out: models.JSONField[list[str]] = models.JSONField(default=list)
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["change", "name"], name="changes_one_kept_file_each"),)

    def __str__(self) -> str:
        return f"{self.name} of CR-{self.change_id}"


class Measurement(models.Model):
    """What one gate said at one moment of one step, with its reason in words. Append-only.

    `until` is the end of what it looked at: one moment is measured once, however often that is tried.
    """

    change = models.ForeignKey(Change, models.PROTECT, related_name="measurements")
    step = models.PositiveSmallIntegerField()
    gate = models.CharField(max_length=120)
    outcome = models.CharField(max_length=20)
    value = models.FloatField(null=True)
    limit = models.FloatField(null=True)
    requests = models.FloatField(null=True)
    minutes = models.PositiveIntegerField(default=0)
    excused = models.BooleanField(default=False)
    dry_run = models.BooleanField(default=False)
    reason = models.TextField()
    detail: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)
    since = models.DateTimeField()
    until = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["change", "step", "gate", "until"], name="changes_one_measurement_each"
            ),
        )

    def __str__(self) -> str:
        return f"{self.gate} of CR-{self.change_id}: {self.outcome}"


class GateOverride(models.Model):
    """A person's word that a gate shall not hold this change from now on; "" means all of them. Append-only."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="overrides")
    step = models.PositiveSmallIntegerField()
    gate = models.CharField(max_length=120, blank=True)
    by = models.ForeignKey("access.User", models.PROTECT, related_name="+")
    reason = models.TextField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.gate or 'all gates'} of CR-{self.change_id} overridden"


class AfterReview(models.Model):
    """What somebody else must say, after the fact, of a change that nobody approved."""

    change = models.OneToOneField(Change, models.PROTECT, primary_key=True, related_name="after_review")
    due_at = models.DateTimeField()
    reviewer = models.ForeignKey("access.User", models.PROTECT, null=True, related_name="+")
    sound = models.BooleanField(null=True)
    words = models.TextField(blank=True)
    at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"review after CR-{self.change_id}"


class ApprovalRule(models.Model):
    """How many people must approve what, in one workspace. Never edited: ended, and another one made.

    Empty selectors match everything. `risk` "rise_to": some deployment would reach at least `risk_weight` percent.
    `named`: ids of the people who count; empty: every reviewer of the workspace. Proposed by one person; in force
    from `decided_at` on.
    """

    workspace = models.ForeignKey("access.Workspace", models.PROTECT, related_name="+")
    title = models.CharField(max_length=120)
    endpoint_pattern = models.CharField(max_length=120, blank=True)
    tag = models.CharField(max_length=120, blank=True)
    tag_value = models.CharField(max_length=250, blank=True)
    risk_weight = models.PositiveSmallIntegerField(default=0)
    required = models.PositiveSmallIntegerField(default=1)
    named: models.JSONField[list[int]] = models.JSONField(default=list)
    reason = models.TextField()
    proposed_by = models.ForeignKey("access.User", models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    ends_rule = models.ForeignKey("self", models.PROTECT, null=True, related_name="ended_by_rule")
    decided_by = models.ForeignKey("access.User", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    accepted = models.BooleanField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["workspace", "-id"], name="changes_rules_of"),)

    def __str__(self) -> str:
        return self.title


class RolloutTemplate(models.Model):
    """A plan to be used again: weights with bakes, and terms. Never edited: ended, and another one made."""

    workspace = models.ForeignKey("access.Workspace", models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    steps: models.JSONField[list[dict[str, Any]]] = models.JSONField()
    terms: models.JSONField[dict[str, Any]] = models.JSONField()
    made_by = models.ForeignKey("access.User", models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ended_by = models.ForeignKey("access.User", models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["workspace", "name"],
                condition=models.Q(ended_at__isnull=True),
                name="changes_one_template_each_name",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Sample(models.Model):
    """A synthetic request for probing an endpoint's deployments, and how to get in. The newest row counts.

    `secret_uri` names a Key Vault secret; the key itself is never kept. `answer_schema` is the shape that an answer
    must have, {} when none was told. `body` "" ends the probing.
    """

    endpoint = models.ForeignKey("inventory.Endpoint", models.PROTECT, related_name="+")
    body = models.TextField(blank=True)
    secret_uri = models.CharField(max_length=300, blank=True)
    answer_schema: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)
    set_by = models.ForeignKey("access.User", models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["endpoint", "-id"], name="changes_samples"),)

    def __str__(self) -> str:
        return f"sample of endpoint {self.endpoint_id}"


class Probe(models.Model):
    """One direct request to one deployment, past the split, and what came of it. No answer is kept. Append-only."""

    endpoint = models.ForeignKey("inventory.Endpoint", models.PROTECT, related_name="+")
    deployment = models.CharField(max_length=64)
    change = models.ForeignKey(Change, models.PROTECT, null=True, related_name="probes")
    sample = models.ForeignKey(Sample, models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=20)
    status = models.PositiveSmallIntegerField(null=True)
    seconds = models.FloatField(null=True)
    shape: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["endpoint", "deployment", "-id"], name="changes_probes"),)

    def __str__(self) -> str:
        return f"probe of {self.deployment}: {self.outcome}"


class Drill(models.Model):
    """A rollback that is practised: an approved small shift, then the ordinary rollback, and how long it took."""

    change = models.OneToOneField(Change, models.PROTECT, primary_key=True, related_name="drill")
    rollback = models.OneToOneField(Change, models.PROTECT, null=True, related_name="+")
    ordered_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    observed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, blank=True)
    reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"drill CR-{self.change_id}"


class Readiness(models.Model):
    """Whether a rollback of an endpoint would work now, as last looked at: the light that lists show."""

    endpoint = models.OneToOneField("inventory.Endpoint", models.PROTECT, primary_key=True, related_name="+")
    outcome = models.CharField(max_length=20)
    reasons: models.JSONField[list[dict[str, Any]]] = models.JSONField(default=list)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"rollback readiness of endpoint {self.endpoint_id}: {self.outcome}"


class Executor(models.Model):
    """An executor process and when it last said that it lives."""

    name = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
