"""A new month of the ledger begins beside those who read and write the old one."""

from __future__ import annotations

import psycopg

from tests.support.databases import Database

MAKE = "SELECT capacity_make_partitions('2031-05-17')"


def test_a_month__made_while_others_read_and_write__waits_for_nobody(committed_db: Database) -> None:
    with psycopg.connect(committed_db.url) as other, psycopg.connect(committed_db.url) as maker:
        # The other way round than they are made; both locks are held until this transaction ends.
        other.execute("DELETE FROM capacity_idle")
        other.execute("SELECT count(*) FROM capacity_day")
        maker.execute("SET lock_timeout = '2s'")
        maker.execute(MAKE)
        maker.commit()
        names = maker.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent IN ('capacity_day'::regclass, 'capacity_idle'::regclass)"
        ).fetchall()
        assert {("capacity_day_203105",), ("capacity_idle_203105",)} <= set(names)
        other.rollback()


def test_a_month__made_twice__is_there_once_with_the_indexes_of_its_series(committed_db: Database) -> None:
    with psycopg.connect(committed_db.url, autocommit=True) as maker:
        for _ in range(2):
            maker.execute(MAKE)
        count = "SELECT count(*) FROM pg_indexes WHERE tablename = %s"
        for name in ("capacity_day_203105", "capacity_idle_203105"):
            assert maker.execute(count, [name]).fetchone() == (2,)
