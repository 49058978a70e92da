"""Paid capacity of 30,000 deployments: 30 days added up from their days and from the sums, and a look at all of them
for what could be saved.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta

from bench import capacity_fleet, stage
from bench.figures import Figure

DEPLOYMENTS, DAYS, WORKSPACES, OWNERS, ROUNDS = 30_000, 30, 6, 60, 7


def measure(deployments: int = DEPLOYMENTS) -> list[Figure]:
    stage.prepare()
    with stage.database():
        since = date(2026, 10, 1)
        _seed(int(deployments), since)
        return [*_measured(int(deployments), since), *capacity_fleet.measured(int(deployments))]


def _seed(deployments: int, since: date) -> None:
    """Rows as the roll-up writes them: a tenth idle, a third with nights, a price for all but every fiftieth."""
    from django.db import connection

    from endpoints.capacity.services import rows
    from tests.capacity.crowd import endpoints

    endpoints(deployments // 3, workspaces=WORKSPACES, owners=OWNERS)
    began = time.perf_counter()
    with connection.cursor() as cursor:
        for at in range(DAYS):
            day = since + timedelta(days=at)
            cursor.execute("SELECT capacity_make_partitions(%s)", [day])
            cursor.execute(_DAY_ROWS, {"day": day, "deployments": deployments, "workspaces": WORKSPACES})
            cursor.execute(_IDLE_ROWS, {"day": day})
            for workspace in range(1, WORKSPACES + 1):
                rows.sum_up(cursor, workspace, day)
        cursor.execute("ANALYZE capacity_day, capacity_idle, capacity_summary")
    sys.stdout.write(f"{deployments * DAYS:,} days were made in {time.perf_counter() - began:.0f} s\n")


_DAY_ROWS = """
INSERT INTO capacity_day
SELECT n, %(day)s, (n - 1) / 3 + 1, 1 + ((n - 1) / 3 + 1) %% %(workspaces)s, 'standard_ds3_v2',
    CASE WHEN n %% 50 = 0 THEN '' ELSE 'USD' END, 1,
    172800, 172800 - unserved, unserved, 0, 0, CASE WHEN n %% 50 = 0 THEN 172800 ELSE 0 END,
    paid, paid - idle, idle, 0, 0, 0
FROM generate_series(1, %(deployments)s) n,
LATERAL (SELECT CASE WHEN n %% 10 = 0 THEN 172800 WHEN n %% 3 = 0 THEN 72000 ELSE 0 END AS unserved) u,
LATERAL (SELECT CASE WHEN n %% 50 = 0 THEN 0 ELSE 14064000000 END AS paid, CASE WHEN n %% 50 = 0 THEN 0
    ELSE unserved::bigint * 81388 END AS idle) m
"""
_IDLE_ROWS = """
INSERT INTO capacity_idle
SELECT deployment_id, day, (ARRAY['forgotten-canary', 'night-or-weekend', 'duplicate', 'test'])[1 + deployment_id %% 4],
    '', endpoint_id, workspace_id, currency, unserved_seconds, unserved_nanos
FROM capacity_day WHERE day = %(day)s AND unserved_seconds > 0
"""


def _measured(deployments: int, since: date) -> list[Figure]:
    from endpoints.capacity.selectors import fleet_ledger, fleet_ledger_from_days

    workspaces, until = list(range(1, WORKSPACES + 1)), since + timedelta(days=DAYS)
    found = fleet_ledger(workspaces, since=since, until=until)
    if found != fleet_ledger_from_days(workspaces, since=since, until=until):
        raise RuntimeError("the sums are not the sum of the days")
    count = _milliseconds(lambda: _count())
    days = _milliseconds(lambda: fleet_ledger_from_days(workspaces, since=since, until=until))
    sums = _milliseconds(lambda: fleet_ledger(workspaces, since=since, until=until))
    return [
        Figure(
            name=f"ledger of {DAYS} days from {deployments:,} deployments' days",
            value=days,
            bar=800,
            unit="ms",
            yardstick=count,
        ),
        Figure(name="the same from the sums", value=sums, bar=50, unit="ms", yardstick=count),
    ]


def _count() -> None:
    """What the database takes to read all these rows once."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(paid_seconds) FROM capacity_day")
        cursor.fetchone()


def _milliseconds(act: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)
