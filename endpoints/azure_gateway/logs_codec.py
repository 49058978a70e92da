"""The queries of logs, and their answers to rows. Pure.

A query is about rows by when they came in (`ingestion_time()`), not by when they were written: each is read once,
however late it comes. Rows are ordered by both times, and the next page begins at the last row of this one, which
comes again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from endpoints.azure_gateway.codec import storable_text
from endpoints.azure_gateway.errors import Malformed
from endpoints.azure_gateway.records import LogPlace, LogSpan, ModelLine, TrafficRow, Unreadable

T = TypeVar("T", TrafficRow, ModelLine)
Row = Mapping[str, Any]

TRAFFIC, CONSOLE = "AmlOnlineEndpointTrafficLog", "AmlOnlineEndpointConsoleLog"
PREFIX = "opsportal.prediction "
MOST_ROWS = 10_000
"""On a page. Azure itself cuts answers of half a million rows."""
# Rows that come in later than this after they were written are not looked for: the limit spares Azure the whole log.
_LATEST = timedelta(days=2)
_MOST_SCORES = 20
_TRAFFIC_COLUMNS = (
    "_ResourceId",
    "SubscriptionId",
    "AzureMLWorkspaceName",
    "EndpointName",
    "DeploymentName",
    "XRequestId",
    "XMSClientRequestId",
    "ResponseCode",
    "ModelStatusCode",
    "TotalDurationMs",
    "RequestPayloadSize",
    "ResponsePayloadSize",
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """The contents of one answer. `rest`: where the next page begins; None when there is none."""

    rows: tuple[Any, ...]
    unreadable: tuple[Unreadable, ...]
    rest: LogPlace | None


def traffic_query(span: LogSpan, endpoints: Collection[str]) -> str:
    """Requests to some endpoints of a workspace's log, whichever of their workspaces these are in."""
    names = ", ".join(_quoted(name) for name in sorted(endpoints))
    return _query(TRAFFIC, span, f"EndpointName in~ ({names})", _TRAFFIC_COLUMNS)


def model_query(span: LogSpan) -> str:
    """The lines that models write about their answers; the console log does not name endpoints."""
    return _query(
        CONSOLE, span, f"Message contains {_quoted(PREFIX)}", ("_ResourceId", "DeploymentName", "Message")
    )


def traffic(document: Any, *, most: int = MOST_ROWS) -> Parsed:
    """Malformed when it is no such answer at all."""
    return _parsed(document, _traffic_row, most, TRAFFIC)


def model_lines(document: Any, *, most: int = MOST_ROWS) -> Parsed:
    """Malformed when it is no such answer at all."""
    return _parsed(document, _model_line, most, CONSOLE)


def _query(table: str, span: LogSpan, which: str, columns: tuple[str, ...]) -> str:
    stages = [
        table,
        f"where TimeGenerated >= {_moment(span.since - _LATEST)}",
        "extend Arrived = ingestion_time()",
        f"where Arrived >= {_moment(span.since)} and Arrived < {_moment(span.until)}",
        f"where {which}",
        "order by Arrived asc, TimeGenerated asc",
        f"project TimeGenerated, Arrived, {', '.join(columns)}",
        f"take {MOST_ROWS}",
    ]
    if span.after is not None:
        at, written = _moment(span.after.arrived), _moment(span.after.written)
        stages.insert(4, f"where Arrived > {at} or (Arrived == {at} and TimeGenerated >= {written})")
    return "\n| ".join(stages)


def _parsed(document: Any, parse: Callable[[Row], T], most: int, table: str) -> Parsed:
    found: list[T] = []
    unreadable: list[Unreadable] = []
    places: list[LogPlace] = []
    for index, row in enumerate(_rows(document, table)):
        try:
            places.append(LogPlace(_time(row, "Arrived"), _time(row, "TimeGenerated")))
            found.append(parse(row))
        except Malformed as error:
            unreadable.append(Unreadable(f"row {index} of {table}", error.reason))
    cut = isinstance(document, dict) and bool(document.get("error"))
    if not cut and len(found) + len(unreadable) < most:
        return Parsed(tuple(found), tuple(unreadable), None)
    if not places:
        raise Malformed(table, "the answer is cut, and no row of it can be understood")
    return Parsed(tuple(found), tuple(unreadable), max(places))


def _rows(document: Any, table: str) -> Iterator[Row]:
    tables = document.get("tables") if isinstance(document, dict) else None
    if not isinstance(tables, list):
        raise Malformed(table, "the answer has no tables")
    for told in tables:
        if not isinstance(told, dict) or told.get("name") != "PrimaryResult":
            continue
        try:
            names = [str(column["name"]) for column in told["columns"]]
            yield from [dict(zip(names, row, strict=True)) for row in told["rows"]]
        except (KeyError, TypeError, ValueError):
            raise Malformed(table, "the answer's table has no columns or rows that fit") from None
        return
    raise Malformed(table, "the answer has no primary result")


def _traffic_row(row: Row) -> TrafficRow:
    return TrafficRow(
        at=_time(row, "TimeGenerated"),
        arrived=_time(row, "Arrived"),
        resource_id=_text(row, "_ResourceId").lower(),
        subscription=_text(row, "SubscriptionId").lower(),
        workspace=_text(row, "AzureMLWorkspaceName").lower(),
        endpoint=_text(row, "EndpointName").lower(),
        deployment=_text(row, "DeploymentName").lower(),
        request_id=_text(row, "XRequestId"),
        client_id=_text(row, "XMSClientRequestId"),
        status=_whole(row, "ResponseCode"),
        model_status=_whole(row, "ModelStatusCode"),
        duration_ms=_number(row.get("TotalDurationMs"), "TotalDurationMs"),
        request_bytes=_whole(row, "RequestPayloadSize"),
        response_bytes=_whole(row, "ResponsePayloadSize"),
    )


def _model_line(row: Row) -> ModelLine:
    _, found, text = _text(row, "Message").partition(PREFIX)
    try:
        told = json.loads(text) if found else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Malformed("line", "it holds no JSON object")
    return ModelLine(
        at=_time(row, "TimeGenerated"),
        arrived=_time(row, "Arrived"),
        resource_id=_text(row, "_ResourceId").lower(),
        deployment=_text(row, "DeploymentName").lower(),
        request_id=_text(told, "request_id"),
        client_id=_text(told, "client_id"),
        model_version=_text(told, "model_version"),
        confidence=_number(told.get("confidence"), "confidence"),
        scores=_scores(told.get("scores")),
        high_risk=_flag(told.get("high_risk")),
    )


def _time(row: Row, name: str) -> datetime:
    value = row.get(name)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None:
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Malformed("row", f"{name} is {ascii(value)[:40]}, not a time")


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not storable_text(value):
        raise Malformed("row", f"{name} is no text that can be kept")
    return value.strip()


def _whole(row: Row, name: str) -> int | None:
    """A whole number; the service was seen to write numbers as text."""
    value = row.get(name)
    if value is None or value == "":
        return None
    try:
        number = (
            float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
        )
    except (ValueError, OverflowError):
        number = None
    if number is None or not number.is_integer():
        raise Malformed("row", f"{name} is {ascii(value)[:40]}, not a whole number")
    return int(number)


def _number(value: Any, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Malformed("row", f"{name} is {ascii(value)[:40]}, not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Malformed("row", f"{name} is not finite")
    return number


def _scores(value: Any) -> Mapping[str, float] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) > _MOST_SCORES:
        raise Malformed("line", f"scores is no object of at most {_MOST_SCORES} numbers")
    scores = {name: _number(item, "a score") for name, item in value.items() if storable_text(name)}
    if len(scores) < len(value) or None in scores.values():
        raise Malformed("line", f"scores is no object of at most {_MOST_SCORES} numbers")
    return {name: number for name, number in scores.items() if number is not None}


def _flag(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise Malformed("line", f"high_risk is {ascii(value)[:40]}, neither true nor false")
    return value


def _moment(moment: datetime) -> str:
    return f"datetime({moment.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%f')}Z)"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
