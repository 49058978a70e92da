"""`POST /logs/v1/workspaces/{guid}/query` and `POST /logs/v1/{resource id}/query`: queries of logs.

A resource is a Log Analytics workspace by its ARM id, or an endpoint or workspace of Azure Machine Learning that wrote
the logs. Few queries of one caller run at once; further ones wait, and too many are refused.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from emulator import names, permissions
from emulator.cloud import Cloud
from emulator.control import Fate
from emulator.errors import ArmError
from emulator.listener import base_url
from emulator.logs import kql
from emulator.logs.exports import workspace_guid, workspaces
from emulator.logs.rows import rows
from emulator.requestlog import Entry
from emulator.tokens import LOGS_AUDIENCE, Identity
from emulator.values import Json, new_guid, seconds

AUDIENCES = frozenset({LOGS_AUDIENCE, "https://api.loganalytics.azure.com"})
_IN_WORKSPACE = "Microsoft.OperationalInsights/workspaces/query/read"
_AT_ONCE, _WAITING = 5, 200


class LogsError(ArmError):
    """The API's own form of an error: causes are nested in `innererror`."""

    def __init__(
        self, status: int, code: str, message: str, *causes: tuple[str, str], **headers: str
    ) -> None:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(status, code, message, headers=told)
        self.causes = causes

    def body(self) -> Json:
        error: Json = {"message": self.message, "code": self.code, "correlationId": new_guid()}
        inner = error
        for code, message in self.causes:
            inner["innererror"] = {"code": code, "message": message}
            inner = inner["innererror"]
        return {"error": error}


@dataclass(slots=True)
class _Turns:
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    waiting: int = 0


@dataclass(slots=True)
class Logs:
    cloud: Cloud
    _turns: dict[str, _Turns] = field(default_factory=dict)

    async def of_workspace(self, request: web.Request, entry: Entry, _fate: Fate | None) -> web.Response:
        return await self._served(request, entry, self._by_guid(request.match_info["workspace"]))

    async def of_resource(self, request: web.Request, entry: Entry, _fate: Fate | None) -> web.Response:
        return await self._served(request, entry, "/" + request.match_info["resource"].strip("/"))

    def _by_guid(self, wanted: str) -> str | None:
        found = workspaces(self.cloud).values()
        return next((one for one in found if workspace_guid(self.cloud, one) == wanted.lower()), None)

    async def _served(self, request: web.Request, entry: Entry, scope: str | None) -> web.Response:
        headers = {"x-ms-request-id": new_guid()}
        try:
            body = await self._answer(request, entry, scope)
        except LogsError as error:
            return web.json_response(error.body(), status=error.status, headers={**headers, **error.headers})
        return web.json_response(body, headers=headers)

    async def _answer(self, request: web.Request, entry: Entry, scope: str | None) -> Json:
        cloud = self.cloud
        cloud.control.advance()
        base = base_url(request)
        identity = cloud.tokens.caller(
            request.headers.get("Authorization"), AUDIENCES | {base, f"{base}/logs"}
        )
        entry.caller = identity.name
        entry.body = sent = await _body(request)
        self._count(identity)
        try:
            query = kql.parse(str(sent.get("query") or ""), cloud.control.clock())
        except kql.QueryError as error:
            raise _invalid(error) from None
        if scope is None or not self._is_there(scope):
            raise LogsError(404, "ResourceNotFoundError", "The requested resource was not found.")
        _check(identity, scope, query.table)
        since, until = _timespan(sent.get("timespan"), cloud.control.clock())
        await self._wait(identity)
        asked = kql.Query(
            query.table, query.columns, query.run, _narrowed(query.generated, since, until), query.arrived
        )
        found = rows(cloud, asked, scope)
        kept = [row for row in found if _within(row["TimeGenerated"], since, until)]
        return self._told(asked, asked.run(kept))

    def _is_there(self, scope: str) -> bool:
        known = self.cloud.control.world.find(scope)
        return names.key(scope) in workspaces(self.cloud) or known is not None

    def _count(self, identity: Identity) -> None:
        limit = int(self.cloud.settings.logs_queries)
        if limit <= 0:
            return
        passes, _, resets = self.cloud.logs_quota.take(identity.object_id, limit)
        if not passes:
            raise _throttled(f"More than {limit} queries in {self.cloud.logs_quota.seconds} seconds.", resets)

    async def _wait(self, identity: Identity) -> None:
        """A query takes its time, and has its turn with those of the same caller."""
        turns = self._turns.setdefault(identity.object_id, _Turns())
        if turns.waiting >= _WAITING:
            raise _throttled("Too many queries of this caller are waiting.", 30)
        turns.waiting += 1
        try:
            async with turns.places:
                await asyncio.sleep(self.cloud.settings.logs_query_ms / 1000)
        finally:
            turns.waiting -= 1

    def _told(self, query: kql.Query, found: kql.Rows) -> Json:
        most = self.cloud.settings.behaviour.logs_row_cap
        columns = [{"name": name, "type": kind} for name, kind in query.columns.items()]
        table = {
            "name": "PrimaryResult",
            "columns": columns,
            "rows": [[_shown(row[name]) for name in query.columns] for row in found[:most]],
        }
        answer: Json = {"tables": [table]}
        if len(found) > most:
            said = f"The results of this query exceed the set limit of {most} records."
            causes = (
                ("EngineError", "Something went wrong processing your query on the server."),
                (
                    "E_QUERY_RESULT_SET_TOO_LARGE",
                    said,
                ),
            )
            partial = LogsError(
                200, "PartialError", "There were some errors when processing your query.", *causes
            )
            answer |= partial.body()
        return answer


def _check(identity: Identity, scope: str, table: str) -> None:
    of_writer = f"/{names.NAMESPACE}/".lower() in f"{scope.lower()}/"
    action = f"Microsoft.Insights/logs/{table}/read" if of_writer else _IN_WORKSPACE
    if not permissions.allows(identity, action, scope):
        raise LogsError(
            403,
            "InsufficientAccessError",
            "The provided credentials have insufficient access to perform the requested operation",
        )


def _invalid(error: kql.QueryError) -> LogsError:
    kind = "SemanticError" if error.semantic else "SyntaxError"
    number, told = ("SEM0100", str(error)) if error.semantic else ("SYN0002", str(error))
    return LogsError(
        400,
        "BadArgumentError",
        "The request had some invalid properties",
        (kind, f"A {'semantic' if error.semantic else 'recognition'} error occurred."),
        (number, told),
    )


def _throttled(said: str, seconds: int) -> LogsError:
    return LogsError(429, "ThrottledError", said, Retry_After=str(max(seconds, 1)))


async def _body(request: web.Request) -> Json:
    try:
        sent = json.loads(await request.read() or b"null")
    except ValueError:
        sent = None
    if not isinstance(sent, dict) or not sent.get("query"):
        raise LogsError(400, "BadArgumentError", "The request had some invalid properties")
    return sent


def _timespan(value: Any, now: datetime) -> tuple[datetime | None, datetime | None]:
    """`start/end` or `start/`; without one, the query's own times count alone."""
    if not value:
        return None, None
    try:
        first, _, last = str(value).partition("/")
        if first.startswith("P"):
            return now - _duration(first), now
        since = _moment(first)
        return since, min(since + _duration(last) if last.startswith("P") else _moment(last), now)
    except ValueError:
        told = f"The timespan {value!r} can't be read here: it is a start and an end, or how long it was."
        raise LogsError(400, "BadArgumentError", told) from None


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _duration(text: str) -> timedelta:
    found = seconds(text, -1.0)
    if found < 0:
        raise ValueError(text)
    return timedelta(seconds=found)


def _narrowed(span: kql.Span, since: datetime | None, until: datetime | None) -> kql.Span:
    return (
        max((at for at in (span[0], since) if at is not None), default=None),
        min((at for at in (span[1], until) if at is not None), default=None),
    )


def _within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at >= since) and (until is None or at <= until)


def _shown(value: Any) -> Any:
    if isinstance(value, datetime):
        # Seven digits of a second, as the service writes them.
        return f"{value.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%f')}0Z"
    return value
