"""Lists as CSV and JSON: the same rows and filters as the page, in UTC, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpResponse

from endpoints.web.wording import iso

LIMIT = 10_000
"""Rows in one export; what is beyond is said in the file."""

# A spreadsheet runs text that begins so as a formula (OWASP: CSV injection). Some drop blanks before it, and take
# the wide forms of East Asian keyboards for the narrow ones.
_FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_BLANKS = " \u00a0\u3000\u200b\ufeff"


def csv_cell(value: Any) -> str:
    """One cell as text: moments in UTC, maps as JSON, and an apostrophe before what would be run as a formula."""
    text = _text(value)
    return f"'{text}" if text.lstrip(_BLANKS).startswith(_FORMULA_STARTS) else text


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return iso(value)
        case Mapping() | list() | tuple():
            return json.dumps(value, sort_keys=True, ensure_ascii=False, default=_json)
        case _:
            return str(value)


def _json(value: Any) -> Any:
    return iso(value) if isinstance(value, datetime) else str(value)


def as_csv(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> HttpResponse:
    """RFC 4180 with a header row, in UTF-8 with the mark that spreadsheets look for."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([csv_cell(row.get(column)) for column in columns])
    return _file("\ufeff" + buffer.getvalue(), f"{name}.csv", "text/csv; charset=utf-8")


def as_json(
    name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, about: Mapping[str, Any]
) -> HttpResponse:
    """The same rows with `about` (filters, moment, whether it is complete) before them."""
    shown = [{column: row.get(column) for column in columns} for row in rows]
    text = json.dumps(
        {**about, "count": len(shown), "rows": shown}, ensure_ascii=False, indent=1, default=_json
    )
    return _file(text, f"{name}.json", "application/json")


def _file(text: str, name: str, kind: str) -> HttpResponse:
    response = HttpResponse(text.encode(), content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
