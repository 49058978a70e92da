"""Tell of cases whose clocks press or are over, each once. No clock decides or closes anything."""

from __future__ import annotations

from django.db import transaction

from endpoints.challenges.clocks import Tick, dues_from_json, passed
from endpoints.challenges.models import Case
from endpoints.challenges.services.case_notices import tell_of
from endpoints.dispatch import db_now

_AT_ONCE = 200
_WORDS = {Tick.PRESSING: "four fifths of its time are over", Tick.OVER: "its time is over"}


def tell_due() -> int:
    """How many open cases press now. What was told of one is told once, however often this runs."""
    now = db_now()
    found = Case.objects.filter(closed_at=None, next_due_at__lte=now).order_by("next_due_at")
    cases = list(found[:_AT_ONCE])
    for case in cases:
        with transaction.atomic():
            for due, tick in passed(dues_from_json(case.due), now):
                tell_of(
                    case,
                    "case.due",
                    also=f"{due.name}:{due.since:%Y%m%dT%H%M%S}:{tick.name.lower()}",
                    clock=due.name,
                    source=due.source,
                    state=_WORDS[tick],
                    by=due.at.isoformat(timespec="minutes"),
                )
    return len(cases)
