"""How deployments were used: what the database adds up is what can be counted by hand, hour by hour."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
from django.db import connection

from endpoints.metrics.carried import Busy, carried
from endpoints.metrics.selectors.usage import KNOWN_MINUTES, loads, shares

SINCE = datetime(2026, 11, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Row:
    at: datetime
    known: int
    requests: float | None
    instances: float | None
    p95: float | None
    cpu: float | None
    gpu: float | None
    refused: float | None


def stored(number: int, rows: list[Row]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT metrics_make_partition('hour', %s)", [SINCE.date()])
        for row in rows:
            cursor.execute(
                "INSERT INTO metrics_hour (deployment_id, hour, minutes, request_minutes, idle_minutes,"
                " capacity_minutes, requests, instance_minutes, p95, cpu_max, memory_max, gpu_max, status_429)"
                " VALUES (%s, %s, 60, %s, 0, 60, %s, %s, %s, %s, 20, %s, %s)",
                [number, row.at, row.known, row.requests, row.instances and 60 * row.instances, row.p95, row.cpu,
                 row.gpu, row.refused],
            )  # fmt: skip


def made(chance: random.Random) -> list[Row]:
    return [
        Row(
            SINCE + n * HOUR,
            known := chance.choice([0, 10, 45, 60, 60, 60]),
            None if known == 0 else chance.choice([0.0, 0.0, 60.0, 240.0, 4000.0]) * chance.choice([1, 2]),
            chance.choice([None, 1.0, 2.0, 3.0]),
            chance.choice([None, 50.0, 400.0]),
            chance.choice([None, 2.0, 12.0, 60.0]),
            chance.choice([None, None, 30.0]),
            chance.choice([None, 0.0, 2.0, 200.0]),
        )
        for n in range(chance.choice([1, 4, 72]))
    ]


def ranked(values: list[float], share: float) -> float | None:
    return sorted(values)[max(0, ceil(share * len(values)) - 1)] if values else None


@pytest.mark.django_db
def test_usage__whatever_the_hours_are__is_what_can_be_counted_by_hand() -> None:
    chance = random.Random(20261126)
    fleet = {number: made(chance) for number in range(1, 40)}
    for number, rows in fleet.items():
        stored(number, rows)
    until = SINCE + 72 * HOUR
    off = {SINCE + n * HOUR for n in range(72) if n % 24 < 7}
    told = shares(sorted(fleet), SINCE, until, off=off)
    ranks = loads(sorted(fleet), SINCE, until, percentile=0.9)
    for number, rows in fleet.items():
        known = [row for row in rows if row.known >= KNOWN_MINUTES]
        found = told[number]
        assert found.minutes == sum(row.known for row in rows)
        asked = [row.requests for row in rows if row.requests is not None]
        assert found.requests == (pytest.approx(sum(asked)) if asked else None)
        assert (found.hours, found.served) == (len(known), sum(bool(row.requests) for row in known))
        assert (found.off, found.off_idle) == (
            sum(row.at in off for row in known), sum(row.at in off and row.requests == 0 for row in known)
        )  # fmt: skip
        busy = [row for row in rows if row.requests]
        if not busy:
            assert number not in ranks
            continue
        rates = [(row.requests or 0) / row.known for row in busy]
        expected = carried(
            [
                Busy(
                    rate,
                    row.instances,
                    row.cpu,
                    row.gpu,
                    None if row.refused is None else row.refused / row.known,
                )
                for rate, row in zip(rates, busy, strict=True)
            ]
        )
        rank = ranks[number]
        assert rank.busy == pytest.approx(ranked(rates, 0.9))
        at_once = [
            rate * row.p95 / 60_000 for rate, row in zip(rates, busy, strict=True) if row.p95 is not None
        ]
        assert rank.at_once == (pytest.approx(ranked(at_once, 0.9)) if at_once else None)
        assert rank.carried == (None if expected is None else pytest.approx(expected))


@pytest.mark.django_db
def test_usage__of_what_has_no_hours__is_left_out() -> None:
    assert shares([1], SINCE, SINCE + HOUR, off=()) == {}
    assert loads([1], SINCE, SINCE + HOUR, percentile=0.99) == {}


def busy(
    rate: float, cpu: float | None, *, refused: float | None = 0.0, instances: float | None = 2.0
) -> Busy:
    return Busy(rate, instances, cpu, None, refused)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ([busy(600, 40.0)] * 3, 600.0),  # 300 each at 40 %, so 600 at 80 %
        ([busy(600, 40.0)] * 2, None),
        ([busy(600, 2.0)] * 3, 2400.0),  # so little use counts as 10 %
        ([busy(600, None)] * 9, None),
        ([busy(600, 40.0, instances=None)] * 9, None),
        (
            [busy(600, 40.0), busy(600, 40.0), busy(600, 40.0), *[busy(10, 75.0)] * 90],
            600.0,
        ),  # a quiet hour says nothing
        ([busy(600, 40.0, refused=60.0)] * 3, 270.0),  # what was served while others were refused
    ],
)
def test_carried__of_busy_hours__is_in_proportion_to_use_and_less_where_it_refused(
    hours: list[Busy], expected: float | None
) -> None:
    assert carried(hours) == expected
