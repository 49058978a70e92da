"""Reads logs of a Log Analytics workspace: which deployment answered which request, and what models wrote about it.

The workspace is asked by its ARM id, as diagnostic settings name it. Its query API has an address, tokens and a budget
of its own: 200 queries in 30 seconds and five at once for all processes of one identity.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from endpoints.azure_gateway import arm, logs_codec
from endpoints.azure_gateway.errors import Forbidden, GatewayError, LogMissing, LogsRefused, Malformed
from endpoints.azure_gateway.logs_codec import Parsed
from endpoints.azure_gateway.records import LogPage, LogSpan, ModelLine, TrafficRow
from endpoints.azure_gateway.settings import CloudSettings
from endpoints.azure_gateway.wire import Answer, Wire

MOST_ENDPOINTS = 200
"""That one query names."""
_ACTION = "Microsoft.OperationalInsights/workspaces/query/read"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
# What Kusto says of a table that it does not know: one into which nothing ever came may not be there.
_NO_TABLE = re.compile(r"resolve table[^'\"]*['\"](?:Aml\w+)['\"]", re.IGNORECASE)


async def read_traffic(
    wire: Wire, cloud: CloudSettings, log_workspace: str, span: LogSpan, endpoints: Collection[str]
) -> LogPage[TrafficRow]:
    """A page of the requests to 1 to 200 endpoints, named without their workspaces."""
    if not 1 <= len(endpoints) <= MOST_ENDPOINTS:
        raise ValueError(
            f"Logs of {len(endpoints)} endpoints can't be asked at once: 1 to {MOST_ENDPOINTS} can."
        )
    for name in endpoints:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of an endpoint.")
    query = logs_codec.traffic_query(span, endpoints)
    return await _read(wire, cloud, log_workspace, span, query, logs_codec.traffic)


async def read_model_lines(
    wire: Wire, cloud: CloudSettings, log_workspace: str, span: LogSpan
) -> LogPage[ModelLine]:
    """A page of the lines that models of all endpoints wrote."""
    query = logs_codec.model_query(span)
    return await _read(wire, cloud, log_workspace, span, query, logs_codec.model_lines)


async def _read(
    wire: Wire,
    cloud: CloudSettings,
    log_workspace: str,
    span: LogSpan,
    query: str,
    parse: Callable[[Any], Parsed],
) -> LogPage[Any]:
    path = arm.log_workspace_path(log_workspace)
    if not cloud.logs:
        raise LogsRefused(f"{cloud.name} names no place where logs are queried; nothing was sent.")
    answer = await _ask(wire, f"{cloud.logs}/v1{path}/query", cloud.logs, query, path)
    parsed = parse(answer.document("logs"))
    if parsed.rest is not None and parsed.rest == span.after:
        raise Malformed("logs", "a whole page of rows has one time; they can't be told apart", ids=answer.ids)
    return LogPage(
        rows=parsed.rows,
        unreadable=parsed.unreadable,
        rest=parsed.rest,
        request_began=answer.request_began,
        response_ended=answer.response_ended,
        azure_request_id=answer.ids.azure_request_id,
    )


async def _ask(wire: Wire, url: str, base: str, query: str, path: str) -> Answer:
    try:
        return await wire.query_logs(base, url, {"query": query})
    except Forbidden as error:
        raise Forbidden(
            error.message,
            action=error.action or _ACTION,
            scope=error.scope or path,
            code=error.code,
            ids=error.ids,
        ) from error
    except GatewayError as error:
        if error.status == 400 and _NO_TABLE.search(error.message):
            said = "The Log Analytics workspace has no such log yet: nothing of it ever came in."
            raise LogMissing(said, status=400, code=error.code, ids=error.ids) from error
        raise
