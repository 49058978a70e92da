"""Lists as CSV and JSON, piece by piece: moments in UTC, safe to open in a spreadsheet, of any length. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

Row = Mapping[str, Any]
MARK = "\ufeff"
"""Spreadsheets take a file that begins so for UTF-8."""
AT_ONCE = 500
"""Rows in one piece."""

# A spreadsheet runs text that begins so as a formula (OWASP: CSV injection). Some drop blanks before it, and take
# the wide forms of East Asian keyboards for the narrow ones.
_FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_BLANKS = " \u00a0\u3000\u200b\ufeff"


def iso(moment: datetime) -> str:
    """Always UTC with Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def csv_cell(value: Any) -> str:
    """One cell as text: moments in UTC, maps as JSON, and an apostrophe before what would be run as a formula."""
    text = value if type(value) is str else _text(value)
    if not text or text[0].isalnum():  # most of them: neither a blank nor the beginning of a formula
        return text
    return f"'{text}" if text.lstrip(_BLANKS).startswith(_FORMULA_STARTS) else text


def csv_pieces(columns: Sequence[str], rows: Iterable[Row], *, mark: str = MARK) -> Iterator[str]:
    """RFC 4180 with a header row. Nothing is read of `rows` before the first piece is asked for."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(mark)
    writer.writerow(columns)
    source = iter(rows)
    while True:
        several = list(islice(source, AT_ONCE))
        writer.writerows([csv_cell(row.get(column)) for column in columns] for row in several)
        if several or buffer.tell():
            yield buffer.getvalue()
        if len(several) < AT_ONCE:
            return
        buffer.seek(0)
        buffer.truncate()


def json_pieces(about: Mapping[str, Any], rows: Iterable[Row]) -> Iterator[str]:
    """One document: `about` (what was asked for), then "rows", and their "count" at the end, when it is known."""
    head = json.dumps(about, ensure_ascii=False, default=plain_value)
    count, source, comma = 0, iter(rows), "" if head == "{}" else ", "
    before = f'{head[:-1]}{comma}"rows": ['
    while several := list(islice(source, AT_ONCE)):
        lines = (json.dumps(row, ensure_ascii=False, default=plain_value) for row in several)
        yield before + "\n" + ",\n".join(lines)
        count, before = count + len(several), ","
    tail = f'\n], "count": {count}}}\n'
    yield tail if count else before + tail


def begun(pieces: Iterator[str]) -> Iterator[str]:
    """The same pieces, of which the first is there already: what is wrong with the question shows before an answer."""
    return chain([next(pieces)], pieces)


def plain_value(value: Any) -> Any:
    """What JSON has no word for, as text."""
    return iso(value) if isinstance(value, datetime) else str(value)


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return iso(value)
        case Mapping() | list() | tuple():
            return json.dumps(value, sort_keys=True, ensure_ascii=False, default=plain_value)
        case _:
            return str(value)
