"""The mirror's tables. Revisions, documents, drifts and runs are only ever added; the rest is their
projection.

A revision has no end and is never updated. Endpoint and Deployment repeat the newest state in columns, so
that lists and locks need one row.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Mirrored(models.Model):
    """What endpoints and deployments have in common: identity, the newest state, and the reads behind it."""

    name = models.TextField()
    name_key = models.TextField()
    arm_id = models.TextField()
    arm_key = models.TextField()
    azure_created_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)
    state_hash = models.CharField(max_length=64)
    provisioning_state = models.TextField(default="")
    # The last read of this one alone, or the last that changed it. A sync that finds nothing new writes no
    # row here: its SyncRun covers the whole workspace.
    last_read_began = models.DateTimeField()
    last_read_ended = models.DateTimeField()
    unreadable_since = models.DateTimeField(null=True)
    unreadable_reason = models.TextField(default="")

    class Meta:
        abstract = True


class Endpoint(Mirrored):
    """A realtime endpoint of one workspace. Deleted and created again under the same name is another row."""

    workspace = models.ForeignKey("access.Workspace", on_delete=models.PROTECT, related_name="+")
    traffic = models.JSONField(default=dict)
    mirror_traffic = models.JSONField(default=dict)
    scoring_uri = models.TextField(default="")
    auth_mode = models.TextField(default="")
    public_network_access = models.TextField(default="")
    location = models.TextField(default="")
    kind = models.TextField(default="")
    tags = models.JSONField(default=dict)
    owner = models.TextField(default="")
    # What `marks.py` finds, stored for sorting; the age of the data is added when a page is made.
    marks = models.JSONField(default=list)
    severity = models.SmallIntegerField(default=0)
    # Marks that higher rooms found, by the room that did; they are among `marks` too.
    outer_marks = models.JSONField(default=dict)
    # Null until all its deployments were listed once: what that first listing shows is no drift.
    deployments_seen_at = models.DateTimeField(null=True)
    latest_revision = models.ForeignKey(
        "inventory.EndpointRevision", null=True, on_delete=models.PROTECT, related_name="+"
    )
    # The newest unexplained change of traffic or access; null again when ours or the old state replaced it.
    open_drift = models.ForeignKey("inventory.Drift", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "inventory_endpoint"
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "name_key"),
                condition=Q(deleted_at__isnull=True),
                name="inventory_endpoint_one_alive",
            ),
        )
        indexes = (
            models.Index(
                fields=("-severity", "name_key", "id"),
                condition=Q(deleted_at__isnull=True),
                name="inventory_endpoint_worst_first",
            ),
            models.Index(fields=("arm_key",), name="inventory_endpoint_arm"),
            # Counts by severity are read from this index alone.
            models.Index(
                fields=("workspace", "severity"),
                condition=Q(deleted_at__isnull=True),
                name="inventory_endpoint_counts",
            ),
        )


class Deployment(Mirrored):
    """A deployment of an endpoint: one model, environment and size that can be given traffic."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="deployments")
    model = models.TextField(default="")
    environment = models.TextField(default="")
    code_id = models.TextField(default="")
    instance_type = models.TextField(default="")
    instance_count = models.IntegerField(null=True)
    latest_revision = models.ForeignKey(
        "inventory.DeploymentRevision", null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        db_table = "inventory_deployment"
        constraints = (
            models.UniqueConstraint(
                fields=("endpoint", "name_key"),
                condition=Q(deleted_at__isnull=True),
                name="inventory_deployment_one_alive",
            ),
        )
        indexes = (models.Index(fields=("arm_key",), name="inventory_deployment_arm"),)


class RawDocument(models.Model):
    """A document as Azure sent it, once per content, without keys and secrets."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    body = models.JSONField()

    class Meta:
        db_table = "inventory_raw_document"


class Revision(models.Model):
    """A state that began between `earliest` and `latest` and that we knew of at `known_at`.

    `deleted`: the state is that there is no such thing any more. `earliest` null: nothing was read before.
    """

    earliest = models.DateTimeField(null=True)
    latest = models.DateTimeField()
    known_at = models.DateTimeField()
    state_hash = models.CharField(max_length=64)
    state = models.JSONField()
    deleted = models.BooleanField(default=False)
    document = models.ForeignKey(RawDocument, null=True, on_delete=models.PROTECT, related_name="+")
    cause = models.TextField(default="")
    modified_by = models.TextField(default="")
    azure_request_id = models.TextField(default="")

    class Meta:
        abstract = True


class EndpointRevision(Revision):
    """One state of an endpoint. `cause` is "change:42", "drift", or "" where nobody need have decided it."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="revisions")

    class Meta:
        db_table = "inventory_endpoint_revision"
        indexes = (models.Index(fields=("endpoint", "-latest"), name="inventory_erevision_as_of"),)


class DeploymentRevision(Revision):
    """One state of a deployment."""

    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="revisions")

    class Meta:
        db_table = "inventory_deployment_revision"
        indexes = (models.Index(fields=("deployment", "-latest"), name="inventory_drevision_as_of"),)


class ExpectedWrite(models.Model):
    """A write that is about to be sent: whoever reads its result first knows that it is ours."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="+")
    cause = models.TextField()
    attempt = models.TextField(default="")
    verb = models.TextField()
    deployment = models.TextField(default="")  # lower case; "" where the write is to the endpoint
    traffic = models.JSONField()
    mirror = models.JSONField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)
    matched_at = models.DateTimeField(null=True)
    revision = models.ForeignKey(EndpointRevision, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "inventory_expected_write"
        indexes = (
            models.Index(
                fields=("endpoint", "expires_at"),
                condition=Q(matched_at__isnull=True, cancelled_at__isnull=True),
                name="inventory_expected_open",
            ),
        )


class Drift(models.Model):
    """A change that nobody here ordered: the watched fields before and after, and when it happened."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="drifts")
    kind = models.TextField()
    revision = models.ForeignKey(EndpointRevision, null=True, on_delete=models.PROTECT, related_name="+")
    deployment = models.ForeignKey(Deployment, null=True, on_delete=models.PROTECT, related_name="+")
    deployment_revision = models.ForeignKey(
        DeploymentRevision, null=True, on_delete=models.PROTECT, related_name="+"
    )
    before = models.JSONField()
    after = models.JSONField()
    earliest = models.DateTimeField(null=True)
    latest = models.DateTimeField()
    known_at = models.DateTimeField()
    modified_by = models.TextField(default="")

    class Meta:
        db_table = "inventory_drift"
        indexes = (models.Index(fields=("endpoint", "-latest"), name="inventory_drift_newest"),)


class DriftAttribution(models.Model):
    """What Azure's activity log had, at `known_at`, of who made a drift. The newest row of a drift counts.

    `found` is "one", "several", "none" or "unknown" (the log could not be read); `candidates` are the writes that
    may have been it. `final`: the log was complete by then, or nobody looks any more.
    """

    drift = models.ForeignKey(Drift, on_delete=models.PROTECT, related_name="attributions")
    found = models.TextField()
    candidates = models.JSONField(default=list)
    reason = models.TextField()
    final = models.BooleanField()
    known_at = models.DateTimeField()

    class Meta:
        db_table = "inventory_drift_attribution"
        indexes = (models.Index(fields=("drift", "-id"), name="inventory_attribution_newest"),)


class DriftSearch(models.Model):
    """When to look for a drift in the activity log again. `reason`: why the newest look brought no answer."""

    drift = models.OneToOneField(Drift, primary_key=True, on_delete=models.PROTECT, related_name="search")
    due_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True)
    reason = models.TextField(default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "inventory_drift_search"
        indexes = (
            models.Index(fields=("due_at",), condition=Q(ended_at__isnull=True), name="inventory_search_due"),
        )


class SyncRun(models.Model):
    """One reading of a workspace, written when it ended: what was covered, what could not be read, and why.

    Between `reads_began` and `reads_ended` every endpoint and deployment of the workspace was read and
    found as the mirror has it, except those in `unreadable`. Both are null when nothing could be read.
    """

    workspace = models.ForeignKey("access.Workspace", on_delete=models.PROTECT, related_name="+")
    trigger = models.TextField()
    outcome = models.TextField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    reads_began = models.DateTimeField(null=True)
    reads_ended = models.DateTimeField(null=True)
    endpoints = models.IntegerField(default=0)
    deployments = models.IntegerField(default=0)
    changes = models.IntegerField(default=0)
    calls = models.IntegerField(default=0)
    unreadable = models.JSONField(default=list)
    error_code = models.TextField(default="")
    error = models.TextField(default="")
    azure_request_id = models.TextField(default="")
    retry_at = models.DateTimeField(null=True)
    cadence_seconds = models.FloatField()

    class Meta:
        db_table = "inventory_sync_run"
        indexes = (
            models.Index(fields=("workspace", "-ended_at"), name="inventory_run_newest"),
            models.Index(
                fields=("workspace", "-reads_ended"),
                condition=Q(reads_ended__isnull=False),
                name="inventory_run_covering",
            ),
        )


class SyncTarget(models.Model):
    """When a workspace is to be read next, and who is at it.

    The newest run's result is repeated for pages.
    """

    workspace = models.OneToOneField(
        "access.Workspace", primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    due_at = models.DateTimeField()
    requested_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    cadence_seconds = models.FloatField(null=True)
    cadence_reason = models.TextField(default="")
    calls = models.IntegerField(null=True)
    failures = models.IntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    last_run = models.ForeignKey(SyncRun, null=True, on_delete=models.PROTECT, related_name="+")
    # The newest run that read the workspace; what is older than its end is not known to be true now.
    covered_by = models.ForeignKey(SyncRun, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "inventory_sync_target"
        indexes = (models.Index(fields=("due_at",), name="inventory_target_due"),)


class Discovery(models.Model):
    """What Resource Graph knew of one subscription at `found_at`; nothing yet while that is null.

    `endpoints` in all, `connected` of them in workspaces that are; the others are counted in `elsewhere`. `reason`:
    why the newest look, at `looked_at`, brought no answer.
    """

    subscription = models.TextField(primary_key=True)
    looked_at = models.DateTimeField()
    found_at = models.DateTimeField(null=True)
    reason = models.TextField(default="")
    endpoints = models.IntegerField(null=True)
    connected = models.IntegerField(null=True)
    elsewhere = models.JSONField(default=list)

    class Meta:
        db_table = "inventory_discovery"
