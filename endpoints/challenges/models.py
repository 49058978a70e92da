"""Predictions, challenge cases, and what is kept for them. `by` fields are opaque: "user:7".

Of a prediction only metadata is kept, never a payload: the columns below are all there is. Moves, evidence and holds
are append-only; free text of people stands in Note alone, where it can be erased.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from endpoints.challenges.lifecycle import Outcome, State


class Seen(models.Model):
    """One request as its sources saw it, and which of them said what.

    `key` names it within its endpoint: "r:" and Azure's id, or "c:", the client's id, "@" and microseconds. `day` is
    the UTC day on which it was said to be first, by which rows are partitioned. Neither ever changes, whatever is
    heard of the request later. Ids are normalised (`ids.py`). "" and NULL: nobody said it. `origin` names the source
    of each field, `conflicts` what another source said instead; `seen.py` reads both out.
    """

    day = models.DateField()
    endpoint_id = models.BigIntegerField()
    key = models.TextField()
    at = models.DateTimeField()
    request_id = models.TextField(default="")
    client_id = models.TextField(default="")
    deployment = models.TextField(default="")  # lower case
    model_version = models.TextField(default="")
    app_version = models.TextField(default="")  # of the calling application
    status = models.SmallIntegerField(null=True)
    model_status = models.SmallIntegerField(null=True)
    duration_ms = models.FloatField(null=True)
    request_bytes = models.BigIntegerField(null=True)
    response_bytes = models.BigIntegerField(null=True)
    confidence = models.FloatField(null=True)
    high_risk = models.BooleanField(null=True)
    scores: models.JSONField[dict[str, float] | None] = models.JSONField(null=True)
    pinned = models.BooleanField(null=True)  # the caller's word: the deployment was named by header
    fingerprint = models.BinaryField(null=True)  # keyed hash of the request's body
    origin: models.JSONField[dict[str, str]] = models.JSONField(default=dict)
    conflicts: models.JSONField[dict[str, dict[str, Any]] | None] = models.JSONField(null=True)
    log_known_at = models.DateTimeField(null=True)
    caller_known_at = models.DateTimeField(null=True)
    model_known_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class Prediction(Seen):
    """Within retention; monthly partitions, because whole months are dropped at once."""

    pk = models.CompositePrimaryKey("endpoint_id", "key", "day")

    class Meta:
        db_table = "challenges_prediction"


class KeptPrediction(Seen):
    """What outlives retention, because a case or a legal hold needs it."""

    pk = models.CompositePrimaryKey("endpoint_id", "key", "day")

    class Meta:
        db_table = "challenges_kept_prediction"


class DirtyMinute(models.Model):
    """A minute of an endpoint whose records changed, so that its figures must be counted anew."""

    pk = models.CompositePrimaryKey("endpoint_id", "minute")
    endpoint_id = models.BigIntegerField()
    minute = models.DateTimeField()

    class Meta:
        db_table = "challenges_dirty_minute"


class LogReading(models.Model):
    """One stretch of an endpoint's traffic log that was asked for, and how that went. Append-only.

    `outcome` is "read" (`rows` of them), "off" (the log is not exported) or "failed", with `reason` in words.
    """

    id = models.BigAutoField(primary_key=True)
    endpoint_id = models.BigIntegerField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    outcome = models.TextField()
    rows = models.IntegerField(default=0)
    reason = models.TextField(default="")
    known_at = models.DateTimeField()

    class Meta:
        db_table = "challenges_log_reading"
        indexes = (models.Index(fields=("endpoint_id", "-until"), name="challenges_log_reading_of"),)


class LogCursor(models.Model):
    """How far an endpoint's log was read, who reads it now, and when to read on."""

    endpoint = models.OneToOneField(
        "inventory.Endpoint", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    read_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)
    reason = models.TextField(default="")

    class Meta:
        db_table = "challenges_log_cursor"


class Policy(models.Model):
    """How cases of a workspace are dealt with, from `since` until the next one. Append-only.

    `clocks`: [{"name", "hours" or "days", "source", "target"}]: `target` true is the house's own aim, false a deadline
    of law. `two_roles`: who decides and who confirms must be two people. `band`: confidence below it wants review.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("access.Workspace", on_delete=models.PROTECT, related_name="+")
    clocks: models.JSONField[list[dict[str, Any]]] = models.JSONField(default=list)
    two_roles = models.BooleanField(default=False)
    band = models.FloatField(null=True)
    since = models.DateTimeField()
    set_by = models.TextField()

    class Meta:
        db_table = "challenges_policy"
        indexes = (models.Index(fields=("workspace", "-since"), name="challenges_policy_as_of"),)


class Case(models.Model):
    """A prediction that somebody challenges, shown as CH-n. `version` counts its moves.

    `asked_id` is the id as it was given; `day`, `endpoint` and `key` name the record once one was chosen. `due` is the
    clocks of the policy in force when it was raised: [{"name", "at", "target", "source"}].
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("access.Workspace", on_delete=models.PROTECT, related_name="+")
    endpoint = models.ForeignKey("inventory.Endpoint", on_delete=models.PROTECT, null=True, related_name="+")
    asked_id = models.TextField(default="")
    asked_at = models.DateTimeField(null=True)  # when the request was made, as the claimant says
    day = models.DateField(null=True)
    key = models.TextField(default="")
    model = models.TextField(default="")  # "name:version" that answered, for linking; "" unknown
    reference = models.TextField(default="")  # the claimant's file number elsewhere, an opaque id
    state = models.TextField(choices=[(state.value, state.value) for state in State])
    version = models.PositiveIntegerField(default=1)
    outcome = models.TextField(default="", choices=[(one.value, one.value) for one in Outcome], blank=True)
    via = models.TextField()  # "page" or "api"
    idempotency_key = models.TextField(default="")
    raised_by = models.TextField()
    raised_at = models.DateTimeField()
    assigned_to = models.ForeignKey("access.User", on_delete=models.PROTECT, null=True, related_name="+")
    due: models.JSONField[list[dict[str, Any]]] = models.JSONField(default=list)
    next_due_at = models.DateTimeField(null=True)
    two_roles = models.BooleanField(default=False)
    decided_by = models.TextField(default="")
    decided_at = models.DateTimeField(null=True)
    confirmed_by = models.TextField(default="")
    closed_at = models.DateTimeField(null=True)
    legal_hold = models.BooleanField(default=False)

    class Meta:
        db_table = "challenges_case"
        constraints = (
            models.UniqueConstraint(
                fields=("raised_by", "idempotency_key"),
                condition=~Q(idempotency_key=""),
                name="challenges_case_idempotency",
            ),
        )
        indexes = (
            models.Index(fields=("workspace", "-id"), name="challenges_case_of_workspace"),
            models.Index(
                fields=("next_due_at",), condition=Q(closed_at__isnull=True), name="challenges_case_due"
            ),
            models.Index(fields=("model",), condition=~Q(model=""), name="challenges_case_model"),
            models.Index(fields=("endpoint", "key"), name="challenges_case_record"),
        )

    def __str__(self) -> str:
        return f"CH-{self.pk}"


class Move(models.Model):
    """One thing that happened to a case: raised, assigned, proposed, confirmed, closed, re-opened, … Append-only."""

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="moves")
    version = models.PositiveIntegerField()
    kind = models.TextField()
    before = models.TextField(default="")
    after = models.TextField()
    data: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)
    by = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "challenges_move"
        constraints = (models.UniqueConstraint(fields=("case", "version"), name="challenges_move_version"),)


class Note(models.Model):
    """Text about a case: question, comments, reasons, the claimant's name. `text` is "" once `erased_at` is set."""

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes")
    kind = models.TextField()  # question, comment, reason, claimant
    version = models.PositiveIntegerField()  # the case's version that it belongs to
    text = models.TextField()
    by = models.TextField()
    at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "challenges_note"


class Evidence(models.Model):
    """What was collected for a case at one moment: a passport's canonical bytes. Append-only; refreshed by choice."""

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="evidence")
    number = models.PositiveIntegerField()
    document = models.BinaryField()
    sha256 = models.TextField()
    collected_by = models.TextField()
    collected_at = models.DateTimeField()

    class Meta:
        db_table = "challenges_evidence"
        constraints = (models.UniqueConstraint(fields=("case", "number"), name="challenges_evidence_number"),)


class Link(models.Model):
    """Two cases that concern each other, the older first. Append-only."""

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="links")
    other = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    why = models.TextField()
    by = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "challenges_link"
        constraints = (models.UniqueConstraint(fields=("case", "other"), name="challenges_link_once"),)


class LegalHold(models.Model):
    """Predictions of an endpoint from `since` to `until` that retention must not drop. Two people: asked, agreed."""

    id = models.BigAutoField(primary_key=True)
    endpoint = models.ForeignKey("inventory.Endpoint", on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()
    cause = models.TextField()  # "case:7", or "authority" with the reason
    reason = models.TextField()
    asked_by = models.TextField()
    asked_at = models.DateTimeField()
    agreed_by = models.TextField(default="")
    agreed_at = models.DateTimeField(null=True)
    ended_by = models.TextField(default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "challenges_legal_hold"


class Erasure(models.Model):
    """A person to be forgotten: who asked, who agreed, and how much text went. Two people."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("access.Workspace", on_delete=models.PROTECT, null=True, related_name="+")
    subject = models.TextField()  # "case:7" (its claimant) or "user:9"
    reason = models.TextField()
    asked_by = models.TextField()
    asked_at = models.DateTimeField()
    agreed_by = models.TextField(default="")
    agreed_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    texts = models.PositiveIntegerField(null=True)

    class Meta:
        db_table = "challenges_erasure"
