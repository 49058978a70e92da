"""Every address, for everybody, in two workspaces, against `matrix.yaml`. An address without a row fails.

When a row is missing or wrong, the failure shows the row as it was found: read it, and put it into the table
only when it is right.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.access_matrix.stage import HERE, PRINCIPALS, THERE, Stage, build
from tests.access_matrix.table import ADDRESSES, TABLE, call, compare, places_of, said_row, undone

PLAIN = [row for row, address in ADDRESSES.items() if not address.is_async]
API = [row for row in PLAIN if "/api/" in row]


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    """One stage for all rows: each call is undone, and all of it at the end."""
    with django_db_blocker.unblock(), undone():
        yield build()


@pytest.mark.parametrize("row", PLAIN)
def test_address__for_everybody_in_both_workspaces__answers_as_the_table_says(row: str, stage: Stage) -> None:
    compare(row, stage)


@pytest.mark.parametrize("row", API)
def test_token__with_every_scope__does_what_its_owner_may_and_no_more(row: str, stage: Stage) -> None:
    """What no token may do at all is marked `token: 403` in the table."""
    only = TABLE[row].get("token")
    for place in places_of(row):
        for status, names in said_row(row, place).items():
            for who in set(names) - {"anonymous"}:
                given, _ = call(stage, who, ADDRESSES[row], place, by_token=True)
                assert given == (only or status), (who, place)


def test_table__has_no_row_for_what_is_no_address() -> None:
    assert sorted(set(TABLE) - set(ADDRESSES)) == []


def test_table__names_everybody_once_in_each_row() -> None:
    for row, said in TABLE.items():
        for place in set(said) & {HERE, THERE}:
            named = sorted(name for names in said_row(row, place).values() for name in names)
            assert named == sorted(PRINCIPALS), (row, place)
