"""The audit history, narrowed to what the caller may read, and the check of its chain."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Principal, may_anywhere, require
from endpoints.api.operation import Call, operation
from endpoints.api.paging import NumberedQuery, page
from endpoints.api.rules import narrowed_to
from endpoints.api.shapes import ActorOut, Refs, Shape, actor, named, next_field, shape_names
from endpoints.api.view import ApiView
from endpoints.audit import selectors as ledger
from endpoints.audit.selectors import EntryRow, Filters, Scope
from endpoints.audit.services import remember_verification
from endpoints.core.errors import Refused

_REF = r"^[a-z][a-z_-]*:[A-Za-z0-9_.-]{1,80}$"


class EntryOut(Shape):
    """One event. `personal` holds names and free text that are still kept; the chain holds commitments to them."""

    seq = serializers.IntegerField()
    event_id = serializers.CharField()
    at = serializers.DateTimeField()
    app_at = serializers.DateTimeField()
    actor = ActorOut()
    on_behalf = ActorOut(allow_null=True)
    auth = serializers.CharField()
    workspace = serializers.CharField(allow_null=True)
    subject = serializers.CharField()
    endpoint = serializers.CharField()
    action = serializers.CharField()
    request_id = serializers.CharField()
    azure_request_id = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    personal = serializers.DictField(child=serializers.CharField())
    hash = serializers.CharField()
    prev_hash = serializers.CharField()


class EntryListOut(Shape):
    """A page of events, newest first."""

    items = EntryOut(many=True)
    next = next_field()


class VerificationOut(Shape):
    """The ledger's head, and the newest check of the whole chain. `checked_at` null: it was never checked."""

    entries = serializers.IntegerField()
    head_seq = serializers.IntegerField(allow_null=True)
    head_hash = serializers.CharField()
    head_at = serializers.DateTimeField(allow_null=True)
    checked_at = serializers.DateTimeField(allow_null=True)
    ok = serializers.BooleanField(allow_null=True)
    checked_to = serializers.IntegerField(allow_null=True)
    first_bad_seq = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()
    checkpoints = serializers.IntegerField()
    unchecked = serializers.ListField(child=serializers.CharField())


class CheckpointOut(Shape):
    """A signed statement about the first `size` entries. `note` is all of it; `places` is where outside it arrived."""

    size = serializers.IntegerField()
    at = serializers.DateTimeField()
    root_hash = serializers.CharField(source="root")
    head_hash = serializers.CharField(source="head")
    note = serializers.CharField()
    places = serializers.ListField(child=serializers.CharField())


class CheckpointListOut(Shape):
    """A page of checkpoints, newest first."""

    items = CheckpointOut(many=True)
    next = next_field()


class SealingOut(Shape):
    """What vouches for the ledger. `key` is the public key as verifiers take it; empty: `no_key` says why."""

    key = serializers.CharField()
    no_key = serializers.CharField()
    sealed = serializers.ChoiceField(["none", "late", "fresh"])
    sealed_to = serializers.IntegerField(allow_null=True)
    sealed_at = serializers.DateTimeField(allow_null=True)
    anchored = serializers.ChoiceField(["none", "late", "fresh"])
    anchored_to = serializers.IntegerField(allow_null=True)
    anchored_at = serializers.DateTimeField(allow_null=True)
    places = serializers.ListField(child=serializers.CharField())
    open_ways = serializers.ListField(child=serializers.CharField())
    words = serializers.CharField()


class EntriesQuery(NumberedQuery):
    """Query of the history: all that is given must hold."""

    workspace = serializers.CharField(required=False, max_length=63)
    actor = serializers.RegexField(_REF, required=False, help_text="A ref, as `user:7`.")
    subject = serializers.RegexField(_REF, required=False, help_text="A ref, as `change:42`.")
    endpoint = serializers.RegexField(_REF, required=False, help_text="A ref, as `endpoint:5`.")
    action = serializers.RegexField(
        r"^[a-z_.]{1,80}$", required=False, help_text="An action, or a prefix that ends in a dot: `change.`."
    )
    request_id = serializers.RegexField(r"^[A-Za-z0-9_-]{1,64}$", required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)


class Entries(ApiView):
    """`/audit`."""

    @operation(
        narrowed_to(Action.AUDIT_READ),
        name="audit_list",
        summary="Audit history",
        query=EntriesQuery,
        answers={200: EntryListOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """Events that the caller may read, newest first. Workspaces narrow it, and own acts widen it."""
        scope = _reader(call.principal)
        query = dict(call.query)
        before, limit, slug = query.pop("before", None), query.pop("limit"), query.pop("workspace", None)
        workspace_id = access.workspace_by_slug(call.principal, slug).id if slug else None
        found = ledger.entries(scope, Filters(workspace_id=workspace_id, **query), before, limit)
        return Response(page(call.request, _shown(found.rows), before=found.cursor))


class Entry(ApiView):
    """`/audit/{seq}`."""

    @operation(
        narrowed_to(Action.AUDIT_READ),
        name="audit_get",
        summary="One event",
        answers={200: EntryOut},
        problems=(404,),
    )
    def get(self, call: Call, seq: int) -> Response:
        """One event in full."""
        return Response(_shown([ledger.entry(_reader(call.principal), seq)])[0])


class Verification(ApiView):
    """`/audit/verification`."""

    @operation(
        narrowed_to(Action.AUDIT_READ),
        name="audit_verification",
        summary="Whether the chain is whole",
        answers={200: VerificationOut},
    )
    def get(self, call: Call) -> Response:
        """The newest check. No check is not a whole chain."""
        _reader(call.principal)
        return Response(VerificationOut(ledger.verification_summary()).data)

    @operation(
        narrowed_to(Action.AUDIT_VERIFY),
        name="audit_verify",
        summary="Check the chain now",
        answers={200: VerificationOut},
    )
    def post(self, call: Call) -> Response:
        """Reads every entry, and keeps the result. A chain that is not whole is an answer (`ok` false), no error."""
        require(call.principal, Action.AUDIT_VERIFY)
        remember_verification(asked_by=call.principal.ref)
        return Response(VerificationOut(ledger.verification_summary()).data)


class Checkpoints(ApiView):
    """`/audit/checkpoints`."""

    @operation(
        narrowed_to(Action.AUDIT_READ),
        name="audit_checkpoints",
        summary="Signed checkpoints",
        query=NumberedQuery,
        answers={200: CheckpointListOut},
    )
    def get(self, call: Call) -> Response:
        """Checkpoints of the whole ledger, newest first; `before` is a size."""
        _reader(call.principal)
        found = ledger.checkpoints(call.query.get("before"), call.query["limit"])
        items = [CheckpointOut(row).data for row in found.rows]
        return Response(page(call.request, items, before=found.cursor))


class Checkpoint(ApiView):
    """`/audit/checkpoints/{size}`."""

    @operation(
        narrowed_to(Action.AUDIT_READ),
        name="audit_checkpoint",
        summary="One checkpoint",
        answers={200: CheckpointOut},
        problems=(404,),
    )
    def get(self, call: Call, size: int) -> Response:
        """The checkpoint of so many entries."""
        _reader(call.principal)
        return Response(CheckpointOut(ledger.checkpoint(size)).data)


class Sealing(ApiView):
    """`/audit/sealing`."""

    @operation(
        narrowed_to(Action.AUDIT_READ),
        name="audit_sealing",
        summary="What vouches for the ledger",
        answers={200: SealingOut},
    )
    def get(self, call: Call) -> Response:
        """The newest checkpoint, the newest anchor outside the database, and the public key."""
        _reader(call.principal)
        found = ledger.sealing()
        newest, anchor = found.newest, found.anchor
        shown = {
            name: getattr(found, name)
            for name in ("key", "no_key", "sealed", "anchored", "open_ways", "words")
        }
        shown |= {"sealed_to": newest.size if newest else None, "sealed_at": newest.at if newest else None}
        shown |= {
            "anchored_to": anchor.size if anchor else None,
            "anchored_at": anchor.at if anchor else None,
        }
        return Response(SealingOut(shown | {"places": anchor.places if anchor else ()}).data)


def _reader(principal: Principal) -> Scope:
    if not may_anywhere(principal, Action.AUDIT_READ):
        raise Refused("Your roles do not open the audit history.")
    return access.audit_scope(principal)


def _shown(rows: list[EntryRow]) -> list[dict[str, Any]]:
    names = named({ref for row in rows for ref in (row.actor, row.on_behalf) if ref})
    places = {row.workspace_id for row in rows if row.workspace_id is not None}
    slugs = {workspace_id: access.workspace(workspace_id).slug for workspace_id in places}
    return [_entry(row, names, slugs) for row in rows]


def _entry(row: EntryRow, names: Refs, slugs: dict[int, str]) -> dict[str, Any]:
    plain = shape_names(EntryOut) - {"actor", "on_behalf", "workspace"}
    fields = {name: getattr(row, name) for name in plain} | {
        "actor": actor(row.actor, names),
        "on_behalf": actor(row.on_behalf, names) if row.on_behalf else None,
        "workspace": None if row.workspace_id is None else slugs[row.workspace_id],
    }
    return dict(EntryOut(fields).data)
