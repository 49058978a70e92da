"""A look for findings in a whole fleet: deployments with a month of hours, days, prices and sizes behind them.

Of ten deployments one is forgotten, three sleep at night, two have twice what they need; the others are as they
should be.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bench.figures import Figure

DAYS = 30
SIZES = (("standard_ds3_v2", 4, 14.0, "0.293"), ("standard_ds2_v2", 2, 7.0, "0.146"))


def measured(deployments: int) -> list[Figure]:
    """The first look finds everything, the second one follows it; both are of the whole fleet."""
    from endpoints.capacity.models import Finding, Looked
    from endpoints.capacity.services import look_for_findings
    from endpoints.dispatch import db_now

    began = time.perf_counter()
    seed(deployments, db_now())
    sys.stdout.write(
        f"a month of {deployments:,} deployments' hours took {time.perf_counter() - began:.0f} s\n"
    )
    yardstick = _seconds(_read_all)
    first = _seconds(look_for_findings)
    found = Finding.objects.filter(ended_at=None).count()
    again = _seconds(look_for_findings)
    failed = [row.failed for row in Looked.objects.exclude(failed="")]
    if failed or not found or Finding.objects.count() != found:
        raise RuntimeError(f"{found} findings, then {Finding.objects.count()}; {failed}")
    name = f"findings of {deployments:,} deployments, {found:,} of them new"
    return [
        Figure(name=name, value=first, bar=60, unit="s", yardstick=yardstick),
        Figure(name="the next look at the same", value=again, bar=60, unit="s", yardstick=yardstick),
    ]


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _read_all() -> None:
    """What the database takes to read all these hours once."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(requests::float8), max(cpu_max) FROM metrics_hour")
        cursor.fetchone()


def seed(deployments: int, now: datetime) -> None:
    """On the endpoints that are there, three each."""
    from django.db import connection

    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight - timedelta(days=DAYS)
    _sizes(since)
    values = {"deployments": deployments, "since": since - timedelta(days=60)}
    with connection.cursor() as cursor:
        cursor.execute(_DEPLOYMENTS, values)
        cursor.execute(_REVISIONS, values)
        cursor.execute("UPDATE inventory_deployment SET latest_revision_id = id")
        cursor.execute(_TRAFFIC)
        for at in range(DAYS):
            day = since + timedelta(days=at)
            for series in ("hour", "day"):
                cursor.execute("SELECT metrics_make_partition(%s, %s)", [series, day.date()])
            cursor.execute(_HOURS, {"deployments": deployments, "day": day})
            cursor.execute(_DAYS, {"day": day.date(), "next": day + timedelta(days=1), "begin": day})
        cursor.execute("ANALYZE metrics_hour, metrics_day, inventory_deployment, inventory_endpoint")


def _sizes(seen: datetime) -> None:
    from endpoints.access.models import Workspace
    from endpoints.prices.catalogue import SOURCE
    from endpoints.prices.models import SkuPrice, SkuSize

    Workspace.objects.update(region="westeurope")
    for subscription in Workspace.objects.values_list("subscription_id", flat=True).distinct():
        place = {"subscription": subscription.lower(), "region": "westeurope", "seen_at": seen}
        for sku, cores, memory, price in SIZES:
            SkuPrice.objects.create(**place, sku=sku, amount=Decimal(price), currency="USD", source=SOURCE)
            SkuSize.objects.create(
                **place, name=sku, label=sku, family="dsv2", vcpus=cores, gpus=0, memory_gb=memory, for_endpoints=True
            )  # fmt: skip


_DEPLOYMENTS = """
INSERT INTO inventory_deployment (id, endpoint_id, name, name_key, arm_id, arm_key, azure_created_at, first_seen_at,
    state_hash, provisioning_state, last_read_began, last_read_ended, unreadable_reason, model, environment, code_id,
    instance_type, instance_count)
SELECT n, (n - 1) / 3 + 1, 'd' || n, 'd' || n, 'd' || n, 'd' || n, %(since)s, %(since)s, '', 'Succeeded', %(since)s,
    %(since)s, '', '', '', '', 'Standard_DS3_v2', CASE WHEN n %% 10 IN (5, 6) THEN 4 ELSE 2 END
FROM generate_series(1, %(deployments)s) n
"""
_REVISIONS = """
INSERT INTO inventory_deployment_revision (id, deployment_id, latest, known_at, state_hash, state, deleted, cause,
    modified_by, azure_request_id)
SELECT n, n, %(since)s, %(since)s, '', jsonb_build_object('instance_type', 'Standard_DS3_v2', 'request_settings',
    jsonb_build_object('maxConcurrentRequestsPerInstance', 4)), false, '', '', ''
FROM generate_series(1, %(deployments)s) n
"""
_TRAFFIC = """
UPDATE inventory_endpoint e SET traffic = t.traffic FROM (
    SELECT endpoint_id, jsonb_object_agg(name, CASE WHEN id %% 10 = 0 THEN 0 ELSE 50 END) AS traffic
    FROM inventory_deployment GROUP BY 1) t
WHERE t.endpoint_id = e.id
""".replace("%%", "%")
_HOURS = """
INSERT INTO metrics_hour (deployment_id, hour, minutes, request_minutes, idle_minutes, capacity_minutes, requests,
    status_429, p95, cpu_max, memory_max, instance_minutes, idle_instance_minutes)
SELECT n, hour, 60, 60, CASE WHEN rate = 0 THEN 60 ELSE 0 END, 60, 60 * rate, 0, CASE WHEN rate > 0 THEN 80 END,
    5 + rate / instances / 5, 30, 60 * instances, CASE WHEN rate = 0 THEN 60 * instances ELSE 0 END
FROM generate_series(1, %(deployments)s) n,
LATERAL (SELECT CASE WHEN n %% 10 IN (5, 6) THEN 4 ELSE 2 END AS instances) i,
generate_series(0, 23) h,
LATERAL (SELECT %(day)s + h * interval '1 hour' AS hour) at,
LATERAL (SELECT CASE WHEN n %% 10 = 0 THEN 0 WHEN n %% 10 IN (1, 2, 3) AND (h < 7 OR h >= 20) THEN 0
    ELSE (150 + 250 * random() * (n %% 7) / 7) END AS rate) r
"""
_DAYS = """
INSERT INTO metrics_day (deployment_id, day, minutes, request_minutes, idle_minutes, capacity_minutes, requests)
SELECT deployment_id, %(day)s, sum(minutes), sum(request_minutes), sum(idle_minutes), sum(capacity_minutes),
    sum(requests::float8)
FROM metrics_hour WHERE hour >= %(begin)s AND hour < %(next)s GROUP BY 1
"""
