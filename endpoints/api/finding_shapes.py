"""Findings as the API shows them: what could be saved, on what it stands, and what happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from endpoints.access.selectors import workspace_names
from endpoints.api.capacity_shapes import MoneyOut, exact, money
from endpoints.api.shapes import ActorOut, Refs, Shape, actor, named, next_field, person
from endpoints.capacity.life import State
from endpoints.capacity.selectors.findings import FindingDetail, FindingRow, Happened, LeftAloneRow, LookedRow
from endpoints.capacity.told import Told


class OtherOut(Shape):
    """Another way to save on the same instances: noted, and never added."""

    kind = serializers.CharField()
    high = MoneyOut(allow_null=True)


class AdviceOut(Shape):
    """The proposal. `formula` says how it was worked out, `effect` what it does to peak load and rolling back."""

    to = serializers.CharField()
    instances = serializers.IntegerField(allow_null=True)
    sku = serializers.CharField()
    now_instances = serializers.IntegerField(allow_null=True)
    now_sku = serializers.CharField()
    sure = serializers.CharField()
    risk = serializers.CharField()
    formula = serializers.CharField()
    evidence = serializers.ListField(child=serializers.CharField())
    effect = serializers.CharField()
    price_date = serializers.DateTimeField(allow_null=True)
    since = serializers.DateField(help_text="The days that were looked at, `until` not among them.")
    until = serializers.DateField()
    others = OtherOut(many=True)


class SavingBriefOut(Shape):
    """What became of it. `monthly` null: not verified. An empty state: nothing was done yet."""

    state = serializers.CharField()
    monthly = MoneyOut(allow_null=True)


class ItsChangeOut(Shape):
    """The change that was asked for."""

    number = serializers.IntegerField()
    state = serializers.CharField()


class FindingItemOut(Shape):
    """Something that could be saved, `low` to `high` a month; null: the price is not known.

    An empty deployment: the endpoint as a whole.
    """

    id = serializers.IntegerField()
    number = serializers.CharField()
    workspace = serializers.CharField()
    endpoint = serializers.CharField()
    deployment = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=list(State))
    version = serializers.IntegerField(help_text="Counts what happened to it; what moves it must name it.")
    low = MoneyOut(allow_null=True)
    high = MoneyOut(allow_null=True)
    why = serializers.CharField()
    cause = serializers.CharField()
    cause_ref = serializers.CharField()
    owner = serializers.CharField()
    team = serializers.CharField()
    claimed_by = ActorOut(allow_null=True)
    due = serializers.DateField(allow_null=True)
    postponed_until = serializers.DateField(allow_null=True)
    change = ItsChangeOut(allow_null=True)
    found_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    saving = SavingBriefOut()


class HappenedOut(Shape):
    """One move. `words` are a person's; empty: none were given, or they were erased."""

    kind = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()
    actor = ActorOut()
    data = serializers.DictField()  # type: ignore[assignment]  # the field of this name
    words = serializers.CharField()
    at = serializers.DateTimeField()


class FindingOut(FindingItemOut):
    """A finding with all that it stands on. `facts_changed`: they are others by now than those that were claimed.

    `kept_alone`: why nothing would be proposed there now.
    """

    advice = AdviceOut()
    facts_changed = serializers.BooleanField()
    kept_alone = serializers.ListField(child=serializers.CharField())
    happened = HappenedOut(many=True)


class LookOut(Shape):
    """When a workspace's findings were looked for last. `failed`: why that came to nothing, or empty."""

    workspace = serializers.CharField()
    at = serializers.DateTimeField()
    deployments = serializers.IntegerField()
    failed = serializers.CharField()


class FindingListOut(Shape):
    """A page. `count`, `sums` (a month's, by currency) and `unpriced` are of all that match.

    No instance counts twice. `looks`: how old the findings are.
    """

    items = FindingItemOut(many=True)
    next = next_field()
    count = serializers.IntegerField()
    sums = MoneyOut(many=True)
    unpriced = serializers.IntegerField()
    looks = LookOut(many=True)


class LeftAloneOut(Shape):
    """A deployment of which something could be saved, were it not for `reasons`. `high`: a month's."""

    workspace = serializers.CharField()
    endpoint = serializers.CharField()
    deployment = serializers.CharField()
    kind = serializers.CharField()
    high = MoneyOut(allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField())


class LeftAloneListOut(Shape):
    """A page, the highest saving first; `count` is of all."""

    items = LeftAloneOut(many=True)
    next = next_field()
    count = serializers.IntegerField()


def items(rows: Sequence[FindingRow]) -> list[dict[str, Any]]:
    """Findings in a list."""
    names = named(people=[row.claimed_by for row in rows])
    return [dict(FindingItemOut(_item(row, names)).data) for row in rows]


def detail(found: FindingDetail) -> dict[str, Any]:
    """One finding."""
    row = found.row
    names = named({one.actor for one in found.happened}, people=[row.claimed_by])
    told = _item(row, names) | {
        "advice": _advice(row.told),
        "facts_changed": found.facts_changed,
        "kept_alone": list(found.kept_alone),
        "happened": [_happened(one, names) for one in found.happened],
    }
    return dict(FindingOut(told).data)


def looks(rows: Sequence[LookedRow]) -> list[dict[str, Any]]:
    """The last looks at workspaces."""
    slugs = workspace_names(row.workspace_id for row in rows)
    fields = ("at", "deployments", "failed")
    told = [
        {"workspace": slugs[row.workspace_id], **{name: getattr(row, name) for name in fields}}
        for row in rows
    ]
    return [dict(LookOut(one).data) for one in told]


def left_alone(row: LeftAloneRow) -> dict[str, Any]:
    """One deployment that is left alone."""
    fields = ("workspace", "endpoint", "deployment", "kind")
    told = {name: getattr(row, name) for name in fields}
    return told | {"high": money(row.high), "reasons": list(row.reasons)}


def sums(found: Any) -> list[dict[str, Any]]:
    """Amounts by currency."""
    return [{"amount": exact(amount), "currency": currency} for currency, amount in sorted(found.items())]


def _item(row: FindingRow, names: Refs) -> dict[str, Any]:
    fields = (
        "id", "number", "workspace", "endpoint", "deployment", "kind", "state", "version", "why", "cause", "cause_ref",
        "owner", "team", "due", "found_at", "seen_at",
    )  # fmt: skip
    return {name: getattr(row, name) for name in fields} | {
        "low": money(row.low),
        "high": money(row.high),
        "claimed_by": person(row.claimed_by, names) if row.claimed_by else None,
        "postponed_until": row.until,
        "change": {"number": row.change_id, "state": row.change_state} if row.change_id else None,
        "saving": {"state": row.saving_state, "monthly": money(row.saved)},
    }


def _advice(told: Told) -> dict[str, Any]:
    fields = (
        "to", "instances", "sku", "now_instances", "now_sku", "sure", "risk", "formula", "evidence", "effect",
        "price_date", "since", "until",
    )  # fmt: skip
    others = [{"kind": kind, "high": money(high)} for kind, high in told.others]
    return {name: getattr(told, name) for name in fields} | {"others": others}


def _happened(one: Happened, names: Refs) -> dict[str, Any]:
    fields = ("kind", "before", "after", "data", "words", "at")
    return {name: getattr(one, name) for name in fields} | {"actor": actor(one.actor, names)}
