"""What must hold at the moment of use, whoever acts: checks, approvals, freezes, and the base that was approved."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from endpoints.changes.checks import run
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import base_from_json
from endpoints.changes.quorum import Quorum
from endpoints.changes.selectors.holding import holds_against
from endpoints.changes.selectors.quorum import quorum_of
from endpoints.changes.selectors.situation import current_base, situation_of
from endpoints.changes.services.revise import keep_checks
from endpoints.changes.verdict import overall, unaccepted
from endpoints.core import traffic
from endpoints.core.errors import Conflict
from endpoints.dispatch import db_now
from endpoints.holds.selectors import Hold


def still_true(change: Change, *, moment: str, doing: str, accepted: Collection[str]) -> list[str]:
    """Run the checks now and keep them. The warnings that had to be accepted and were are returned, by name.

    Conflict with the worst one's reason when any blocks, or with every warning that nobody accepted.
    """
    verdicts = run(situation_of(change))
    worst = overall(verdicts)
    if worst.blocks:
        raise Conflict(f"{worst.name}: {worst.reason} {doing}")
    if left := unaccepted(verdicts, accepted):
        told = " ".join(f"{verdict.name}: {verdict.reason}" for verdict in left)
        raise Conflict(f"Not accepted by name: {told} {doing}")
    keep_checks(change=change, moment=moment, verdicts=verdicts)
    return [verdict.name for verdict in verdicts if verdict.needs_acceptance]


def not_expired(change: Change, *, doing: str) -> None:
    """Conflict when the request or its approval is too old, though nobody may have ended it yet."""
    if change.approval_expires_at is None or change.approval_expires_at <= db_now():
        raise Conflict(f"The approval of CR-{change.pk} has expired. {doing}")


def approvals_hold(
    change: Change, revision: ChangeRevision, *, doing: str, at: datetime | None = None
) -> Quorum:
    """Conflict unless so many fresh approvals of exactly this content stand, by people who may still give them."""
    not_expired(change, doing=doing)
    found = quorum_of(change, revision, at=at)
    if not found.met:
        lost = "" if found.given else f"No approval of CR-{change.pk} is valid any more. "
        raise Conflict(f"{lost}{' '.join(found.missing)} {doing}")
    return found


def not_held(change: Change, revision: ChangeRevision, *, doing: str) -> None:
    """Conflict when a freeze, stop or protection is in force that nobody let this change past."""
    if found := holds_against(change, revision):
        raise Conflict(f"{told_holds(found)} {doing}")


def told_holds(holds: tuple[Hold, ...]) -> str:
    """Each with its reason and its end, in words."""
    return " ".join(
        f"{hold.title} ({f'until {hold.until:%Y-%m-%d %H:%M} UTC' if hold.until else 'until somebody ends it'})"
        f": {hold.reason.rstrip('.')}."
        for hold in holds
    )


def drift_since(change: Change, revision: ChangeRevision, *, was: str = "when this was approved") -> str:
    """Why the base that was approved is not the live one, in words; "" when it is."""
    base, live = base_from_json(revision.base), current_base(change.endpoint_id)
    if traffic.same(base.split, live.split) and traffic.same(base.mirror, live.mirror):
        return ""
    before, now = traffic.describe(base.split), traffic.describe(live.split)
    return f"Live traffic was {before} {was} and is {now} now."
