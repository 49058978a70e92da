"""The Celery application, its queues and its timetable.

Task bodies live in the rooms and are found by name. The timetable is code: who changed it and why is in the
history, and no database row can switch the sync off unseen. No task has an eta, a countdown or a delayed
retry: due rows in PostgreSQL carry the time, and a task only looks at what is due.
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.signals import worker_init

SYNC, METRICS, REPORTS = "sync", "metrics", "reports"
QUEUES = (SYNC, METRICS, REPORTS)


def every(seconds: float, task: str, queue: str) -> dict[str, Any]:
    """One line of the timetable. A message that nobody took before the next one is due is dropped."""
    return {"task": task, "schedule": seconds, "options": {"queue": queue, "expires": max(seconds, 5)}}


# name -> when. The names of tasks are those that the rooms register.
TIMETABLE: dict[str, dict[str, Any]] = {
    "seal and anchor the ledger when it is due": every(10, "audit.checkpoint", REPORTS),
    "check the whole ledger": every(21_600, "audit.verify", REPORTS),
    "read what is due from Azure": every(2, "inventory.sync_due", SYNC),
    "look in the activity log who made drift": every(120, "inventory.attribute_drift", SYNC),
    "look what else the subscriptions hold": every(300, "inventory.discover", SYNC),
    "read what is due from Azure Monitor": every(5, "metrics.collect_due", METRICS),
    "read a slice of the past from Azure Monitor": every(2, "metrics.backfill_due", METRICS),
    "read which endpoints export their logs": every(60, "metrics.read_diagnostics", METRICS),
    "roll up the hours that are due": every(60, "metrics.roll_up", METRICS),
    "find hours that no rollup was made of": every(1800, "metrics.find_missed_hours", METRICS),
    "make the partitions of the days to come": every(3600, "metrics.make_partitions", METRICS),
    "pack hours that nothing changes any more": every(600, "metrics.pack_hours", METRICS),
    "read the prices and quota that are due": every(60, "prices.read_due", SYNC),
    "look whether rollbacks would work": every(60, "changes.refresh_readiness", SYNC),
    "ask deployments directly that are due": every(60, "changes.probe_due", SYNC),
    "look how rollback drills ended": every(60, "changes.observe_drills", SYNC),
    "deliver the messages that are due": every(10, "notices.deliver_due", REPORTS),
    "tell of checkpoints and of a broken ledger": every(60, "notices.tell_of_ledger", REPORTS),
    "read the traffic logs that are due": every(10, "challenges.collect_logs", METRICS),
    "count records of requests that came": every(15, "challenges.aggregate", METRICS),
    "tell of cases that press": every(60, "challenges.tell_due", REPORTS),
    "make the months of records to come": every(3600, "challenges.make_partitions", METRICS),
    "drop records of requests past their time": every(3600, "challenges.drop_old", METRICS),
    "make the days of paid capacity": every(900, "capacity.roll_up", METRICS),
    "begin the ledger of paid capacity where there is none": every(60, "capacity.begin", METRICS),
    "look what capacity could be saved": every(60, "capacity.find", METRICS),
    "see what became of filed findings": every(30, "capacity.follow", REPORTS),
    "measure what acts on findings saved": every(60, "capacity.judge", REPORTS),
    "see whether money needs a person": every(300, "capacity.watch", REPORTS),
    "hand over the weekly reports of capacity": every(3600, "capacity.report", REPORTS),
    "read the autoscale settings that are due": every(60, "capacity.read_autoscale", METRICS),
    "drop metrics that are older than they are kept": every(3600, "metrics.drop_old", METRICS),
}

# The default queue is for hints sent after a commit; rooms with heavy work name their own queue.
ROUTES = {
    "inventory.*": {"queue": SYNC},
    "metrics.*": {"queue": METRICS},
    "prices.*": {"queue": SYNC},
    "capacity.*": {"queue": METRICS},
    "changes.*": {"queue": SYNC},
    "*": {"queue": REPORTS},
}

app = Celery("opsportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = TIMETABLE
app.conf.task_routes = ROUTES
app.autodiscover_tasks()


@worker_init.connect
def look_at_the_ledger(**_: Any) -> None:
    """Before the first task: whether the worker's database role could alter the ledger."""
    from django.conf import settings

    from endpoints.audit.privileges import check_at_start

    check_at_start(strict=settings.OPSPORTAL.audit_strict)
