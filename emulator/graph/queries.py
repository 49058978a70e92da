"""`POST /providers/Microsoft.ResourceGraph/resources`: queries, pages, quota."""

from __future__ import annotations

import base64
from typing import Any

from emulator.arm.call import Call, Reply, reply
from emulator.arm.routes import TENANT, Route, Table, at
from emulator.cloud import Cloud
from emulator.errors import ArmError
from emulator.graph import kql
from emulator.values import Json, new_guid, stamp

MAX_ROWS = 1000


class GraphError(ArmError):
    """Resource Graph tells what is wrong in `details`."""

    def __init__(self, cloud: Cloud, status: int, code: str, details: list[Json], **headers: str) -> None:
        at_time = stamp(cloud.control.clock()).replace("+00:00", "Z")
        super().__init__(
            status,
            code,
            f"Please provide below info when asking for support: timestamp = {at_time}, correlationId = {new_guid()}.",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        self.details = details

    def body(self) -> Json:
        return {"error": {"code": self.code, "message": self.message, "details": self.details}}


def query(cloud: Cloud, call: Call) -> Reply:
    headers = _let_through(cloud, call)
    sent = call.body()
    options = sent.get("options") or {}
    top, skip = _window(cloud, options)
    rows = list(cloud.graph.readable(call.identity, call.base))
    subscriptions = sent.get("subscriptions")
    if subscriptions:
        wanted = {str(item).lower() for item in subscriptions}
        rows = [row for row in rows if row["subscriptionId"].lower() in wanted]
    try:
        rows = kql.run(str(sent.get("query") or ""), rows)
    except kql.QueryError as error:
        raise _invalid(cloud, str(error)) from None
    page = rows[skip : skip + top]
    answer: Json = {
        "totalRecords": len(rows),
        "count": len(page),
        "data": page if options.get("resultFormat", "objectArray") == "objectArray" else _table(page),
        "facets": [],
        "resultTruncated": "false",
    }
    if skip + top < len(rows):
        answer["$skipToken"] = base64.b64encode(f"skip:{skip + top}".encode()).decode()
    return reply(answer, 200, headers)


def _let_through(cloud: Cloud, call: Call) -> dict[str, str]:
    settings = cloud.settings
    if not settings.resource_graph:
        raise ArmError(
            403,
            "AuthorizationFailed",
            f"The client '{call.identity.client_id}' does not have authorization to perform action"
            " 'Microsoft.ResourceGraph/resources/read' over scope '/'.",
        )
    if settings.resource_graph_queries <= 0:
        return {}
    passes, left, resets = cloud.graph_quota.take(
        call.identity.object_id, int(settings.resource_graph_queries)
    )
    headers = {
        "x-ms-user-quota-remaining": str(left),
        "x-ms-user-quota-resets-after": f"00:00:{resets:02}",
    }
    if not passes:
        told = "Client application has been throttled and should not attempt to repeat the request until an amount of"
        detail = {"code": "RateLimiting", "message": f"{told} time has elapsed."}
        error = GraphError(cloud, 429, "RateLimiting", [detail])
        error.headers.update(headers, **{"Retry-After": str(max(resets, 1))})
        raise error
    return headers


def _window(cloud: Cloud, options: Json) -> tuple[int, int]:
    top, skip = options.get("$top"), options.get("$skip")
    top = MAX_ROWS if top is None else top
    skip = 0 if skip is None else skip
    if not _is_count(top) or not 1 <= top <= MAX_ROWS or not _is_count(skip):
        raise _bad(cloud, "InvalidOptions", f"$top is 1 to {MAX_ROWS} and $skip 0 or more.")
    token = options.get("$skipToken")
    if token is not None:
        skip = _skipped(cloud, str(token))
    if options.get("resultFormat", "objectArray") not in {"objectArray", "table"}:
        raise _bad(cloud, "InvalidOptions", "resultFormat is objectArray or table.")
    return top, skip


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _skipped(cloud: Cloud, token: str) -> int:
    try:
        word, _, number = base64.b64decode(token, validate=True).decode().partition(":")
    except ValueError:
        word, number = "", ""
    if word != "skip" or not number.isdecimal():
        raise _bad(cloud, "InvalidSkipToken", "The skip token is not one of ours.")
    return int(number)


def _table(page: list[Json]) -> Json:
    names = list(page[0]) if page else []
    return {
        "columns": [{"name": name, "type": "object"} for name in names],
        "rows": [[row[name] for name in names] for row in page],
    }


def _invalid(cloud: Cloud, token: str) -> GraphError:
    told = "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error"
    return GraphError(
        cloud,
        400,
        "BadRequest",
        [
            {"code": "InvalidQuery", "message": f"{told} before retrying."},
            {"code": "ParserFailure", "message": "ParserFailure", "line": 1, "token": token},
        ],
    )


def _bad(cloud: Cloud, code: str, message: str) -> GraphError:
    return GraphError(cloud, 400, "BadRequest", [{"code": code, "message": message}])


ROUTES: Table = {at("POST", TENANT, "resources"): Route(query, None)}
