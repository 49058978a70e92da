"""Files of capacity: a day of 30,000 deployments as CSV and as cost rows, beside the same rows through csv.writer."""

from __future__ import annotations

import csv
import io
import statistics
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from bench import capacity, stage
from bench.figures import Figure

DEPLOYMENTS, ROUNDS = 30_000, 3


def measure(deployments: int = DEPLOYMENTS) -> list[Figure]:
    stage.prepare()
    with stage.database():
        day = date(2026, 10, 1)
        _seed(int(deployments), day)
        return _measured(int(deployments), day)


def _seed(deployments: int, day: date) -> None:
    from django.db import connection

    from endpoints.dispatch import db_now
    from endpoints.prices.models import SkuPrice
    from tests.capacity.crowd import endpoints

    endpoints(deployments // 3, workspaces=capacity.WORKSPACES, owners=capacity.OWNERS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT capacity_make_partitions(%s)", [day])
        given = {"day": day, "deployments": deployments, "workspaces": capacity.WORKSPACES}
        cursor.execute(capacity._DAY_ROWS, given)
        cursor.execute(capacity._IDLE_ROWS, {"day": day})
        _deployments(deployments)
        cursor.execute("SELECT DISTINCT subscription_id, region FROM access_workspace")
        for subscription, region in cursor.fetchall():
            SkuPrice.objects.create(
                subscription=subscription.lower(), region=region, sku="standard_ds3_v2", amount=Decimal("0.293"),
                currency="USD", source="vm_sizes", seen_at=db_now() - timedelta(days=90),
            )  # fmt: skip
        cursor.execute("ANALYZE capacity_day, capacity_idle, inventory_deployment, inventory_endpoint")


def _deployments(count: int) -> None:
    from endpoints.dispatch import db_now
    from endpoints.inventory.models import Deployment

    read = dict.fromkeys(("first_seen_at", "last_read_began", "last_read_ended"), db_now())
    names = ("arm_id", "arm_key", "name", "name_key")
    rows = (
        Deployment(pk=n, endpoint_id=(n - 1) // 3 + 1, **dict.fromkeys(names, f"d{n}"), **read)
        for n in range(1, count + 1)
    )
    Deployment.objects.bulk_create(rows, batch_size=2000)


def _measured(deployments: int, day: date) -> list[Figure]:
    from endpoints.capacity import focus
    from endpoints.capacity.selectors import exports
    from endpoints.capacity.selectors.daily import Wanted
    from endpoints.core.sheets import csv_pieces

    wanted = Wanted(list(range(1, capacity.WORKSPACES + 1)), day, day + timedelta(days=1))
    figures = []
    for name, columns, rows in (
        ("days", exports.DAYS, exports.days_for_file),
        ("cost rows", focus.HEADER, exports.focus_for_file),
    ):
        text = "".join(csv_pieces(columns, rows(wanted)))
        plain = list(csv.reader(io.StringIO(text)))
        if len(plain) != deployments + 1:
            raise RuntimeError(f"{len(plain)} rows of {deployments}")
        took = _seconds(lambda columns=columns, rows=rows: sum(map(len, csv_pieces(columns, rows(wanted)))))
        bare = _seconds(lambda plain=plain: csv.writer(io.StringIO()).writerows(plain))
        figures.append(
            Figure(
                name=f"{deployments:,} {name} as CSV, read and written",
                value=deployments / took,
                yardstick=deployments / bare,
                bar=5000,
                unit="rows/s",
                more_is_better=True,
            )
        )
    return figures


def _seconds(act: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)
