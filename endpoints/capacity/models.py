"""The ledger of paid capacity, autoscale settings, findings with their lives, savings, plans and alerts.

Seconds are instance-seconds. Money is in whole billionths of its currency (`worth.NANO`), so that sums are exact and
fast; "" as currency: no price was known.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Counted(models.Model):
    """Paid seconds in their four parts, and their money."""

    paid_seconds = models.BigIntegerField()
    useful_seconds = models.BigIntegerField()
    unserved_seconds = models.BigIntegerField()
    over_seconds = models.BigIntegerField()
    unknown_seconds = models.BigIntegerField()
    unpriced_seconds = models.BigIntegerField()
    paid_nanos = models.BigIntegerField()
    useful_nanos = models.BigIntegerField()
    unserved_nanos = models.BigIntegerField()
    over_nanos = models.BigIntegerField()
    unknown_nanos = models.BigIntegerField()
    hours_without_count = models.IntegerField()

    class Meta:
        abstract = True


class Day(Counted):
    """One deployment's UTC day, by the rules of `version`. Monthly partitions."""

    pk = models.CompositePrimaryKey("deployment_id", "day")
    deployment_id = models.BigIntegerField()
    day = models.DateField()
    endpoint_id = models.BigIntegerField()
    workspace_id = models.BigIntegerField()
    sku = models.TextField()
    currency = models.TextField()
    version = models.SmallIntegerField()

    class Meta:
        db_table = "capacity_day"


class Idle(models.Model):
    """Of a deployment's day, the unserved seconds that have one cause. `ref`: what it stands on ("change:7"), or ""."""

    pk = models.CompositePrimaryKey("deployment_id", "day", "cause", "ref")
    deployment_id = models.BigIntegerField()
    day = models.DateField()
    cause = models.TextField()
    ref = models.TextField()
    endpoint_id = models.BigIntegerField()
    workspace_id = models.BigIntegerField()
    seconds = models.BigIntegerField()
    currency = models.TextField()
    nanos = models.BigIntegerField()

    class Meta:
        db_table = "capacity_idle"


class Summary(Counted):
    """The sums of a workspace's day by owner, team and currency: what a fleet's page reads.

    `causes`: {cause: [unserved seconds, billionths]}.
    """

    pk = models.CompositePrimaryKey("workspace_id", "day", "owner", "team", "currency")
    workspace_id = models.BigIntegerField()
    day = models.DateField()
    owner = models.TextField()
    team = models.TextField()
    currency = models.TextField()
    deployments = models.IntegerField()
    causes: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)

    class Meta:
        db_table = "capacity_summary"


class Made(models.Model):
    """Which days of a workspace are in the ledger, by which rules, and how much was known when they were made."""

    pk = models.CompositePrimaryKey("workspace_id", "day")
    workspace_id = models.BigIntegerField()
    day = models.DateField()
    deployments = models.IntegerField()
    minutes = (
        models.BigIntegerField()
    )  # of metrics, known of all deployments: another number makes the day anew
    version = models.SmallIntegerField()
    rule_set = models.PositiveIntegerField(default=0)  # RuleSet.number; 0: the usual ones
    made_at = models.DateTimeField()

    class Meta:
        db_table = "capacity_made"


class AutoscaleSetting(models.Model):
    """What scaled a deployment from `read_at` on, as Azure Monitor keeps it; a row for each that is new.

    It began after `earliest`, the last reading without it (null: nothing was read before). `ended_at`: a reading had
    another one, or none; nothing else of a row ever changes. `faults`: what is wrong with it, in sentences.
    """

    deployment_id = models.BigIntegerField()
    arm_id = models.TextField()
    document: models.JSONField[dict[str, Any]] = models.JSONField()
    faults = ArrayField(models.TextField(), default=list)
    earliest = models.DateTimeField(null=True)
    read_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "capacity_autoscale"
        constraints = (
            models.UniqueConstraint(
                fields=("deployment_id",),
                condition=models.Q(ended_at__isnull=True),
                name="capacity_autoscale_one_in_force",
            ),
        )


class AutoscaleReading(models.Model):
    """When a subscription's settings were read last, when they are due again, and what went wrong, in words.

    `groups`: the resource groups that alone could be listed, in lower case; null: the whole subscription.
    """

    subscription = models.TextField(primary_key=True)
    due_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    groups = ArrayField(models.TextField(), null=True)
    failed_at = models.DateTimeField(null=True)
    reason = models.TextField(default="")

    class Meta:
        db_table = "capacity_autoscale_reading"


class Finding(models.Model):
    """Something that could be saved on a deployment, or (`deployment` null) on an endpoint as a whole.

    One that lives per subject. Its content (`kind`, money, `advice`) follows the facts while it is open, and is frozen
    from the moment when somebody claims it. `version` counts its moves. `facts` is a digest of what it stands on:
    another one re-opens what was postponed or dismissed. Money is a month's; null: the price is not known.
    `advice`: `selectors.findings.Told` as stored.
    """

    workspace = models.ForeignKey("access.Workspace", models.PROTECT, related_name="+")
    endpoint = models.ForeignKey("inventory.Endpoint", models.PROTECT, related_name="+")
    deployment = models.ForeignKey("inventory.Deployment", models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=20)
    state = models.CharField(max_length=20)
    version = models.PositiveIntegerField(default=1)
    rules = models.PositiveSmallIntegerField()  # proposals.VERSION
    rule_set = models.PositiveIntegerField(default=0)  # RuleSet.number; 0: the usual ones
    currency = models.TextField(default="")
    low_nanos = models.BigIntegerField(null=True)
    high_nanos = models.BigIntegerField(null=True)
    cause = models.TextField(default="")
    cause_ref = models.TextField(default="")
    facts = models.TextField()
    advice: models.JSONField[dict[str, Any]] = models.JSONField()
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    claimed_by = models.ForeignKey("access.User", models.PROTECT, null=True, related_name="+")
    due = models.DateField(null=True)
    until = models.DateField(null=True)
    change = models.ForeignKey("changes.Change", models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "capacity_finding"
        constraints = (
            models.UniqueConstraint(
                fields=("deployment",),
                condition=models.Q(ended_at__isnull=True, deployment__isnull=False),
                name="capacity_finding_one_of_a_deployment",
            ),
            models.UniqueConstraint(
                fields=("endpoint",),
                condition=models.Q(ended_at__isnull=True, deployment__isnull=True),
                name="capacity_finding_one_of_an_endpoint",
            ),
        )
        indexes = (
            models.Index(fields=("workspace", "state", "-high_nanos"), name="capacity_findings_of"),
            models.Index(fields=("change",), name="capacity_finding_change"),
        )

    def __str__(self) -> str:
        return f"SV-{self.pk}"


class FindingEvent(models.Model):
    """One move in a finding's life. Append-only. `actor` is opaque; `data` are facts, never a person's words."""

    finding = models.ForeignKey(Finding, models.PROTECT, related_name="events")
    version = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    before = models.CharField(max_length=20, blank=True)
    after = models.CharField(max_length=20)
    actor = models.TextField()
    data: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        db_table = "capacity_finding_event"
        constraints = (
            models.UniqueConstraint(fields=("finding", "version"), name="capacity_finding_event_version"),
        )


class FindingNote(models.Model):
    """A person's reason or comment, apart from the event, so that it can be erased."""

    event = models.ForeignKey(FindingEvent, models.PROTECT, related_name="notes")
    author = models.ForeignKey("access.User", models.PROTECT, related_name="+")
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "capacity_finding_note"


class LeftAlone(models.Model):
    """A deployment that costs money for nothing, or more than it needs, and is not proposed: with the reasons.

    Replaced by each look. `kind` and money: what would have been proposed.
    """

    deployment_id = models.BigIntegerField(primary_key=True)
    endpoint_id = models.BigIntegerField()
    workspace_id = models.BigIntegerField(db_index=True)
    reasons = ArrayField(models.TextField())
    kind = models.TextField()
    currency = models.TextField(default="")
    high_nanos = models.BigIntegerField(null=True)
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "capacity_left_alone"


class Looked(models.Model):
    """When a workspace's findings were looked for last, over how many deployments, and how long it took."""

    workspace_id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    deployments = models.IntegerField()
    seconds = models.FloatField()
    failed = models.TextField(default="")

    class Meta:
        db_table = "capacity_looked"


class RuleSet(models.Model):
    """A workspace's own rules from `made_at` on; the newest counts. Append-only.

    `document`: `ruleset.Rules` as stored.
    """

    workspace = models.ForeignKey("access.Workspace", models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    document: models.JSONField[dict[str, Any]] = models.JSONField()
    reason = models.TextField()
    made_by = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        db_table = "capacity_rule_set"
        constraints = (
            models.UniqueConstraint(fields=("workspace", "number"), name="capacity_rule_set_number"),
        )


class Agreement(models.Model):
    """A contract's share off the list price of sizes, for a workspace. Never edited: ended, and another one made.

    `sku` and `region` lower case, "": all. `share`: 0.15 is 15 percent off. In force from `since` until `until`.
    """

    workspace = models.ForeignKey("access.Workspace", models.PROTECT, related_name="+")
    sku = models.TextField(default="")
    region = models.TextField(default="")
    share = models.DecimalField(max_digits=7, decimal_places=6)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    reason = models.TextField()
    made_by = models.TextField()
    made_at = models.DateTimeField()
    ended_by = models.TextField(default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "capacity_agreement"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(share__gt=0) & models.Q(share__lte=1), name="capacity_agreement_share"
            ),
        )


class SpendPlan(models.Model):
    """What may be spent a month in a workspace, or by one team of it (`team` ""), in one currency. The newest counts.

    Append-only; `amount` null ends the plan.
    """

    workspace = models.ForeignKey("access.Workspace", models.PROTECT, related_name="+")
    team = models.TextField(default="")
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    currency = models.TextField()
    reason = models.TextField()
    made_by = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        db_table = "capacity_spend_plan"


class PredictionValue(models.Model):
    """What one prediction of an endpoint is worth to the business, as its owner says. The newest counts.

    Append-only; `amount` null: not said any more.
    """

    endpoint = models.ForeignKey("inventory.Endpoint", models.PROTECT, related_name="+")
    amount = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    currency = models.TextField()
    reason = models.TextField()
    made_by = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        db_table = "capacity_prediction_value"


class Saving(models.Model):
    """What an act on a finding really saved: paid seconds after it against the same calendar hours before.

    `acted_at`: when the change was done in Azure. `baseline` [since, until): the days compared with. `state`: see
    `savings.State`. Sums are of the hours compared so far; null: not known. `monthly_nanos`: the same for a month.
    """

    finding = models.OneToOneField(Finding, models.PROTECT, primary_key=True, related_name="saving")
    state = models.CharField(max_length=20)
    acted_at = models.DateTimeField()
    currency = models.TextField(default="")
    claimed_nanos = models.BigIntegerField(null=True)  # a month's, as it was filed
    hours = models.IntegerField(default=0)  # compared
    unknown_hours = models.IntegerField(default=0)
    before_seconds = models.BigIntegerField(default=0)
    after_seconds = models.BigIntegerField(default=0)
    saved_nanos = models.BigIntegerField(null=True)
    monthly_nanos = models.BigIntegerField(null=True)
    words = models.TextField(default="")
    judged_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "capacity_saving"


class Alert(models.Model):
    """Something about money that a person should look at, from `since` until `ended_at`. One of a `key` at a time."""

    workspace = models.ForeignKey("access.Workspace", models.PROTECT, related_name="+")
    kind = models.TextField()  # alerts.Kind
    key = models.TextField()  # "budget:<team>:2026-11", "duplicate:<deployment>", "rebound:<finding>"
    words = models.TextField()
    data: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "capacity_alert"
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "key"),
                condition=models.Q(ended_at__isnull=True),
                name="capacity_alert_once",
            ),
        )
