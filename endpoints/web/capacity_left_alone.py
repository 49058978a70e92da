"""What costs money for nothing and is not proposed, with the reasons: so that nobody wonders why it is not there."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.capacity.selectors.findings import left_alone
from endpoints.core.errors import Invalid
from endpoints.web import capacity_terms as terms
from endpoints.web.capacity_money import of
from endpoints.web.capacity_scope import pages_of, scope_of, tabs
from endpoints.web.pages import SIGNED_IN, PageRequest, page, render

LIMIT = 50


@page(SIGNED_IN)
def left_alone_page(request: PageRequest) -> HttpResponseBase:
    """What costs money for nothing and is not proposed, with the reasons."""
    scope, after = scope_of(request), request.GET.get("after", "")[:100]
    try:
        found = left_alone(scope.ids, cursor=after, limit=LIMIT)
    except Invalid:
        after, found = "", left_alone(scope.ids, limit=LIMIT)
    context: dict[str, Any] = {
        "tab_items": tabs("capacity_left_alone", scope.query),
        "scope": scope,
        "count": found.count,
        "lines": [
            {
                "row": row,
                "href": reverse("web:endpoint", kwargs={"ws": row.workspace, "name": row.endpoint}),
                "what": terms.kind_words(row.kind) if row.kind else "",
                "high": of(row.high),
            }
            for row in found.rows
        ],
        "pages": pages_of("capacity_left_alone", scope.query, after, found.next_cursor),
    }
    return render(request, "capacity/left_alone.html", context, section="capacity")
