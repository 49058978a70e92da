"""The warnings of a change that people accepted by name: those who approve it, who scheduled it, who started it."""

from __future__ import annotations

from endpoints.changes.models import Change, Check, Decision
from endpoints.changes.verdict import Outcome, Verdict


def accepted_by_people(change: Change) -> frozenset[str]:
    """All of this revision: what a further step may go on with although it is no pass."""
    decisions = Decision.objects.filter(change=change, revision=change.revision, approved=True)
    approved = frozenset(name for names in decisions.values_list("accepted", flat=True) for name in names)
    return approved | accepted_at(change, "schedule") | accepted_at(change, "start")


def accepted_at(change: Change, moment: str) -> frozenset[str]:
    """What had to be accepted when the change was last scheduled or started, and was: else it would not have been."""
    kept = Check.objects.filter(change=change, revision=change.revision, moment=moment)
    newest = kept.order_by("-pk").values_list("at", flat=True).first()
    if newest is None:
        return frozenset()
    told = (
        Verdict(row.name, Outcome(row.outcome), row.reason, row.acceptable) for row in kept.filter(at=newest)
    )
    return frozenset(verdict.name for verdict in told if verdict.needs_acceptance)
