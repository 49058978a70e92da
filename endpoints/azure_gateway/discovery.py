"""Finds endpoints and deployments through Resource Graph: thousands in a few calls, minutes behind the truth.

It tells that something exists and how it is tagged. Traffic, states and sizes are for a reading of the
resource itself. Where Resource Graph does not answer, DiscoveryRefused sends callers to ARM's lists.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from endpoints.azure_gateway import arm, codec
from endpoints.azure_gateway.errors import DiscoveryRefused, GatewayError, Malformed, Unreachable
from endpoints.azure_gateway.records import DEPLOYMENT_METRICS, ENDPOINT_METRICS, Found, Listing, Unreadable
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.azure_gateway.wire import Answer, Wire

# In Azure a namespace of metrics is named after the type of its resources.
ENDPOINTS, DEPLOYMENTS = ENDPOINT_METRICS.lower(), DEPLOYMENT_METRICS.lower()
_ROWS_OF_A_PAGE = 1000
_MOST_SUBSCRIPTIONS = 1000


async def find(
    wire: Wire, settings: GatewaySettings, subscriptions: Sequence[str], kind: str
) -> Listing[Found]:
    """All resources of a type that Resource Graph knows in the subscriptions."""
    if not 1 <= len(subscriptions) <= _MOST_SUBSCRIPTIONS:
        raise ValueError(
            f"{len(subscriptions)} subscriptions can't be searched at once: 1 to {_MOST_SUBSCRIPTIONS} can."
        )
    for subscription in subscriptions:
        arm.subscription_path(subscription)
    limit = settings.listing_deadline
    try:
        async with asyncio.timeout(limit):
            return await _pages(wire, settings, list(subscriptions), kind)
    except TimeoutError:
        raise Unreachable(f"Resource Graph did not answer whole within {limit:g} s.") from None


async def _pages(
    wire: Wire, settings: GatewaySettings, subscriptions: list[str], kind: str
) -> Listing[Found]:
    items: list[Found] = []
    unreadable: list[Unreadable] = []
    first: Answer | None = None
    token, seen = "", set[str]()
    while True:
        answer = await _ask(wire, _query(subscriptions, kind, token))
        first = first or answer
        seen.add(token)
        rows, token = _page(answer)
        parse = codec.storable(found) if b"\\u" in answer.content else found
        good, bad = codec.parse_all(rows, parse, where=f"page {len(seen)} of Resource Graph")
        items += good
        unreadable += bad
        if not token:
            return Listing(
                items=tuple(items),
                unreadable=tuple(unreadable),
                request_began=first.request_began,
                response_ended=answer.response_ended,
                azure_request_id=answer.ids.azure_request_id,
                calls=len(seen),
            )
        if token in seen or len(seen) >= settings.page_limit:
            raise Malformed("Resource Graph", f"the list does not end: {len(seen)} pages, and one more")


async def _ask(wire: Wire, body: Mapping[str, Any]) -> Answer:
    url = wire.url("/providers/Microsoft.ResourceGraph/resources", arm.RESOURCE_GRAPH)
    try:
        return await wire.query_graph(url, body)
    except GatewayError as error:
        if error.status in (403, 404) or (error.status or 0) >= 500:
            said = f"Resource Graph does not serve this query. {error.message}"
            raise DiscoveryRefused(said, status=error.status, code=error.code, ids=error.ids) from error
        raise


def _query(subscriptions: list[str], kind: str, token: str) -> dict[str, Any]:
    # Pages need an order and the column `id`: without them Resource Graph cuts the list at one page.
    text = f"resources | where type =~ '{kind}' | project id, name, type, location, tags | order by id asc"
    options: dict[str, Any] = {"resultFormat": "objectArray", "$top": _ROWS_OF_A_PAGE}
    if token:
        options["$skipToken"] = token
    return {"subscriptions": subscriptions, "query": text, "options": options}


def _page(answer: Answer) -> tuple[list[Any], str]:
    """The rows, and the token of the next page or ""."""
    document = answer.document("Resource Graph")
    rows = document.get("data") if isinstance(document, Mapping) else None
    token = document.get("$skipToken") or "" if isinstance(document, Mapping) else ""
    if not isinstance(rows, list) or not isinstance(token, str):
        raise Malformed(
            "Resource Graph", "the page has no list of rows", status=answer.status, ids=answer.ids
        )
    if not token and str(document.get("resultTruncated")).lower() == "true":
        raise Malformed("Resource Graph", "the list is cut and can't be continued", ids=answer.ids)
    return rows, token


def found(row: Any) -> Found:
    """One row; Malformed when it names no resource."""
    if not isinstance(row, Mapping):
        raise Malformed("item", "it is not an object")
    identifier, tags = row.get("id"), row.get("tags") or {}
    if not isinstance(identifier, str) or not identifier:
        raise Malformed("item", "it has no id")
    if not isinstance(tags, Mapping):
        raise Malformed(identifier, "its tags are no object")
    return Found(
        arm_id=identifier,
        name=str(row.get("name") or identifier.rsplit("/", 1)[-1]),
        type=str(row.get("type") or ""),
        location=str(row.get("location") or ""),
        tags={str(name): str(value or "") for name, value in tags.items()},
    )
