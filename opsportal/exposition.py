"""`/metrics`: the portal's own health for Prometheus. Nothing about anybody's endpoints but how many are seen how.

Answered only to who sends the token of OPSPORTAL_METRICS_TOKEN; without such a setting there is no such address. A
figure that is not known is left out, because a scraper would take a zero for the truth.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from psycopg_pool import PoolTimeout

from opsportal.celery import QUEUES

# A scrape must not hang on a broker that is away.
_BROKER_SECONDS = 1.0
_DATABASE_GONE = (DatabaseError, InterfaceError, PoolTimeout)

# What a figure is called, what it says, its labels, and the query for labels and value.
_FIGURES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    (
        "opsportal_sync_age_seconds",
        "Since the last complete reading of a workspace ended.",
        ("workspace",),
        """SELECT w.slug, extract(epoch FROM statement_timestamp() - r.reads_ended)::float8
        FROM access_workspace w JOIN inventory_sync_target t ON t.workspace_id = w.id
        JOIN inventory_sync_run r ON r.id = t.covered_by_id
        WHERE w.disconnected_at IS NULL AND r.reads_ended IS NOT NULL""",
    ),
    (
        "opsportal_workspaces_never_read",
        "Connected workspaces of which no reading ever succeeded.",
        (),
        """SELECT count(*)::float8 FROM access_workspace w
        LEFT JOIN inventory_sync_target t ON t.workspace_id = w.id
        WHERE w.disconnected_at IS NULL AND t.covered_by_id IS NULL""",
    ),
    (
        "opsportal_executor_heartbeat_age_seconds",
        "Since any executor said that it lives.",
        (),
        """SELECT extract(epoch FROM statement_timestamp() - max(beat_at))::float8 FROM changes_executor
        HAVING max(beat_at) IS NOT NULL""",
    ),
    (
        "opsportal_executor_lag_seconds",
        "How long the change has been due that waits longest for an executor.",
        (),
        """SELECT coalesce(greatest(0, max(extract(epoch FROM statement_timestamp() - next_check_at))), 0)::float8
        FROM changes_change WHERE started_at IS NOT NULL AND ended_at IS NULL""",
    ),
    (
        "opsportal_active_changes",
        "Changes that are at work.",
        (),
        "SELECT count(*)::float8 FROM changes_change WHERE started_at IS NOT NULL AND ended_at IS NULL",
    ),
    (
        "opsportal_due_rows",
        "Rows that are due and that nobody has taken.",
        ("kind",),
        """SELECT 'sync', count(*)::float8 FROM inventory_sync_target t
        JOIN access_workspace w ON w.id = t.workspace_id AND w.disconnected_at IS NULL
        WHERE t.due_at <= statement_timestamp() AND coalesce(t.claimed_until, '-infinity') < statement_timestamp()
        UNION ALL SELECT 'collector', count(*)::float8 FROM metrics_collector
        WHERE due_at <= statement_timestamp() AND coalesce(claimed_until, '-infinity') < statement_timestamp()
        UNION ALL SELECT 'backfill', count(*)::float8 FROM metrics_backfill WHERE ended_at IS NULL
        AND due_at <= statement_timestamp() AND coalesce(claimed_until, '-infinity') < statement_timestamp()
        UNION ALL SELECT 'hour', count(*)::float8 FROM metrics_dirty_hour
        WHERE hour < statement_timestamp() - interval '1 hour 5 minutes'
        UNION ALL SELECT 'day', count(*)::float8 FROM metrics_dirty_day""",
    ),
    (
        "opsportal_collector_age_seconds",
        "Since the last reading of metrics ended.",
        ("subscription", "region"),
        """SELECT c.subscription, c.region, extract(epoch FROM statement_timestamp() - r.ended_at)::float8
        FROM metrics_collector c JOIN metrics_collector_run r ON r.id = c.last_run_id""",
    ),
    (
        "opsportal_collector_lag_seconds",
        "How far behind the newest value of the last reading was.",
        ("subscription", "region"),
        """SELECT c.subscription, c.region, r.lag_seconds FROM metrics_collector c
        JOIN metrics_collector_run r ON r.id = c.last_run_id WHERE r.lag_seconds IS NOT NULL""",
    ),
    (
        "opsportal_readers_waiting_for_azure",
        "Readers that Azure asked to wait.",
        ("reader",),
        """SELECT 'sync', count(*)::float8 FROM inventory_sync_target WHERE retry_at > statement_timestamp()
        UNION ALL
        SELECT 'metrics', count(*)::float8 FROM metrics_collector WHERE retry_at > statement_timestamp()""",
    ),
    (
        "opsportal_failed_readings",
        "Readings of the last hour that failed, by Azure's code or the error's kind.",
        ("reader", "code"),
        """SELECT 'sync', error_code, count(*)::float8 FROM inventory_sync_run
        WHERE outcome = 'failed' AND ended_at > statement_timestamp() - interval '1 hour' GROUP BY error_code
        UNION ALL SELECT 'metrics', error_code, count(*)::float8 FROM metrics_collector_run
        WHERE outcome = 'failed' AND ended_at > statement_timestamp() - interval '1 hour' GROUP BY error_code""",
    ),
    (
        "opsportal_endpoints",
        "Living endpoints of connected workspaces, by how well their metrics are seen.",
        ("telemetry",),
        """SELECT coalesce(t.state, 'none-yet'), count(*)::float8
        FROM inventory_endpoint e JOIN access_workspace w ON w.id = e.workspace_id AND w.disconnected_at IS NULL
        LEFT JOIN metrics_telemetry t ON t.endpoint_id = e.id WHERE e.deleted_at IS NULL GROUP BY 1""",
    ),
)
_POOL = {
    "pool_min": "opsportal_database_pool_min",
    "pool_max": "opsportal_database_pool_max",
    "pool_size": "opsportal_database_pool_size",
    "pool_available": "opsportal_database_pool_available",
    "requests_waiting": "opsportal_database_pool_waiting",
}


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures of this moment, in the text format."""
    if not _is_let_in(request):
        raise Http404
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _is_let_in(request: HttpRequest) -> bool:
    token = settings.OPSPORTAL.metrics_token.get_secret_value()
    scheme, _, sent = request.headers.get("Authorization", "").strip().partition(" ")
    is_same = hmac.compare_digest(sent.strip().encode("utf-8", "replace"), token.encode())
    return bool(token) and scheme.lower() == "bearer" and is_same


class _Figures:
    """Reads each figure when it is asked for."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from _of_database()
        yield from _of_pool()
        yield from _of_broker()


def _of_database() -> Iterator[GaugeMetricFamily]:
    found = _unless_gone(lambda: [_figure(*figure) for figure in _FIGURES])
    yield _plain("opsportal_database_up", "Whether the database answers.", found is not None)
    yield from found or ()


def _unless_gone(read: Callable[[], list[GaugeMetricFamily]]) -> list[GaugeMetricFamily] | None:
    try:
        return read()
    except _DATABASE_GONE:
        return None


def _figure(name: str, says: str, labels: tuple[str, ...], statement: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says, labels=labels)
    with connection.cursor() as cursor:
        cursor.execute(statement)
        for *values, number in cursor.fetchall():
            family.add_metric([str(value) for value in values], number)
    return family


def _of_pool() -> Iterable[GaugeMetricFamily]:
    """This process's connections; without a pool there is nothing to tell."""
    has_pool = connection.settings_dict["OPTIONS"].get("pool")
    pool: Any = getattr(connection, "pool", None) if has_pool else None
    stats = pool.get_stats() if pool is not None else {}
    for key, name in _POOL.items():
        if key in stats:
            yield _plain(name, f"{key} of this process's pool of database connections.", stats[key])


def _of_broker() -> Iterator[GaugeMetricFamily]:
    depths = _queue_depths()
    yield _plain("opsportal_broker_up", "Whether the broker answers.", depths is not None)
    if depths is not None:
        family = GaugeMetricFamily(
            "opsportal_queue_depth", "Messages that wait for a worker.", labels=("queue",)
        )
        for queue, depth in depths.items():
            family.add_metric([queue], depth)
        yield family


def _queue_depths() -> dict[str, int] | None:
    url = settings.OPSPORTAL.broker_url.get_secret_value()
    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=_BROKER_SECONDS, socket_timeout=_BROKER_SECONDS
        ) as broker:
            return {queue: int(broker.llen(queue)) for queue in QUEUES}
    except (redis.RedisError, OSError, ValueError):
        return None  # ValueError: an address of another kind than Redis knows


def _plain(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, value=float(value))
