"""Ledger entries in words: what was done, and the part of before and after that a person compares.

The entry's own page shows everything as it is stored; this is for lists. An action without words here is shown
by its name, never left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from endpoints.changes.plan import VERBS
from endpoints.changes.services.moves import LABELS
from endpoints.core.traffic import describe

_DEEDS = {
    "change.requested.traffic": "asked for a traffic change",
    "change.requested.rollback": "rolled back",
    "change.requested.capacity": "asked for a capacity change",
    "change.files_kept": "kept files of what is to be deleted",
    "change.checking": "edited it; approvals are void",
    "change.in_review": "checks passed, waits for review",
    "change.check_failed": "held by its checks",
    "change.approved": "approved it",
    "change.approved.partly": "approved it; others must too",
    "change.approved.again": "approved it once more, for it had fallen short",
    "change.rejected": "rejected it",
    "change.withdrawn": "withdrew it",
    "change.expired": "expired unused",
    "change.scheduled": "scheduled its start",
    "change.unscheduled": "called its start off",
    "change.suspended": "could not be started when it was due",
    "change.review_after.due": "broke the glass; somebody else must review it",
    "change.reviewed_after": "reviewed what was started in an emergency",
    "change.commented": "commented on it",
    "change.applying": "started it",
    "change.verifying": "reads Azure back",
    "change.confirmed": "Azure confirmed what was ordered",
    "change.succeeded": "done: Azure reported it twice",
    "change.failed": "failed",
    "change.drifted": "stopped: Azure shows what nobody here ordered",
    "change.superseded": "ended by a rollback",
    "change.call.intended": "about to call Azure",
    "change.call.accepted": "Azure accepted the call",
    "change.call.refused": "Azure refused the call",
    "change.call.unanswered": "the call got no clear answer",
    "change.baking": "the step is in force and bakes",
    "change.held": "held it",
    "change.hold.wanted": "wants it held once its step is in force",
    "change.hold.taken_back": "took the wish to hold it back",
    "change.gates": "its gates say another thing",
    "gate.overridden": "overrode a gate",
    "freeze.made": "made a freeze",
    "freeze.ended": "ended a freeze",
    "line.stopped": "stopped the line",
    "line.released": "lifted a stop of the line",
    "hold.overridden": "let a change past a freeze or stop",
    "protection.made": "protected it",
    "protection.ended": "ended a protection",
    "drill.ended": "the drill is over",
    "sample.set": "set a sample request",
    "sample.ended": "ended the probing",
    "probe.asked": "had deployments asked directly",
    "probe.made": "a deployment was asked directly",
    "change.requested.drill": "asked for a rollback drill",
    "order.refused": "was refused",
    "budget.proposed": "proposed a latency budget",
    "budget.set": "set a latency budget",
    "budget.rejected": "rejected a latency budget",
    "budget.withdrawn": "took a proposed latency budget back",
    "figure.defined": "defined a business figure",
    "figure.ended": "ended a business figure",
    "predictions.sent": "sends records of requests",
    "predictions.dropped": "dropped records of requests that are past their time",
    "predictions.released": "let go of records of requests that nobody needs any more",
    "case.raised": "raised a case",
    "case.record_chosen": "chose the record that a case is about",
    "case.evidence_collected": "collected evidence",
    "case.assigned": "assigned a case",
    "case.commented": "commented on a case",
    "case.linked": "linked a case with another one",
    "case.decided": "decided a case",
    "case.sent_back": "sent a decision back",
    "case.confirmed": "confirmed a decision, which closed the case",
    "case.reopened": "opened a case again",
    "case.hold_asked": "asked for a legal hold",
    "case.hold_agreed": "agreed to a legal hold",
    "case.hold_ended": "ended a legal hold, or turned one down",
    "case.erasure_asked": "asked to erase a case's texts",
    "case.erasure_withdrawn": "took an erasure back, or turned it down",
    "case.erased": "agreed to erase a case's texts",
    "case.policy_set": "set how cases are dealt with",
    "finding.looked": "looked what capacity could be saved",
    "finding.claimed": "claimed a finding",
    "finding.released": "gave a finding back",
    "finding.filed": "filed a finding",
    "finding.postponed": "postponed a finding",
    "finding.dismissed": "dismissed a finding",
    "finding.commented": "commented on a finding",
    "finding.due": "a postponed finding is due again",
    "finding.facts_changed": "a finding is open again: its facts are others",
    "finding.gone": "there is nothing to save any more",
    "finding.acted": "what a finding proposed was done",
    "finding.came_to_nothing": "a finding's change came to nothing",
    "finding.undone": "what a finding proposed was rolled back",
    "finding.verified": "verified what a finding saved",
    "finding.not_saved": "nothing was saved by what a finding proposed",
    "finding.rebounded": "what was saved is paid again",
    "finding.done": "closed a finding: its saving held",
    "capacity.rules_set": "set the rules of capacity",
    "capacity.plan_set": "set what may be spent on capacity",
    "capacity.value_set": "said what a prediction is worth",
    "capacity.agreed": "told of an agreement on prices",
    "capacity.agreement_ended": "ended an agreement on prices",
    "capacity.alerted": "raised an alert about money",
    "capacity.alert_ended": "found an alert about money settled",
    "evidence.exported": "took an evidence pack away",
    "channel.added": "made a channel for messages",
    "channel.ended": "ended a channel for messages",
    "channel.tested": "sent a test through a channel",
    "channel.key_shown": "looked at a channel's signing key",
    "evidence.read": "looked at evidence",
    "personal.erased": "erased the texts of entries",
    "audit.broken": "found the ledger broken, and signed nothing",
    "endpoint.drift": "changed outside the portal",
    "drift.attributed": "looked in Azure's activity log who changed it",
    "rule.proposed": "proposed an approval rule",
    "rule.made": "made an approval rule",
    "rule.end_proposed": "proposed that an approval rule ends",
    "rule.ended": "ended an approval rule",
    "rule.rejected": "rejected a proposal about approval rules",
    "rule.withdrawn": "took a proposal about approval rules back",
    "template.made": "made a rollout template",
    "template.ended": "ended a rollout template",
    "password.proved": "gave the password once more",
    "password.refused": "gave a wrong password for a further proof",
    "workspace.connected": "connected a workspace",
    "workspace.disconnected": "disconnected a workspace",
    "workspace.sync_requested": "asked for a reading of Azure",
    "metrics.reading_requested": "asked for a reading of metrics",
    "metrics.backfill_ordered": "ordered past metrics to be read",
    "metrics.backfill_cancelled": "stopped the reading of past metrics",
    "user.created": "created an account",
    "user.disabled": "disabled an account",
    "user.enabled": "enabled an account",
    "user.password_changed": "changed the own password",
    "user.password_given": "gave a new password",
    "grant.given": "granted a role",
    "grant.given_to_self": "granted a role to themselves",
    "grant.ended": "ended a role",
    "token.created": "created an API token",
    "token.revoked": "revoked an API token",
    "session.started": "signed in",
    "session.ended": "signed out",
    "session.refused": "sign-in refused",
}
# Counters and repetitions: on the entry's own page, not in a list.
_QUIET = frozenset(
    {"version", "step", "epoch", "call", "attempt", "verb", "hash", "state_hash", "revision", "grant"}
)
_SPLIT = frozenset({"split", "mirror", "base", "plan"})
# What a step of capacity holds, which is told in one breath.
_STEP = frozenset({"deployment", "instances", "was", "setting", "document", "previous"})
_OF_CAPACITY = frozenset(VERBS) - {"put_split"}


def deed(action: str) -> str:
    """The action in words."""
    return _DEEDS.get(action, action)


def difference(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[str, str]:
    """Before and after, each as one line; "" where there is nothing to compare."""
    now = dict(after or {})
    base, plan = now.pop("base", None), now.pop("plan", None)
    if isinstance(base, Mapping) and isinstance(plan, list) and plan:
        told = [_capacity(step) for step in plan if step.get("verb") in _OF_CAPACITY]
        return _split(base), "; ".join(told) or _split(plan[-1])
    return _line(before or {}), _line(now)


def _capacity(step: Mapping[str, Any]) -> str:
    """A step that is not of traffic, out of what is stored of it."""
    match step["verb"]:
        case "patch_capacity":
            since = f"from {step['was']} " if step.get("was") else ""
            return f"{step.get('deployment')} {since}to {step.get('instances')} instances"
        case "put_autoscale":
            return f"autoscale of {step.get('deployment')}"
        case "delete_deployment":
            return f"{step.get('deployment')} deleted"
        case _:
            return "endpoint deleted"


def _line(facts: Mapping[str, Any]) -> str:
    of_capacity = facts.get("verb") in _OF_CAPACITY
    left_out = _QUIET | _SPLIT | (_STEP if of_capacity else frozenset())
    shown = [_capacity(facts)] if of_capacity else [_split(facts)] if "split" in facts else []
    shown += [
        _fact(name, value)
        for name, value in facts.items()
        if name not in left_out and value not in ("", None, {}, [])
    ]
    return "; ".join(shown)


def _split(facts: Mapping[str, Any]) -> str:
    mirror = facts.get("mirror")
    return describe(facts["split"]) + (f", mirrors {describe(mirror)}" if mirror else "")


def _fact(name: str, value: Any) -> str:
    if name == "state":
        return LABELS.get(value, str(value))
    if name in ("traffic", "mirror_traffic", "found", "ordered") and isinstance(value, Mapping):
        words = _split(value) if "split" in value else describe(value)
        return words if name == "traffic" else f"{name.replace('_', ' ')} {words}"
    if name == "why":
        return str(value)
    return f"{name.replace('_', ' ')} {_plain(value)}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return str(value)
