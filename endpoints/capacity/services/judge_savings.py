"""Measure what acts on findings saved, verify it, and open again what saved nothing or does not last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from endpoints.audit.actors import SYSTEM_CAPACITY
from endpoints.capacity import savings
from endpoints.capacity.life import Kind
from endpoints.capacity.life import State as FindingState
from endpoints.capacity.models import Finding, Saving
from endpoints.capacity.savings import Judged, State
from endpoints.capacity.selectors.keys import money
from endpoints.capacity.selectors.past import Past
from endpoints.capacity.selectors.rules import rules_of
from endpoints.capacity.services.finding_moves import happen
from endpoints.capacity.worth import CENT, NANO, nanos
from endpoints.core.errors import Conflict
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment
from endpoints.inventory.selectors import read_until

log = structlog.get_logger(__name__)

_WATCHED = (FindingState.ACTED, FindingState.VERIFIED)
_LASTS = timedelta(days=90)
"""So long a saving is watched after the act."""
_NEWEST = timedelta(days=1)
"""The stretch in which a rebound shows."""


def judge_savings(*, now: datetime | None = None) -> int:
    """Judge what is due; how many were looked at."""
    at = now or db_now()
    _close_undone()
    return sum(_judged(number, at) for number in _due(at))


def _measures() -> timedelta:
    return timedelta(seconds=settings.OPSPORTAL.saving_seconds)


def _due(now: datetime) -> list[int]:
    every = min(timedelta(hours=1), _measures() / 20)
    rows = Finding.objects.filter(state__in=_WATCHED, change__ended_at__isnull=False)
    due = rows.filter(
        Q(saving=None) | Q(saving__judged_at=None) | Q(saving__judged_at__lte=now - every)
        | ~Q(saving__state__in=(State.VERIFIED, State.MEASURING, State.CANNOT_SAY))
    )  # fmt: skip
    return list(due.order_by("pk").values_list("pk", flat=True))


def _close_undone() -> None:
    """What was rolled back saves nothing any more, whatever was measured."""
    open_ = Saving.objects.filter(state__in=(State.MEASURING, State.CANNOT_SAY, State.VERIFIED))
    undone = open_.exclude(finding__state__in=(*_WATCHED, FindingState.DONE))
    undone.update(state=State.UNDONE, words="What was done was taken back.", judged_at=db_now())


def _judged(number: int, now: datetime) -> bool:
    """Whether it was looked at; another worker may have been faster."""
    try:
        with transaction.atomic():
            row = Finding.objects.select_for_update(no_key=True).filter(pk=number, state__in=_WATCHED).first()
            if row is None:
                return False
            _judge(row, _saving_of(row), now)
            return True
    except Conflict as error:
        log.info("finding_moved_by_another", finding=number, cause=error.message)
        return False


def _saving_of(row: Finding) -> Saving:
    """The row of the act that the finding stands at; a former act's is taken over."""
    assert row.change is not None and row.change.ended_at is not None
    fresh = {
        "state": State.MEASURING,
        "acted_at": row.change.ended_at,
        "currency": row.currency,
        "claimed_nanos": row.high_nanos,
    }
    saving, is_new = Saving.objects.get_or_create(finding=row, defaults=fresh)
    former = saving.acted_at != row.change.ended_at or saving.state not in (
        State.MEASURING,
        State.CANNOT_SAY,
        State.VERIFIED,
    )
    if not is_new and former:
        saving, _ = Saving.objects.update_or_create(
            finding=row, defaults=fresh | {"monthly_nanos": None, "saved_nanos": None, "judged_at": None}
        )
    return saving


def _judge(row: Finding, saving: Saving, now: datetime) -> None:
    """Up to the mirror's newest reading: what came after it is not known."""
    read = read_until(row.workspace_id)
    until = min(now, read) if read else saving.acted_at
    past = _past(row, saving.acted_at, until)
    if row.state == FindingState.VERIFIED:
        _watch(row, saving, past, until, now)
        return
    found = _compare(row, past, saving.acted_at, until)
    told = savings.verdict(found, until - saving.acted_at, _measures())
    _store(saving, found, told.state, told.words, now)
    if told.state is State.VERIFIED:
        happen(finding=row, kind=Kind.VERIFIED, actor=SYSTEM_CAPACITY, data=_facts(found))
    elif told.state is State.NOTHING_SAVED:
        happen(finding=row, kind=Kind.NOT_SAVED, actor=SYSTEM_CAPACITY, data=_facts(found))


def _watch(row: Finding, saving: Saving, past: Past, until: datetime, now: datetime) -> None:
    """What was verified stays as it was verified, unless it does not last."""
    since = max(saving.acted_at, until - min(_NEWEST, _measures()))
    lately = _compare(row, past, since, until, saving.acted_at)
    if savings.rebounded(money(saving.monthly_nanos, saving.currency), lately):
        words = f"It did not last: lately {_amount(lately.monthly)} a month, after {_verified(saving)}."
        Saving.objects.filter(pk=row.pk).update(state=State.REBOUNDED, words=words, judged_at=now)
        happen(finding=row, kind=Kind.REBOUNDED, actor=SYSTEM_CAPACITY, data=_facts(lately))
        return
    Saving.objects.filter(pk=row.pk).update(judged_at=now)
    if now - saving.acted_at >= _LASTS:
        happen(finding=row, kind=Kind.DONE, actor=SYSTEM_CAPACITY)


def _past(row: Finding, acted_at: datetime, until: datetime) -> Past:
    """Of what the finding is about, and of what was made under its name since: that would be its rebound."""
    assert row.endpoint is not None
    if row.deployment is not None:
        about = Deployment.objects.filter(arm_key=row.deployment.arm_key)
    else:
        about = Deployment.objects.filter(endpoint__arm_key=row.endpoint.arm_key)
    ids = list(about.order_by("pk").values_list("pk", flat=True))
    return Past(row.workspace_id, ids, acted_at - savings.LOOKS_BACK, until, acted_at)


def _compare(
    row: Finding, past: Past, since: datetime, until: datetime, acted_at: datetime | None = None
) -> Judged:
    zone = rules_of(row.workspace_id).rules.causes.zone
    stretches = savings.windows(since, until, zone, acted_at=acted_at)
    return savings.judged(past.pair(window) for window in stretches)


def _store(saving: Saving, found: Judged, state: State, words: str, now: datetime) -> None:
    currency = found.saved.currency if found.saved else saving.currency
    Saving.objects.filter(pk=saving.pk).update(
        state=state,
        words=words,
        currency=currency,
        hours=found.hours,
        unknown_hours=found.unknown_hours,
        before_seconds=found.before_seconds,
        after_seconds=found.after_seconds,
        saved_nanos=_nanos(found.saved),
        monthly_nanos=_nanos(found.monthly),
        judged_at=now,
    )


def _facts(found: Judged) -> Mapping[str, Any]:
    """What was measured, as the history and the ledger keep it: no fractions."""
    return {
        "saved": _amount(found.saved),
        "monthly": _amount(found.monthly),
        "stretches": found.hours,
        "unknown_stretches": found.unknown_hours,
        "before_seconds": found.before_seconds,
        "after_seconds": found.after_seconds,
    }


def _amount(value: Money | None) -> str:
    return f"{value.amount.quantize(CENT)} {value.currency}" if value else "not known"


def _verified(saving: Saving) -> str:
    return _amount(money(saving.monthly_nanos, saving.currency))


def _nanos(value: Money | None) -> int | None:
    return nanos(value.amount.quantize(NANO)) if value else None
