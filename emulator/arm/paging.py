"""Pages with `nextLink`, which repeats the request's own query so that filters hold on every page."""

from __future__ import annotations

from urllib.parse import urlencode

from emulator.arm.call import Call, Reply
from emulator.cloud import Cloud
from emulator.fold import Resource


def page(cloud: Cloud, call: Call, found: list[Resource], *, path: str, size: int) -> Reply:
    skip = call.number("$skip", 0)
    part = found[skip : skip + size]
    next_link = None
    if skip + size < len(found):
        query = {**call.query, "$skip": str(skip + size)}
        next_link = f"{call.base}{path}?{urlencode(query)}"
    return Reply(body=cloud.views.page(part, call.base, next_link))


def ordered(found: list[Resource], order: str | None) -> list[Resource]:
    """By `CreatedAtDesc`, `CreatedAtAsc`, `UpdatedAtDesc` or `UpdatedAtAsc`; without a word, as created."""
    if not order:
        return found
    word = order.lower()
    by_change = word.startswith("updated")
    return sorted(
        found,
        key=lambda item: item.modified_at if by_change else item.created_at,
        reverse=word.endswith("desc"),
    )
