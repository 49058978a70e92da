"""A list of the resource manager, page by page: all of it or an error, since half would read as deletions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urljoin

from endpoints.azure_gateway import codec
from endpoints.azure_gateway.errors import Malformed, Unreachable
from endpoints.azure_gateway.records import Listing, Unreadable
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.azure_gateway.wire import Answer, Wire

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pages(Generic[T]):
    """What to list and how to read it. `exact` keeps fractions as Decimals; `keep` says which items count.

    `base` is where the list is, if not at the resource manager; `names` are what its items and next link are called.
    """

    path: str
    version: str
    parse: Callable[[Any], T]
    read: Callable[[str], Awaitable[Answer]]
    options: Mapping[str, str] | None = None
    exact: bool = False
    keep: Callable[[Any], bool] | None = None
    most: int | None = None
    base: str = ""
    names: tuple[str, str] = ("value", "nextLink")


async def listed(wire: Wire, settings: GatewaySettings, pages: Pages[T]) -> Listing[T]:
    """Every page, within the deadline of a listing."""
    limit = settings.listing_deadline
    try:
        async with asyncio.timeout(limit):
            return await _all(wire, settings, pages)
    except TimeoutError:
        raise Unreachable(f"The list {pages.path} was not complete within {limit:g} s.") from None


async def _all(wire: Wire, settings: GatewaySettings, pages: Pages[T]) -> Listing[T]:
    items: list[T] = []
    unreadable: list[Unreadable] = []
    first: Answer | None = None
    url, seen = wire.url(pages.path, pages.version, pages.options, base=pages.base), set[str]()
    while True:
        answer = await pages.read(url)
        first = first or answer
        seen.add(url)
        values, following = _page(answer, pages)
        where = f"page {len(seen)} of {pages.path}"
        good, bad = codec.parse_all(values, storable_parser(pages.parse, answer), where=where)
        items += good
        unreadable += bad
        if not following:
            return Listing(
                items=tuple(items),
                unreadable=tuple(unreadable),
                request_began=first.request_began,
                response_ended=answer.response_ended,
                azure_request_id=answer.ids.azure_request_id,
                calls=len(seen),
            )
        url = wire.check_home(urljoin(url, following), base=pages.base)
        if url in seen or len(seen) >= settings.page_limit:
            raise Malformed(pages.path, f"the list does not end: {len(seen)} pages, and one more")
        if pages.most is not None and len(seen) >= pages.most:
            raise Malformed(pages.path, f"the list is longer than {pages.most} pages: ask for less of it")


def storable_parser(parse: Callable[[Any], T], answer: Answer) -> Callable[[Any], T]:
    """The parser, refusing what no database can hold where the answer may hold it."""
    # Only an escape can smuggle in a character that can't be stored; without one there is nothing to look for.
    return codec.storable(parse) if b"\\u" in answer.content else parse


def _page(answer: Answer, pages: Pages[Any]) -> tuple[list[Any], str]:
    """The items that count, and the link to the next page or ""."""
    path, document = pages.path, answer.document(pages.path, exact=pages.exact)
    items, link = pages.names
    values = document.get(items) if isinstance(document, Mapping) else None
    if not isinstance(values, list):
        raise Malformed(path, "the page has no list of values", status=answer.status, ids=answer.ids)
    following = document.get(link) or ""
    if not isinstance(following, str):
        raise Malformed(path, "the link to the next page is not text", status=answer.status, ids=answer.ids)
    return [value for value in values if pages.keep is None or pages.keep(value)], following
