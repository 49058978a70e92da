"""Writers, rollups and packing at the same time: nobody dies of a deadlock, and no change is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

from django.db import connection, transaction

from endpoints.metrics.services import find_missed_hours, pack_hours, roll_up, write_hours, write_minutes
from endpoints.metrics.services.partitions import make
from tests.metrics.storing import hour_ago, marks, row, rows_of
from tests.metrics.test_packing import month_ago, read
from tests.support.databases import Database

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def at_once(*works: Callable[[], object]) -> list[BaseException]:
    """What went wrong while all of these ran at the same time, each on a connection of its own."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        try:
            start.wait(10)
            work()
        except BaseException as error:  # noqa: BLE001 - returned
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return errors


def test_writers__of_the_same_minutes_in_opposite_orders__wait_for_each_other(committed_db: Database) -> None:
    begin = hour_ago(3)
    ids = list(range(1, 301))

    def writer(number: int) -> Callable[[], None]:
        def write() -> None:
            for turn in range(4):
                order = ids if number % 2 else ids[::-1]
                write_minutes(
                    row(one, begin + n * MINUTE, requests=turn, p95=number) for n in range(9) for one in order
                )

        return write

    assert at_once(*(writer(number) for number in range(4))) == []
    found = rows_of("metrics_minute")
    assert len(found) == 2700
    assert {one["requests"] for one in found} <= {0, 1, 2, 3}
    assert marks() == [(one, begin) for one in ids]


def test_partitions__asked_for_by_many__are_made_once(committed_db: Database) -> None:
    days = [hour_ago(24 * n).date() for n in range(4)]
    assert at_once(*(lambda: make("minute", days) for _ in range(6))) == []


def test_a_minute__written_while_its_hour_is_being_made__is_in_the_hour_in_the_end(
    committed_db: Database,
) -> None:
    begin = hour_ago(3)
    done = threading.Event()

    def write() -> None:
        for n in range(60):
            write_minutes(row(one, begin + n * MINUTE, requests=1) for one in range(1, 31))
        done.set()

    def roll() -> None:
        while not done.is_set():
            roll_up()

    assert at_once(write, roll, roll) == []
    roll_up()
    assert marks() == marks("metrics_dirty_day") == []
    assert [found["requests"] for found in rows_of("metrics_hour")] == [60] * 30
    assert [found["requests"] for found in rows_of("metrics_day")] == [60] * 30
    assert find_missed_hours() == 0


def test_a_mark__that_a_writer_met__is_not_taken_before_the_writer_has_ended(committed_db: Database) -> None:
    begin = hour_ago(3)
    write_minutes([row(7, begin, requests=1)])
    with transaction.atomic():
        write_minutes([row(7, begin + MINUTE, requests=1)])
        looked: list[int] = []
        assert at_once(lambda: looked.append(roll_up())) == []
        assert looked == [0]
    assert roll_up() == 1
    assert rows_of("metrics_hour")[0]["minutes"] == 2


def test_packing__while_old_hours_are_written__loses_and_doubles_none(committed_db: Database) -> None:
    begin = month_ago(4)
    ids = range(1, 9)
    hours = [(one, begin + at * HOUR) for one in ids for at in range(24)]
    write_hours(row(one, hour + n * MINUTE, requests=1) for one, hour in hours for n in range(2))

    def pack() -> None:
        for _ in range(12):
            pack_hours()

    def write() -> None:
        for turn in range(12):
            write_hours(row(one, hour + n * MINUTE, requests=turn) for one, hour in hours for n in range(2))
            roll_up()

    assert at_once(pack, write, write) == []
    roll_up()
    found = read(*ids)
    assert [(one["deployment_id"], one["hour"], one["minutes"]) for one in found] == [
        (*hour, 2) for hour in hours
    ]
    assert {one["requests"] for one in found} == {22}
    assert [one["requests"] for one in rows_of("metrics_day")] == [22 * 24] * 8
