"""Hints that make things faster, never truer: due rows in PostgreSQL are the truth.

A lost hint costs a poll's delay, so nothing here retries and nothing here may fail the caller.
"""

from __future__ import annotations

import structlog
from celery import current_app
from django.db import connection, transaction

log = structlog.get_logger(__name__)


def after_commit(task_name: str, *ids: int) -> None:
    """Ask a worker to look at `ids` once this transaction has committed; silently later when it can't be asked."""
    transaction.on_commit(lambda: _send(task_name, ids))


def _send(task_name: str, ids: tuple[int, ...]) -> None:
    try:
        current_app.send_task(task_name, args=list(ids), retry=False, ignore_result=True)
    except Exception as error:  # noqa: BLE001 - whatever the broker's client raises, the poll will find the row
        log.warning("hint_not_sent", task=task_name, cause=type(error).__name__)


def notify(channel: str, payload: str) -> None:
    """NOTIFY listeners when this transaction commits. `channel` is ours, never input."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, payload])
