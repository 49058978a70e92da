"""Everything that is stored of some changes, as documents: for packs that are handed to others. Nothing is judged."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from endpoints.changes.models import (
    AfterReview,
    Attempt,
    Change,
    ChangeRevision,
    Check,
    Decision,
    GateOverride,
    Measurement,
    Note,
    Transition,
)

MOST_ROWS = 2000
"""Of each kind and change; a document says when there were more."""

_LISTS: tuple[tuple[str, Any, tuple[str, ...], tuple[str, ...]], ...] = (
    ("revisions", ChangeRevision, ("number", "plan", "base", "terms", "content_hash", "created_at"), ("editor",)),
    ("decisions", Decision, ("revision", "content_hash", "approved", "accepted", "at"), ("reviewer",)),
    ("checks", Check, ("revision", "moment", "name", "outcome", "reason", "acceptable", "at"), ()),
    ("transitions", Transition, ("version", "before", "after", "step", "actor", "reason", "at"), ()),
    (
        "measurements", Measurement,
        (
            "step", "gate", "outcome", "value", "limit", "requests", "minutes", "excused", "dry_run", "reason",
            "detail", "since", "until", "at",
        ),
        (),
    ),
    ("overrides", GateOverride, ("step", "gate", "reason", "at"), ("by",)),
    (
        "attempts", Attempt,
        (
            "step", "verb", "target", "intended", "request_id", "azure_request_id", "sent_at", "ended_at",
            "outcome", "status", "error", "operation_ended_at", "operation_failure",
        ),
        (),
    ),
    ("notes", Note, ("revision", "kind", "text", "at"), ("author",)),
    ("after_reviews", AfterReview, ("due_at", "sound", "words", "at"), ("reviewer",)),
)  # fmt: skip


def change_documents(change_ids: Collection[int], *, workspace_id: int) -> dict[int, dict[str, Any]]:
    """Each change of this workspace by its number, with all that was said, measured and sent; people as opaque ids."""
    changes = Change.objects.filter(pk__in=change_ids, workspace_id=workspace_id).order_by("pk")
    documents = {change.pk: _head(change) for change in changes}
    for name, model, fields, people in _LISTS:
        for number, rows in _rows(model, documents, fields, people).items():
            documents[number][name] = rows[:MOST_ROWS]
            if len(rows) > MOST_ROWS:
                documents[number].setdefault("cut", []).append(name)
    return documents


def _head(change: Change) -> dict[str, Any]:
    return {
        "number": f"CR-{change.pk}",
        "kind": change.kind,
        "state": change.state,
        "reverts": f"CR-{change.reverts_id}" if change.reverts_id else None,
        "emergency": change.emergency,
        "cause": change.cause,
        "author": _user(change.author_id),
        "created_at": _moment(change.created_at),
        "started_at": _plain(change.started_at),
        "started_by": _user(change.started_by_id),
        "ended_at": _plain(change.ended_at),
    }


def _rows(
    model: Any, change_ids: Iterable[int], fields: tuple[str, ...], people: tuple[str, ...]
) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {number: [] for number in change_ids}
    columns = ("change_id", *fields, *(f"{one}_id" for one in people))
    for row in model.objects.filter(change__in=list(found)).order_by("pk").values(*columns):
        document = {name: _plain(row[name]) for name in fields}
        document |= {("by" if one in ("by", "reviewer") else one): _user(row[f"{one}_id"]) for one in people}
        found[row["change_id"]].append(document)
    return found


def _user(number: int | None) -> str | None:
    return f"user:{number}" if number is not None else None


def _plain(value: Any) -> Any:
    return _moment(value) if isinstance(value, datetime) else value


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
