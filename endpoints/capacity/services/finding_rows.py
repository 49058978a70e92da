"""Findings in bulk: those that live, new ones, and content that follows the facts. In the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from endpoints.audit.actors import SYSTEM_CAPACITY
from endpoints.capacity.life import Kind, State
from endpoints.capacity.looking import Found, Key, Living
from endpoints.capacity.models import Finding, FindingEvent, LeftAlone
from endpoints.capacity.proposals import VERSION
from endpoints.capacity.services.look_found import Alone
from endpoints.capacity.worth import nanos

FLAG = "facts_now"
"""In the content of a frozen finding: its facts are others now."""
_BATCH = 1000
_LIVING = (
    "pk", "endpoint_id", "deployment_id", "kind", "state", "facts", "high_nanos", "currency", "until", "advice",
    "low_nanos", "cause", "cause_ref",
)  # fmt: skip
_FOLLOW = """
UPDATE capacity_finding f SET advice = t.advice, facts = t.facts, low_nanos = t.low, high_nanos = t.high,
    currency = t.currency, cause = t.cause, cause_ref = t.ref, rules = %(rules)s, rule_set = %(rule_set)s
FROM unnest(%(ids)s::bigint[], %(advice)s::jsonb[], %(facts)s::text[], %(low)s::bigint[], %(high)s::bigint[],
    %(currency)s::text[], %(cause)s::text[], %(ref)s::text[]) AS t (id, advice, facts, low, high, currency, cause, ref)
WHERE f.id = t.id AND f.state = 'open'
"""


class Stored:
    """The findings of a workspace that live, and what is stored of each."""

    def __init__(self, workspace_id: int) -> None:
        rows = Finding.objects.filter(workspace_id=workspace_id, ended_at=None).order_by("pk")
        self.rows: dict[int, dict[str, Any]] = {row["pk"]: row for row in rows.values(*_LIVING)}

    def living(self) -> list[Living]:
        return [
            Living(
                id=row["pk"],
                key=(row["endpoint_id"], row["deployment_id"]),
                kind=row["kind"],
                state=State(row["state"]),
                facts=row["facts"],
                high=row["high_nanos"],
                currency=row["currency"],
                until=row["until"],
                instances=row["advice"].get("now_instances"),
            )
            for row in self.rows.values()
        ]

    def taken(self) -> frozenset[int]:
        """Deployments on whose findings somebody said something."""
        return frozenset(
            row["deployment_id"]
            for row in self.rows.values()
            if row["deployment_id"] and row["state"] != State.OPEN
        )

    def is_new(self, number: int, found: Found) -> bool:
        """Whether it says something else than what is stored."""
        row = self.rows[number]
        stored = (
            row["facts"],
            row["low_nanos"],
            row["high_nanos"],
            row["cause"],
            row["cause_ref"],
            row["advice"],
        )
        return stored != (found.facts, found.low, found.high, found.cause, found.cause_ref, found.advice)

    def flagged(self) -> frozenset[int]:
        return frozenset(number for number, row in self.rows.items() if FLAG in row["advice"])


def columns(found: Found, rule_set: int) -> dict[str, Any]:
    """Its content, as columns of a finding."""
    return {
        "kind": found.kind,
        "rules": VERSION,
        "rule_set": rule_set,
        "currency": found.currency,
        "low_nanos": found.low,
        "high_nanos": found.high,
        "cause": found.cause,
        "cause_ref": found.cause_ref,
        "facts": found.facts,
        "advice": dict(found.advice),
    }


def insert(
    workspace_id: int, new: Sequence[tuple[Key, Found]], rule_set: int, now: datetime
) -> list[Finding]:
    """Open ones, each with its first event."""
    rows = Finding.objects.bulk_create(
        [
            Finding(
                workspace_id=workspace_id,
                endpoint_id=endpoint_id,
                deployment_id=deployment_id,
                state=State.OPEN,
                found_at=now,
                seen_at=now,
                **columns(found, rule_set),
            )
            for (endpoint_id, deployment_id), found in new
        ],
        batch_size=_BATCH,
    )
    FindingEvent.objects.bulk_create(
        [
            FindingEvent(
                finding=row, version=1, kind=Kind.FOUND, after=State.OPEN, actor=SYSTEM_CAPACITY.ref, at=now
            )
            for row in rows
        ],
        batch_size=_BATCH,
    )
    return rows


def follow(changed: Sequence[tuple[int, Found]], rule_set: int) -> None:
    """The content of open ones; one that somebody took meanwhile is frozen and stays."""
    for begin in range(0, len(changed), _BATCH):
        part = changed[begin : begin + _BATCH]
        values: dict[str, Any] = {
            "rules": VERSION,
            "rule_set": rule_set,
            "ids": [number for number, _ in part],
            "advice": [json.dumps(found.advice) for _, found in part],
            "facts": [found.facts for _, found in part],
            "low": [found.low for _, found in part],
            "high": [found.high for _, found in part],
            "currency": [found.currency for _, found in part],
            "cause": [found.cause for _, found in part],
            "ref": [found.cause_ref for _, found in part],
        }
        with connection.cursor() as cursor:
            cursor.execute(_FOLLOW, values)


def flag(numbers: Iterable[int], *, on: bool) -> None:
    """Say of frozen ones that their facts are others now, or that they are not."""
    change = "advice || jsonb_build_object(%(flag)s::text, true)" if on else "advice - %(flag)s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE capacity_finding SET advice = {change} WHERE id = ANY (%(ids)s) AND state <> 'open'",  # noqa: S608
            {"flag": FLAG, "ids": list(numbers)},
        )


def leave_alone(workspace_id: int, alone: Iterable[Alone], living: Mapping[int, Any], now: datetime) -> None:
    """In place of what the look before left alone. What has a finding that lives is told there."""
    LeftAlone.objects.filter(workspace_id=workspace_id).delete()
    LeftAlone.objects.bulk_create(
        [
            LeftAlone(
                deployment_id=one.placed.at.id,
                endpoint_id=one.placed.at.endpoint_id,
                workspace_id=workspace_id,
                reasons=list(one.reasons),
                kind=one.kind,
                currency=one.high.currency if one.high else "",
                high_nanos=nanos(one.high.amount) if one.high else None,
                seen_at=now,
            )
            for one in alone
            if one.placed.at.id not in living
        ],
        batch_size=_BATCH,
    )
