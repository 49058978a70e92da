"""The audit history: who did what, when, with what before and after; and whether the chain is whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponseBase, QueryDict
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Principal, may_anywhere
from endpoints.audit import selectors as ledger
from endpoints.audit.selectors import EntryRow, Filters
from endpoints.audit.services import remember_verification
from endpoints.core.errors import Invalid, Refused
from endpoints.web import exports, names
from endpoints.web.deeds import deed, difference
from endpoints.web.pages import SIGNED_IN, PageRequest, page, render, to
from endpoints.web.wording import count

TYPES = {
    "": "Anything",
    "change.": "Changes",
    "endpoint.": "Drift",
    "workspace.": "Workspaces",
    "user.": "Accounts",
    "grant.": "Roles",
    "token.": "API tokens",
    "session.": "Sign-ins",
}
COLUMNS = (
    "seq", "at", "actor", "actor_name", "auth", "action", "subject", "endpoint", "workspace_id", "before", "after",
    "request_id", "azure_request_id", "personal", "hash", "prev_hash",
)  # fmt: skip


def _reader(principal: Principal) -> ledger.Scope:
    if not may_anywhere(principal, Action.AUDIT_READ):
        raise Refused(
            "Your roles do not open the audit history. Ask a platform administrator for the role auditor."
        )
    return access.audit_scope(principal)


@page(SIGNED_IN)
def history(request: PageRequest) -> HttpResponseBase:
    """The list, by page or as a file."""
    scope = _reader(request.principal)
    filters, given = read_filters(request.GET, request.principal)
    if request.GET.get("format") in ("csv", "json"):
        return _export(request, scope, filters, given)
    found = ledger.entries(scope, filters, _number(request.GET.get("before")))
    here, workspaces = reverse("web:audit"), access.workspaces(request.principal)
    context = {
        "rows": found.rows,
        "workspace_of": names.workspace_of,
        "names": names.of_entries(found.rows, workspaces),
        "deed": deed,
        "difference": difference,
        "given": given,
        "filtered": any(given.values()),
        "types": TYPES,
        "workspaces": workspaces,
        "pages": {
            "first": f"{here}?{urlencode(given)}" if request.GET.get("before") else "",
            "next": f"{here}?{urlencode(given | {'before': found.cursor})}" if found.cursor else "",
        },
        "exports": {kind: f"{here}?{urlencode(given | {'format': kind})}" for kind in ("csv", "json")},
        **_chain(request.principal),
    }
    return render(request, "audit/history.html", context, section="audit")


def _chain(principal: Principal) -> dict[str, Any]:
    return {
        "summary": ledger.verification_summary(),
        "sealing": ledger.sealing(),
        "may_verify": may_anywhere(principal, Action.AUDIT_VERIFY),
    }


def read_filters(query: QueryDict, principal: Principal) -> tuple[Filters, dict[str, str]]:
    """The ledger's filters out of the address, and what was given, for the form and the links."""
    given = {
        name: query.get(name, "").strip()[:100]
        for name in ("ws", "actor", "endpoint", "subject", "type", "request", "from", "to")
    }
    workspace = access.workspace_by_slug(principal, given["ws"]) if given["ws"] else None
    filters = Filters(
        workspace_id=workspace.id if workspace else None,
        actor=given["actor"],
        subject=names.change_ref(given["subject"]),
        endpoint=given["endpoint"],
        action=given["type"],
        request_id=given["request"],
        since=_day(given["from"]),
        until=_day(given["to"], after=1),
    )
    return filters, given


def _day(text: str, *, after: int = 0) -> datetime | None:
    """Midnight UTC of a day; None for what is no day."""
    try:
        return (
            datetime.combine(date.fromisoformat(text) + timedelta(days=after), time(), UTC) if text else None
        )
    except (ValueError, OverflowError):
        return None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None


def _export(
    request: PageRequest, scope: ledger.Scope, filters: Filters, given: Mapping[str, str]
) -> HttpResponseBase:
    # A page shows that it was not narrowed; a file that names a filter which was not used would be false evidence.
    if (given["from"] and not filters.since) or (given["to"] and not filters.until):
        raise Invalid("From or to is no day like 2026-11-23. Nothing was exported.")
    rows = list(_all_rows(scope, filters))
    named = names.of_entries(rows)
    shown = [{column: getattr(row, column, None) for column in COLUMNS} for row in rows]
    for line, row in zip(shown, rows, strict=True):
        line["actor_name"], line["personal"] = named.get(row.actor, ""), dict(row.personal)
    name = f"audit-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    if request.GET["format"] == "csv":
        return exports.as_csv(name, COLUMNS, shown)
    about = {"made_at": datetime.now(UTC), "filters": dict(given), "complete": len(rows) < exports.LIMIT}
    return exports.as_json(name, COLUMNS, shown, about=about)


def _all_rows(scope: ledger.Scope, filters: Filters) -> Iterator[EntryRow]:
    cursor: int | None = None
    for _ in range(exports.LIMIT // ledger.LARGEST_PAGE):
        found = ledger.entries(scope, filters, cursor, ledger.LARGEST_PAGE)
        yield from found.rows
        cursor = found.cursor
        if cursor is None:
            return


@page(SIGNED_IN)
def entry(request: PageRequest, *, seq: int) -> HttpResponseBase:
    """One entry in full."""
    row = ledger.entry(_reader(request.principal), seq)
    context = {
        "row": row,
        "deed": deed,
        "names": names.of_entries([row]),
        "workspace": names.workspace_of(row),
        **_chain(request.principal),
    }
    return render(request, "audit/entry.html", context, section="audit")


@page(SIGNED_IN, "GET", "POST")
def verify(request: PageRequest) -> HttpResponseBase:
    """What vouches for the ledger: the last check, checkpoints with their text, the public key. A POST checks now."""
    if request.method == "POST":
        return _check_now(request)
    _reader(request.principal)
    found = ledger.checkpoints(_number(request.GET.get("before")))
    here = reverse("web:audit_verify")
    context = {
        "checkpoints": found.rows,
        "pages": {
            "first": here if request.GET.get("before") else "",
            "next": f"{here}?before={found.cursor}" if found.cursor else "",
        },
        **_chain(request.principal),
    }
    return render(request, "audit/verify.html", context, section="audit")


def _check_now(request: PageRequest) -> HttpResponseBase:
    me = request.principal
    if not may_anywhere(me, Action.AUDIT_VERIFY):
        raise Refused("Your roles do not let you verify the audit history. Nothing was checked.")
    found = remember_verification(asked_by=me.ref)
    if not found.ok:
        messages.warning(request, f"The ledger is broken. {found.reason}")
    elif found.unchecked:
        messages.warning(
            request, f"Nothing wrong was found, but not all could be checked. {found.unchecked[0]}"
        )
    else:
        told = f"{count(found.count)} entries and {count(found.checkpoints)} checkpoints were checked."
        messages.success(request, f"Chain intact: {told}")
    return to("audit_verify")
