"""Rows of minutes before they are stored: what is known, what two readings say together, and the bytes of COPY."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as some

from endpoints.metrics.columns import NAMES
from endpoints.metrics.copyformat import encoded
from endpoints.metrics.points import MinuteRow, known, merged, unique
from tests.metrics.storing import EMPTY, values

CAN_BE = some.none() | some.floats(min_value=0, max_value=2.0**99, width=32)
CAN_NOT_BE = some.floats(max_value=-1e-9, width=64) | some.sampled_from([math.nan, math.inf, -1.0, 1e31])
IDS = some.integers(1, 2**34 - 1) | some.sampled_from([311_168, 79_659_008, 4])


def plainly(deployment_id: int, minute: int, of: tuple[float | None, ...]) -> bytes:
    """A row in COPY's format, field by field."""
    fields = [struct.pack(">iq", 8, deployment_id), struct.pack(">iq", 8, (minute - 946_684_800) * 1_000_000)]
    fields += [struct.pack(">i", -1) if value is None else struct.pack(">if", 4, value) for value in of]
    return struct.pack(">h", len(fields)) + b"".join(fields)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, -0.001, None])
def test_a_value__that_no_measurement_can_have__is_unknown(value: float | None) -> None:
    assert known(value) is None


def test_two_readings__of_a_minute__are_the_newer_where_it_is_known() -> None:
    older, newer = values(requests=3, p95=80), values(requests=4, p95=math.nan, cpu_avg=7)
    assert merged(older, newer) == values(requests=4, p95=80, cpu_avg=7)


def test_rows__of_one_minute__are_one_and_the_last_counts() -> None:
    rows = [MinuteRow(7, 60, values(requests=1, p50=5)), MinuteRow(7, 60, values(requests=2))]
    assert unique(rows) == {(7, 60): values(requests=2, p50=5)}


@given(some.lists(some.tuples(IDS, some.integers(1, 10**8), some.tuples(*[CAN_BE] * len(NAMES))), max_size=5))
def test_bytes_for_copy__of_any_rows__are_those_of_the_format(
    rows: list[tuple[int, int, tuple[float]]],
) -> None:
    wanted = b"PGCOPY\n\xff\r\n\0" + bytes(8)
    wanted += b"".join(plainly(deployment, minute * 60, found) for deployment, minute, found in rows)
    assert encoded(((one, minute * 60), found) for one, minute, found in rows) == wanted + b"\xff\xff"


@given(CAN_NOT_BE, some.integers(0, len(NAMES) - 1))
def test_bytes_for_copy__of_an_impossible_value__say_unknown(value: float, place: int) -> None:
    impossible = (*EMPTY[:place], value, *EMPTY[place + 1 :])
    assert encoded([((7, 60), impossible)]) == encoded([((7, 60), EMPTY)])


@pytest.mark.parametrize("key", [(7, 61), (0, 60), (2**34, 60)])
def test_bytes_for_copy__of_a_row_that_can_not_be__are_refused(key: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no row of minutes"):
        encoded([(key, EMPTY)])
