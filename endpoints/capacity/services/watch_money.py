"""Say once when money needs a person: over plan, on the way there, paid for twice, rebounded, without a price."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

from django.db import transaction

from endpoints.access.selectors import WorkspaceRow, connected_workspaces
from endpoints.audit.actors import SYSTEM_CAPACITY
from endpoints.audit.services import record
from endpoints.capacity import alerts
from endpoints.capacity.alerts import TOPICS, Kind, Spending, Wanted
from endpoints.capacity.forecast import forecast
from endpoints.capacity.models import Alert, Made
from endpoints.capacity.selectors.alarming import Spent, rebounds, spent_by_team, standing_twice, unpriced
from endpoints.capacity.selectors.inputs import plans
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.notices.services import publish


def watch_money(*, now: datetime | None = None) -> int:
    """Of every connected workspace that has a ledger; how many alerts began or ended."""
    at = now or db_now()
    begun = set(Made.objects.values_list("workspace_id", flat=True).distinct())
    places = [place for place in connected_workspaces() if place.id in begun]
    return sum(_follow(place, tuple(_wanted(place, at)), at) for place in places)


def _wanted(place: WorkspaceRow, at: datetime) -> Iterable[Wanted]:
    today = at.astimezone(UTC).date()
    yield from _of_plans(place, today)
    for twice in standing_twice(place.id, today, alerts.DUPLICATE_DAYS):
        if found := alerts.of_duplicate(
            twice.deployment_id,
            twice.endpoint,
            twice.deployment,
            twice.days,
            twice.amount,
            twice.currency,
        ):
            yield found
    for number, name, words in rebounds(place.id, at):
        yield Wanted(
            Kind.REBOUND, f"rebound:{number}", f"SV-{number}, {name}: {words}", {"finding": f"SV-{number}"}
        )
    for sku, seconds in unpriced(place.id, today).items():
        yield alerts.of_unpriced(sku, place.region, seconds)


def _of_plans(place: WorkspaceRow, today: date) -> Iterable[Wanted]:
    spent = spent_by_team(place.id, today)
    begin = today.replace(day=1)
    for plan in plans([place.id]):
        one = spent.get((plan.currency, plan.team), Spent())
        ahead = forecast(one.days, begin, today)
        so_far = sum((amount for day, amount in one.days.items() if day >= begin), Decimal(0)) + one.today
        without = one.unpriced + spent.get(("", plan.team), Spent()).unpriced
        found = alerts.of_plan(
            Spending(plan.team, begin, plan.currency, plan.amount, so_far, ahead.middle, without)
        )
        if found:
            yield found


@transaction.atomic
def _follow(place: WorkspaceRow, wanted: tuple[Wanted, ...], now: datetime) -> int:
    """Rows that stand become those that should. What stands on is told no second time, its words follow the facts."""
    standing = {
        row.key: row
        for row in Alert.objects.select_for_update()
        .filter(workspace_id=place.id, ended_at=None)
        .order_by("pk")
    }
    keys = {one.key for one in wanted}
    moved = 0
    for key, row in standing.items():
        if key not in keys:
            Alert.objects.filter(pk=row.pk).update(ended_at=now)
            _record("capacity.alert_ended", row)
            moved += 1
    for one in wanted:
        stands = standing.get(one.key)
        if stands is None:
            moved += _begin(place, one, now)
        elif (stands.words, stands.data) != (one.words, dict(one.data)):
            Alert.objects.filter(pk=stands.pk).update(words=one.words, data=dict(one.data))
    return moved


def _begin(place: WorkspaceRow, one: Wanted, now: datetime) -> int:
    """1 if it is new; another worker may have been faster."""
    row, is_new = Alert.objects.get_or_create(
        workspace_id=place.id,
        key=one.key,
        ended_at=None,
        defaults={"kind": one.kind, "words": one.words, "data": dict(one.data), "since": now},
    )
    if not is_new:
        return 0
    if topic := TOPICS.get(one.kind):
        publish(
            topic=topic,
            key=ref("alert", row.pk),
            subject=f"Capacity in {place.slug}: {_subject(one.kind)}",
            text=one.words,
            facts={"workspace": place.slug, **one.data},
            link="/capacity",
            workspace_id=place.id,
        )
    _record("capacity.alerted", row)
    return 1


def _subject(kind: Kind) -> str:
    return {
        Kind.OVER_PLAN: "more was spent than planned",
        Kind.WILL_PASS_PLAN: "the month will pass its plan",
        Kind.DUPLICATE: "paid for twice",
        Kind.REBOUND: "a saving did not last",
    }.get(kind, kind.value)


def _record(action: str, row: Alert) -> None:
    record(
        actor=SYSTEM_CAPACITY,
        action=action,
        subject=ref("alert", row.pk),
        workspace_id=row.workspace_id,
        after={"kind": row.kind, "key": row.key},
    )
