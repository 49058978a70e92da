"""Rows of the ledger. Only `services.record` and the insert trigger write; nothing updates or deletes.

Entry's columns are copies that the trigger takes out of `body`, for searching: the hash covers `body`.
"""

from __future__ import annotations

from django.db import models


class Entry(models.Model):
    """One event. seq, at, prev_hash and hash are the trigger's, whatever an INSERT supplies."""

    seq = models.BigIntegerField(primary_key=True)
    event_id = models.UUIDField(unique=True)
    at = models.DateTimeField()
    app_at = models.DateTimeField()
    actor = models.TextField()
    on_behalf = models.TextField()
    auth = models.TextField()
    workspace_id = models.BigIntegerField(null=True)
    subject = models.TextField()
    endpoint = models.TextField()
    action = models.TextField()
    request_id = models.TextField()
    azure_request_id = models.TextField()
    body = models.BinaryField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    prev_hash = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        db_table = "audit_entry"
        indexes = (
            models.Index(fields=["workspace_id", "-seq"], name="audit_entry_workspace"),
            models.Index(fields=["actor", "-seq"], name="audit_entry_actor"),
            models.Index(fields=["subject", "-seq"], name="audit_entry_subject"),
            models.Index(
                fields=["endpoint", "-seq"], name="audit_entry_endpoint", condition=~models.Q(endpoint="")
            ),
            models.Index(fields=["at"], name="audit_entry_at"),
            # Deleting personal text asks for the entry that says so.
            models.Index(
                fields=["seq"], name="audit_entry_erasure", condition=models.Q(action="personal.erased")
            ),
            models.Index(
                fields=["request_id"], name="audit_entry_request", condition=~models.Q(request_id="")
            ),
            models.Index(
                fields=["azure_request_id"],
                name="audit_entry_azure",
                condition=~models.Q(azure_request_id=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.seq} {self.action} {self.subject}"


class Personal(models.Model):
    """Names, free text and addresses of an entry; its body holds SHA-256(salt || text) for each.

    Erasing a person deletes text and salt, and the chain stays valid.
    """

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="personal")
    field = models.TextField()
    salt = models.BinaryField()
    text = models.TextField()

    class Meta:
        db_table = "audit_personal"
        constraints = (models.UniqueConstraint(fields=["entry", "field"], name="audit_personal_once"),)

    def __str__(self) -> str:
        return f"{self.field} of entry {self.entry_id}"


class VerificationRun(models.Model):
    """What a check of the whole chain found, so that pages can say when it was last whole and up to where."""

    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    ok = models.BooleanField()
    entries = models.BigIntegerField()
    head_seq = models.BigIntegerField(null=True)
    head_hash = models.BinaryField(null=True)
    first_bad_seq = models.BigIntegerField(null=True)
    fault = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    checkpoints = models.BigIntegerField(default=0)
    unchecked = models.TextField(blank=True, default="")
    asked_by = models.TextField()

    class Meta:
        db_table = "audit_verification"
        indexes = (models.Index(fields=["-ended_at"], name="audit_verification_latest"),)

    def __str__(self) -> str:
        return f"{self.ended_at:%Y-%m-%d %H:%M} {'whole' if self.ok else self.reason}"


class Checkpoint(models.Model):
    """A signed statement about the first `size` entries: `note` is all of it, the rest is for searching and growing.

    `frontier` holds the complete subtrees of the Merkle tree, so that the next checkpoint reads only newer entries.
    """

    number = models.BigIntegerField(primary_key=True)
    size = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    root = models.BinaryField()
    head = models.BinaryField()
    frontier = models.BinaryField()
    note = models.TextField()
    made_by = models.TextField()

    class Meta:
        db_table = "audit_checkpoint"

    def __str__(self) -> str:
        return f"checkpoint of {self.size} entries"


class Subtree(models.Model):
    """The hash of a complete subtree of 2^level leaves, from level 8 on, for proofs that take milliseconds."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        db_table = "audit_subtree"

    def __str__(self) -> str:
        return f"subtree {self.index} of level {self.level}"


class Anchoring(models.Model):
    """That a checkpoint was put outside the database, or that this failed: `place` is "file", "log", "mail" …"""

    id = models.BigAutoField(primary_key=True)
    checkpoint = models.ForeignKey(
        Checkpoint, to_field="size", on_delete=models.PROTECT, db_column="size", related_name="anchorings"
    )
    at = models.DateTimeField()
    place = models.TextField()
    ok = models.BooleanField()
    reason = models.TextField(blank=True, default="")

    class Meta:
        db_table = "audit_anchoring"
        indexes = (
            models.Index(
                fields=["place", "-checkpoint"], name="audit_anchoring_newest", condition=models.Q(ok=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.checkpoint_id} in {self.place}"
