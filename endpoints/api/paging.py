"""Lists by key: a page, and the address of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request

from endpoints.api.fields import StrictQuery

LARGEST_PAGE = 200
LARGEST_ID = 2**63 - 1


class PageQuery(StrictQuery):
    """Query of every list."""

    limit = serializers.IntegerField(
        min_value=1, max_value=LARGEST_PAGE, default=50, help_text="How many at most."
    )


class NumberedQuery(PageQuery):
    """A list whose items have numbers, newest first."""

    before = serializers.IntegerField(
        min_value=1,
        max_value=LARGEST_ID,
        required=False,
        help_text="Only items with a smaller number; `next` has it.",
    )


def page(request: Request, items: Sequence[Any], **cursor: Any) -> dict[str, Any]:
    """`{"items": […], "next": …}`: the same address with `cursor` in it; a cursor of None was the last page."""
    return {"items": list(items), "next": _next(request, cursor)}


def _next(request: Request, cursor: dict[str, Any]) -> str | None:
    if None in cursor.values():
        return None
    query = QueryDict(mutable=True)
    query.update({**request.query_params.dict(), **{name: str(value) for name, value in cursor.items()}})
    return f"{request.path}?{query.urlencode()}"
