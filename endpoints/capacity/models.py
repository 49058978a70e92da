"""The ledger of paid capacity (a row for each deployment and day, why it was idle, sums by owner), and autoscale.

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
