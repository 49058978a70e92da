"""The ledger of paid capacity: a row for each deployment and day, why it was idle, and sums by owner.

Seconds are instance-seconds. Money is in whole billionths of its currency (`worth.NANO`), so that sums are exact and
fast; "" as currency: no price was known.
"""

from __future__ import annotations

from typing import Any

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
    """Which days of a workspace are in the ledger, and when they were made."""

    pk = models.CompositePrimaryKey("workspace_id", "day")
    workspace_id = models.BigIntegerField()
    day = models.DateField()
    deployments = models.IntegerField()
    hours = models.BigIntegerField()  # rollups of metrics that went in: more of them make the day anew
    made_at = models.DateTimeField()

    class Meta:
        db_table = "capacity_made"
