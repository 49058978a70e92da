"""Measured values by minute, hour and day; collectors and their runs; latency budgets; business figures.

The three series are partitioned by time and written in bulk (`services/minutes.py`, `services/rollups.py`); the
models describe them for reading. They hold a deployment's id without a foreign key: a key check per row and
minute buys nothing, and deployments are never deleted from the mirror.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Series(models.Model):
    """Row of a partitioned table: one deployment and one stretch of time."""

    deployment_id = models.BigIntegerField()

    class Meta:
        abstract = True


class Measured(Series):
    """One minute's values. NULL: Azure has not said, and nobody knows."""

    minute = models.DateTimeField()
    requests = models.FloatField(null=True)
    status_2xx = models.FloatField(null=True)
    status_4xx = models.FloatField(null=True)
    status_429 = models.FloatField(null=True)
    status_5xx = models.FloatField(null=True)
    model_errors = models.FloatField(null=True)
    p50 = models.FloatField(null=True)
    p90 = models.FloatField(null=True)
    p95 = models.FloatField(null=True)
    p99 = models.FloatField(null=True)
    cpu_avg = models.FloatField(null=True)
    cpu_max = models.FloatField(null=True)
    memory_avg = models.FloatField(null=True)
    memory_max = models.FloatField(null=True)
    gpu_avg = models.FloatField(null=True)
    gpu_max = models.FloatField(null=True)
    gpu_memory_max = models.FloatField(null=True)
    disk_max = models.FloatField(null=True)
    instances = models.FloatField(null=True)

    class Meta:
        abstract = True


class Minute(Measured):
    """A minute within the retention of minutes; daily partitions."""

    pk = models.CompositePrimaryKey("deployment_id", "minute")

    class Meta:
        db_table = "metrics_minute"


class KeptMinute(Measured):
    """A minute that outlives retention, because a change, a case or a person asked for its window."""

    pk = models.CompositePrimaryKey("deployment_id", "minute")

    class Meta:
        db_table = "metrics_kept_minute"


class Rolled(Series):
    """What an hour or a day of minutes comes to.

    `minutes`: how many have any value. Counts are sums over `request_minutes`, the minutes whose requests are
    known; `idle_minutes` of them had none. A count by status is NULL when it is unknown for a minute that had
    requests. `p50`, `p95`, `p99` of an hour are its median minute's; a day's are its median hour's, the hours
    weighted by their minutes, `p95` corrected to the bucket of the median minute. `p95_max` and `p99_max` are the
    worst minute's: percentiles are never averaged. `p95_histogram` counts the minutes by their p95
    (`histogram.py`). `instance_minutes` sums the replicas over `capacity_minutes`, `idle_instance_minutes`
    over those of them that had no request.
    """

    minutes = models.SmallIntegerField()
    request_minutes = models.SmallIntegerField()
    idle_minutes = models.SmallIntegerField()
    capacity_minutes = models.SmallIntegerField()
    requests = models.FloatField(null=True)
    status_4xx = models.FloatField(null=True)
    status_429 = models.FloatField(null=True)
    status_5xx = models.FloatField(null=True)
    model_errors = models.FloatField(null=True)
    p50 = models.FloatField(null=True)
    p95 = models.FloatField(null=True)
    p99 = models.FloatField(null=True)
    p95_max = models.FloatField(null=True)
    p99_max = models.FloatField(null=True)
    p95_histogram = models.BinaryField(null=True)
    cpu_avg = models.FloatField(null=True)
    cpu_max = models.FloatField(null=True)
    memory_avg = models.FloatField(null=True)
    memory_max = models.FloatField(null=True)
    gpu_avg = models.FloatField(null=True)
    gpu_max = models.FloatField(null=True)
    instance_minutes = models.FloatField(null=True)
    idle_instance_minutes = models.FloatField(null=True)

    class Meta:
        abstract = True


class Hour(Rolled):
    """One hour of one deployment; monthly partitions.

    Of the last weeks only, older hours are packed: read them by the SQL function `metrics_hours(ids, since, until)`.
    """

    pk = models.CompositePrimaryKey("deployment_id", "hour")
    hour = models.DateTimeField()

    class Meta:
        db_table = "metrics_hour"


class Day(Rolled):
    """One UTC day of one deployment; yearly partitions, kept for good."""

    pk = models.CompositePrimaryKey("deployment_id", "day")
    day = models.DateField()

    class Meta:
        db_table = "metrics_day"


class Latest(models.Model):
    """The newest minute of a deployment that has any value, and how the last hour went.

    `hour_minutes` of the last 60 have a value. `hour_failures` counts 5xx and model errors. `over_budget` counts
    the minutes of the hour over the budget in force, NULL where there is none or no latency is known.
    """

    deployment = models.OneToOneField(
        "inventory.Deployment", primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    endpoint_id = models.BigIntegerField()
    minute = models.DateTimeField()
    requests = models.FloatField(null=True)
    p50 = models.FloatField(null=True)
    p95 = models.FloatField(null=True)
    p99 = models.FloatField(null=True)
    cpu_max = models.FloatField(null=True)
    memory_max = models.FloatField(null=True)
    gpu_max = models.FloatField(null=True)
    instances = models.FloatField(null=True)
    hour_minutes = models.SmallIntegerField()
    hour_requests = models.FloatField(null=True)
    hour_failures = models.FloatField(null=True)
    hour_throttled = models.FloatField(null=True)
    hour_p95_max = models.FloatField(null=True)
    over_budget = models.SmallIntegerField(null=True)

    class Meta:
        db_table = "metrics_latest"
        indexes = (models.Index(fields=("endpoint_id",), name="metrics_latest_endpoint"),)


class Telemetry(models.Model):
    """How well one endpoint can be seen: its newest figures for lists, and what of it Azure delivers.

    `state` is one of `telemetry.State`; `reason` says it in words. `requests`, `p95`, `failure_share` (0 to 1) and
    `over_budget` (minutes of the last hour) sum up or take the worst of the living deployments in Latest.
    `spark` holds the requests of the last 24 whole hours, oldest first, NULL where unknown.
    """

    endpoint = models.OneToOneField(
        "inventory.Endpoint", primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.TextField(default="none-yet")
    reason = models.TextField(default="")
    minute = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    lag_seconds = models.FloatField(null=True)
    requests = models.FloatField(null=True)
    p95 = models.FloatField(null=True)
    failure_share = models.FloatField(null=True)
    over_budget = models.SmallIntegerField(null=True)
    spark = models.JSONField(default=list)
    spark_until = models.DateTimeField(null=True)
    # Diagnostic settings, which are read apart and rarely.
    diagnostics_read_at = models.DateTimeField(null=True)
    diagnostics_reason = models.TextField(default="")
    log_categories = models.JSONField(null=True)
    # Which log goes to which Log Analytics workspaces, {category: [ARM id]}, and when that was read last.
    log_exports: models.JSONField[dict[str, list[str]] | None] = models.JSONField(null=True)
    log_exports_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "metrics_telemetry"


class Collector(models.Model):
    """Who reads one subscription's metrics in one region, when next, and how it went.

    `complete_until`: every minute before it was read at least once. `batch_refused_at`: getBatch is not to be had
    here; single lists are read instead until it is tried again.
    """

    id = models.BigAutoField(primary_key=True)
    subscription = models.TextField()
    region = models.TextField()
    due_at = models.DateTimeField()
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    cadence_seconds = models.FloatField(null=True)
    cadence_reason = models.TextField(default="")
    failures = models.IntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    complete_until = models.DateTimeField(null=True)
    batch_refused_at = models.DateTimeField(null=True)
    batch_refused_reason = models.TextField(default="")
    last_run = models.ForeignKey(
        "metrics.CollectorRun", null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        db_table = "metrics_collector"
        constraints = (
            models.UniqueConstraint(fields=("subscription", "region"), name="metrics_collector_once"),
        )
        indexes = (models.Index(fields=("due_at",), name="metrics_collector_due"),)


class CollectorRun(models.Model):
    """One reading of a collector, written when it ended. `rows_changed` of `rows` brought something new.

    `lag_seconds`: how far behind now the newest minute with a value was. `unreadable` lists what could not be
    understood, `truncated` the resources of which Azure may have left series out.
    """

    id = models.BigAutoField(primary_key=True)
    collector = models.ForeignKey(Collector, on_delete=models.CASCADE, related_name="+")
    outcome = models.TextField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    calls = models.IntegerField(default=0)
    points = models.IntegerField(default=0)
    rows = models.IntegerField(default=0)
    rows_changed = models.IntegerField(default=0)
    lag_seconds = models.FloatField(null=True)
    unreadable = models.JSONField(default=list)
    truncated = models.JSONField(default=list)
    error_code = models.TextField(default="")
    error = models.TextField(default="")
    azure_request_id = models.TextField(default="")

    class Meta:
        db_table = "metrics_collector_run"
        indexes = (models.Index(fields=("collector", "-ended_at"), name="metrics_run_newest"),)


class Backfill(models.Model):
    """An order to read a collector's past, newest first: done from `until` down to `cursor`, on its way to `since`."""

    id = models.BigAutoField(primary_key=True)
    collector = models.ForeignKey(Collector, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()
    cursor = models.DateTimeField()
    asked_by = models.TextField()
    asked_at = models.DateTimeField()
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    failures = models.IntegerField(default=0)
    points = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    error = models.TextField(default="")
    ended_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "metrics_backfill"
        indexes = (
            models.Index(fields=("due_at",), condition=Q(ended_at__isnull=True), name="metrics_backfill_due"),
        )


class DirtyHour(models.Model):
    """An hour of a deployment whose minutes changed after its rollup was made, or that has none yet."""

    pk = models.CompositePrimaryKey("deployment_id", "hour")
    deployment_id = models.BigIntegerField()
    hour = models.DateTimeField()

    class Meta:
        db_table = "metrics_dirty_hour"


class DirtyDay(models.Model):
    """A UTC day of a deployment of which an hour was made after its rollup, or that has none yet."""

    pk = models.CompositePrimaryKey("deployment_id", "day")
    deployment_id = models.BigIntegerField()
    day = models.DateField()

    class Meta:
        db_table = "metrics_dirty_day"


class Keep(models.Model):
    """A window whose minutes outlive retention. `cause` is "change:42", "case:7" or "user:3"."""

    id = models.BigAutoField(primary_key=True)
    endpoint = models.ForeignKey("inventory.Endpoint", on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()
    cause = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "metrics_keep"
        constraints = (
            models.CheckConstraint(condition=Q(since__lt=models.F("until")), name="metrics_keep_forward"),
            models.UniqueConstraint(fields=("endpoint", "since", "until", "cause"), name="metrics_keep_once"),
        )
        indexes = (models.Index(fields=("until",), name="metrics_keep_until"),)


class BudgetProposal(models.Model):
    """A latency budget that somebody asks for. NULL limits: none is wanted for this figure."""

    id = models.BigAutoField(primary_key=True)
    endpoint = models.ForeignKey("inventory.Endpoint", on_delete=models.PROTECT, related_name="+")
    p95_ms = models.FloatField(null=True)
    failure_share = models.FloatField(null=True)
    reason = models.TextField(default="")
    proposed_by = models.TextField()
    proposed_at = models.DateTimeField()

    class Meta:
        db_table = "metrics_budget_proposal"
        indexes = (models.Index(fields=("endpoint", "-proposed_at"), name="metrics_proposal_newest"),)


class BudgetDecision(models.Model):
    """What became of a proposal: once, by whom."""

    proposal = models.OneToOneField(
        BudgetProposal, primary_key=True, on_delete=models.PROTECT, related_name="decision"
    )
    accepted = models.BooleanField()
    decided_by = models.TextField()
    decided_at = models.DateTimeField()

    class Meta:
        db_table = "metrics_budget_decision"


class Budget(models.Model):
    """The limits that an endpoint is held against from `since` on, until a newer row. Rows are only added.

    `failure_share` is 0 to 1, of requests that the deployments failed. `set_by` asked for it, `confirmed_by` is
    the second person where one was needed.
    """

    id = models.BigAutoField(primary_key=True)
    endpoint = models.ForeignKey("inventory.Endpoint", on_delete=models.PROTECT, related_name="+")
    proposal = models.OneToOneField(BudgetProposal, on_delete=models.PROTECT, related_name="+")
    p95_ms = models.FloatField(null=True)
    failure_share = models.FloatField(null=True)
    since = models.DateTimeField()
    set_by = models.TextField()
    confirmed_by = models.TextField(default="")

    class Meta:
        db_table = "metrics_budget"
        indexes = (models.Index(fields=("endpoint", "-since"), name="metrics_budget_as_of"),)


class Figure(models.Model):
    """A business figure of one endpoint, that somebody defined and sends: `kind` says how its values are read.

    What it means never changes: another meaning is another figure, once this one was ended.
    """

    id = models.BigAutoField(primary_key=True)
    endpoint = models.ForeignKey("inventory.Endpoint", on_delete=models.PROTECT, related_name="+")
    name = models.TextField()
    label = models.TextField()
    kind = models.TextField()
    unit = models.TextField(default="")
    made_by = models.TextField()
    made_at = models.DateTimeField()
    ended_by = models.TextField(default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "metrics_figure"
        constraints = (
            models.UniqueConstraint(
                fields=("endpoint", "name"), condition=Q(ended_at__isnull=True), name="metrics_figure_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=("rate", "mean")), name="metrics_figure_kind"),
        )
        indexes = (models.Index(fields=("endpoint", "-id"), name="metrics_figure_newest"),)


class FigureValue(models.Model):
    """`total` over `count` observations of a deployment (lower-case name) in one minute."""

    figure_id = models.BigIntegerField()
    deployment = models.TextField()
    minute = models.DateTimeField()
    count = models.BigIntegerField()
    total = models.FloatField()

    class Meta:
        abstract = True


class FigureMinute(FigureValue):
    """A value within the retention of minutes; daily partitions, because whole days are dropped at once."""

    pk = models.CompositePrimaryKey("figure_id", "deployment", "minute")

    class Meta:
        db_table = "metrics_figure_minute"


class KeptFigureMinute(FigureValue):
    """A value that outlives retention with the minutes of its window."""

    pk = models.CompositePrimaryKey("figure_id", "deployment", "minute")

    class Meta:
        db_table = "metrics_kept_figure_minute"
