"""Lists as CSV and JSON: the same rows and filters as the page, in UTC, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from endpoints.core.sheets import MARK, begun, csv_cell, plain_value
from endpoints.dispatch.pieces import in_pieces

__all__ = ["LIMIT", "as_csv", "as_json", "csv_cell", "streamed"]

LIMIT = 10_000
"""Rows in one export; what is beyond is said in the file."""


def as_csv(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> HttpResponse:
    """RFC 4180 with a header row, in UTF-8 with the mark that spreadsheets look for."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([csv_cell(row.get(column)) for column in columns])
    return _file(MARK + buffer.getvalue(), f"{name}.csv", "text/csv; charset=utf-8")


def as_json(
    name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, about: Mapping[str, Any]
) -> HttpResponse:
    """The same rows with `about` (filters, moment, whether it is complete) before them."""
    shown = [{column: row.get(column) for column in columns} for row in rows]
    text = json.dumps(
        {**about, "count": len(shown), "rows": shown}, ensure_ascii=False, indent=1, default=plain_value
    )
    return _file(text, f"{name}.json", "application/json")


def streamed(request: HttpRequest, pieces: Iterator[str], name: str, kind: str) -> StreamingHttpResponse:
    """A file of any length, sent while it is read. The first piece is read at once."""
    body = in_pieces(begun(pieces), waiting=hasattr(request, "scope"))
    response = StreamingHttpResponse(body, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _file(text: str, name: str, kind: str) -> HttpResponse:
    response = HttpResponse(text.encode(), content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
