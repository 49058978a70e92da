"""The same table for streams, which give their connection back before they flow: they need committed data."""

from __future__ import annotations

import pytest

from tests.access_matrix.stage import build
from tests.access_matrix.table import ADDRESSES, compare
from tests.support.databases import Database


@pytest.mark.parametrize("row", [row for row, address in ADDRESSES.items() if address.is_async])
def test_stream__for_everybody_in_both_workspaces__answers_as_the_table_says(
    row: str, committed_db: Database
) -> None:
    compare(row, build())
