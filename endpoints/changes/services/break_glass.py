"""Break the glass: start in an emergency what nobody approved. Somebody else must judge it within a day.

What makes a start impossible or blind still holds: the split must be legal, what gains traffic must be Succeeded, and
live traffic must be what the plan was written against. Freezes and stops are passed, and that is recorded.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.changes import checks
from endpoints.changes.lifecycle import BREAK_GLASS, Kind, State
from endpoints.changes.models import AfterReview, Change, ChangeRevision
from endpoints.changes.selectors.after_review import EMERGENCY
from endpoints.changes.selectors.holding import holds_against
from endpoints.changes.selectors.situation import situation_of
from endpoints.changes.services.conditions import told_holds
from endpoints.changes.services.guards import current_revision, lock_both, permit, same_content
from endpoints.changes.services.handover import NOT_STARTED, hand_over
from endpoints.changes.services.moves import moved_on, tell_ledger
from endpoints.changes.services.people import person_id
from endpoints.changes.services.revise import add_note, clean_reason, keep_checks
from endpoints.changes.verdict import Verdict
from endpoints.core.errors import Conflict, Refused
from endpoints.dispatch import db_now
from endpoints.holds.selectors import Kind as HoldKind

PROOF_LASTS = timedelta(minutes=5)
HARD = frozenset(
    {
        "Azure takes this split",
        "Deployments that gain traffic are Succeeded",
        "Live traffic is as it was when this was written",
    }
)
"""The checks that no emergency passes."""
_BREAKABLE = BREAK_GLASS | {State.APPROVED, State.SCHEDULED}
_PASSED = frozenset({HoldKind.FREEZE, HoldKind.STOP})


@transaction.atomic
def break_glass(
    *, principal: Principal, change_id: int, seen_hash: str, reason: str, proved_at: datetime | None
) -> None:
    """Start it without approvals. `proved_at`: when this person last gave their password in this session."""
    lease, change = lock_both(change_id, principal)
    permit(change, principal, Action.BREAK_GLASS)
    if change.kind == Kind.CAPACITY:
        raise Conflict(f"Only traffic changes can be started without approval. {NOT_STARTED}")
    _proved(proved_at)
    words = clean_reason(reason)
    if State(change.state) not in _BREAKABLE or change.kind != Kind.TRAFFIC:
        raise moved_on(change)
    if AfterReview.objects.filter(change=change).exists():
        raise Conflict(f"CR-{change.pk} was an emergency before; ask for a change of its own. {NOT_STARTED}")
    revision = current_revision(change)
    same_content(revision, seen_hash)
    passed = _holds_passed(change, revision)
    ignored = _checks_passed(change)
    by, due_at = person_id(principal), db_now() + timedelta(hours=settings.OPSPORTAL.break_glass_review_hours)
    add_note(change=change, author_id=by, kind=EMERGENCY, text=words)
    hand_over(
        lease,
        change,
        revision,
        person=by,
        actor=principal.actor,
        facts={"emergency": True, "overridden": passed, "not_passed": ignored},
        personal={"reason": words},
        emergency=True,
    )
    AfterReview.objects.create(change=change, due_at=due_at)
    tell_ledger(
        change,
        principal.actor,
        "change.review_after.due",
        after={"due": due_at.isoformat(timespec="seconds")},
    )


def _proved(proved_at: datetime | None) -> None:
    now = db_now()
    if proved_at is None or not now - PROOF_LASTS <= proved_at <= now:
        raise Refused(
            f"Give your password again: it must be proved no longer than {PROOF_LASTS.seconds // 60} minutes ago. "
            f"{NOT_STARTED}"
        )


def _holds_passed(change: Change, revision: ChangeRevision) -> list[str]:
    """Refs of the freezes and stops in force; Conflict for what protects evidence, which stays as it is."""
    found = holds_against(change, revision)
    kept = tuple(hold for hold in found if hold.kind not in _PASSED)
    if kept:
        raise Conflict(f"{told_holds(kept)} An emergency does not pass that. {NOT_STARTED}")
    return [hold.ref for hold in found]


def _checks_passed(change: Change) -> list[str]:
    """Run the checks and keep them. Names of those that did not pass and need not; Conflict for one that must."""
    verdicts = checks.run(situation_of(change))
    told = {verdict.name: verdict for verdict in verdicts}
    if missing := sorted(HARD - set(told)):
        raise Conflict(f"Not checked: {', '.join(missing)}. {NOT_STARTED}")
    if bad := [told[name] for name in sorted(HARD) if not told[name].passed]:
        raise Conflict(f"{_told(bad)} {NOT_STARTED}")
    keep_checks(change=change, moment="emergency", verdicts=verdicts)
    return [verdict.name for verdict in verdicts if not verdict.passed]


def _told(verdicts: list[Verdict]) -> str:
    return " ".join(f"{verdict.name}: {verdict.reason}" for verdict in verdicts)
