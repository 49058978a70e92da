"""What must be true each time somebody acts on a change: it is theirs to see, and still as they saw it."""

from __future__ import annotations

from endpoints.access.policies import Action, Principal, require, visible_workspaces
from endpoints.changes.lifecycle import Kind
from endpoints.changes.models import Change, ChangeRevision, Lease
from endpoints.changes.services.lease import lock_lease
from endpoints.changes.services.people import workspace_slug
from endpoints.core.errors import Conflict, NotFound


def lock_change(change_id: int, principal: Principal) -> Change:
    """The change, locked until this transaction ends; NotFound when the principal may not even see it."""
    change = Change.objects.select_for_update(no_key=True).filter(pk=change_id).first()
    if change is None or change.workspace_id not in visible_workspaces(principal):
        raise NotFound(f"There is no CR-{change_id}, or not for you.")
    return change


def lock_both(change_id: int, principal: Principal) -> tuple[Lease, Change]:
    """Lease, then change: everybody who needs both locks in this order, or two of them wait for each other."""
    change = Change.objects.filter(pk=change_id).first()
    if change is None or change.workspace_id not in visible_workspaces(principal):
        raise NotFound(f"There is no CR-{change_id}, or not for you.")
    lease = lock_lease(change.endpoint_id)
    return lease, lock_change(change_id, principal)


def current_revision(change: Change) -> ChangeRevision:
    """The content that the change has now."""
    return ChangeRevision.objects.get(change=change, number=change.revision)


def same_content(revision: ChangeRevision, seen_hash: str) -> None:
    """Conflict when the change was edited after the caller looked at it."""
    if revision.content_hash != seen_hash:
        raise Conflict(
            f"CR-{revision.change_id} was edited after you opened it. Nothing was stored; read what is new first."
        )


def editors_of(change: Change) -> set[int]:
    """Everybody who wrote any part of it; none of them can approve it."""
    writers = {change.author_id, *change.revisions.values_list("editor_id", flat=True)}
    return {writer for writer in writers if writer is not None}


def writing(change: Change) -> Action:
    """What it takes to ask for, edit or withdraw such a change."""
    return Action.CREATE_CAPACITY if change.kind == Kind.CAPACITY else Action.CREATE_TRAFFIC


def permit(change: Change, principal: Principal, action: Action) -> None:
    """Refused, with the reason, when policy says no to this person on this change."""
    require(
        principal,
        action,
        workspace_id=change.workspace_id,
        own=principal.is_any_of([change.author_id]),
        involved=principal.is_any_of(editors_of(change)),
        workspace=workspace_slug(change.workspace_id),
    )
