"""A ZIP of which the same files give the same bytes, on any machine and for ever: nothing packed, no time, no extras.

Whoever checks such a ZIP writes it again from its files and compares: nothing can hide in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import pack
from zlib import crc32

_VERSION, _MADE_BY = 20, 0x0314
_FIRST_OF_JANUARY_1980 = 0x21
_PLAIN_FILE = 0o100644 << 16


def container(files: Iterable[tuple[str, bytes]]) -> bytes:
    """The ZIP of these files in this order. Names are ASCII; everything together stays under 4 GiB."""
    body, directory, count = bytearray(), bytearray(), 0
    for name, content in files:
        raw = name.encode("ascii")
        facts = pack("<4H3L", 0, 0, 0, _FIRST_OF_JANUARY_1980, crc32(content), len(content), len(content))
        directory += pack("<4s2H", b"PK\1\2", _MADE_BY, _VERSION) + facts
        directory += pack("<5H2L", len(raw), 0, 0, 0, 0, _PLAIN_FILE, len(body)) + raw
        body += pack("<4sH", b"PK\3\4", _VERSION) + facts + pack("<2H", len(raw), 0) + raw + content
        count += 1
    end = pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + end)
