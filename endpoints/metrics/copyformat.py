"""Minutes in PostgreSQL's binary COPY format, at a few microseconds each. Pure.

Source: the manual's page on COPY, "Binary Format". A field is its length in four bytes and then its content; a
length of -1 is NULL. Rows are packed by one ready-made structure in which an unknown value stands as a number that
no measurement can have, and then all of these become NULL at once in the finished bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from endpoints.metrics.columns import NAMES
from endpoints.metrics.points import MINUTE, Key, Values

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_ROW = struct.Struct(">hiqiq" + "if" * len(NAMES))
# Negative, so that no value is taken for it. Its last byte is odd, so that it, with the length before it, is found
# nowhere else: across two fields it would end in the zeros of the next length, as a time it would be no whole minute,
# as an id it would be a number beyond the highest.
_UNKNOWN = struct.unpack(">f", b"\xbf\x80\x00\x01")[0]
_AS_VALUE, _AS_NULL = struct.pack(">if", 4, _UNKNOWN), struct.pack(">i", -1)
_HIGHEST_ID = 2**34
# So that a day's sum of the largest values can still be stored.
_LARGEST = 1e30
_EPOCH = 946_684_800  # 2000-01-01, from which PostgreSQL counts microseconds


def encoded(rows: Iterable[tuple[Key, Values]]) -> bytes:
    """The rows as `COPY … FROM STDIN (FORMAT BINARY)` takes them: id, minute, then the columns.

    Values that no measurement can have become unknown. A minute that does not begin on a minute is a ValueError.
    """
    # One list serves every row: lengths stand in it for good, ids and values are put between them.
    fields: list[float] = [2 + len(NAMES), 8, 0, 8, 0, *[4, 0.0] * len(NAMES)]
    packed = []
    for (deployment_id, minute), values in rows:
        if minute % MINUTE or not 0 < deployment_id < _HIGHEST_ID:
            raise ValueError(f"no row of minutes: deployment {deployment_id}, second {minute}")
        fields[2] = deployment_id
        fields[4] = (minute - _EPOCH) * 1_000_000
        fields[6::2] = [
            value if value is not None and 0 <= value < _LARGEST else _UNKNOWN for value in values
        ]
        packed.append(_ROW.pack(*fields))
    return _SIGNATURE + b"".join(packed).replace(_AS_VALUE, _AS_NULL) + _END
