"""The demo's idle capacity: what FinOps found, and one finding at every place that a finding can come to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, timedelta

from django.conf import settings
from django.db.models import F

from endpoints.access.policies import Principal
from endpoints.access.selectors import workspace_id_by_slug
from endpoints.capacity import ruleset
from endpoints.capacity.proposals import Kind
from endpoints.capacity.selectors.findings import FindingRow, Query, findings
from endpoints.capacity.selectors.rules import rules_of
from endpoints.capacity.services import (
    claim,
    dismiss,
    file_finding,
    follow_changes,
    judge_savings,
    look_for_findings,
    postpone,
    read_autoscale,
    roll_up_due,
    set_rules,
    watch_money,
)
from endpoints.changes.terms import Terms
from endpoints.core.errors import OpsportalError
from endpoints.dispatch import db_now
from endpoints.metrics.models import Backfill
from endpoints.metrics.services import roll_up_all
from endpoints.prices.models import PriceReading
from opsportal import demo
from opsportal.demo_acts import carry_out, person, request, start, walked
from opsportal.demo_money import agree_on_prices, plan_the_month, say_what_predictions_are_worth

PATIENCE_SECONDS = 120.0
"""A month of metrics takes about two minutes of the worker; it began before the first changes."""
LIVING = ("open", "claimed")


def make_capacity() -> list[str]:
    """Make each story that was not made before; a line about each. Needs the past of metrics, and prices."""
    return [f"  {one.__name__.strip('_').replace('_', ' ')}: {_safely(one)}" for one in STORIES]


def _safely(story: Callable[[], str]) -> str:
    try:
        return story()
    except OpsportalError as error:
        return f"left out. {error.message}"


def _costa() -> Principal:
    return person("costa")


def _the_ledger_is_made() -> str:
    """As the worker would make it within a quarter of an hour, once everything that it stands on was read."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _all_is_read() and time.monotonic() < deadline:
        time.sleep(1)
    roll_up_all()
    read_autoscale()
    made = roll_up_due()
    look_for_findings()
    return f"{made} days, {len(_found(*LIVING))} findings"


def _all_is_read() -> bool:
    past = Backfill.objects.filter(cursor__gt=F("since"))
    unread = PriceReading.objects.filter(sizes_read_at=None, sizes_failed_at=None)
    return not past.exists() and PriceReading.objects.exists() and not unread.exists()


def _found(*states: str) -> tuple[FindingRow, ...]:
    wanted = Query(workspace_ids=[workspace_id_by_slug(slug) for slug in demo.EVERYWHERE], states=states)
    return findings(wanted, limit=200).rows


def _one(endpoint: str, kind: Kind) -> FindingRow | None:
    """The finding that still waits for somebody."""
    return next((row for row in _found("open") if (row.endpoint, row.kind) == (endpoint, kind)), None)


def _missing(endpoint: str) -> str:
    return f"left out. Nothing waits to be saved on {endpoint}."


def _in_days(days: int) -> date:
    return db_now().astimezone(UTC).date() + timedelta(days=days)


def _people_work_by_the_clock_of_berlin() -> str:
    rules = replace(ruleset.USUAL, zone="Europe/Berlin", excluded_tags=(("finops", "keep"),))
    for slug in demo.EVERYWHERE:
        number = workspace_id_by_slug(slug)
        if rules_of(number).number == 0:
            set_rules(
                principal=_costa(),
                workspace_id=number,
                document=ruleset.as_json(rules),
                reason="Our offices are in Berlin; what is tagged finops=keep is agreed with its owner.",
            )
    return "nights from 20 to 7 o'clock"


def _a_former_version_is_kept_to_roll_back_to() -> str:
    change = request(
        "berg",
        demo.PROD_NEU,
        "invoice-match",
        "invoice-match 16 has had a third of the invoices for three days.",
        draft=walked(demo.PROD_NEU, "invoice-match", "green", [(100, 0, False)], Terms(warm=72)),
    )
    carry_out(change)
    return f"CR-{change}; blue is left alone for three days"


def _a_former_version_that_nobody_needs_is_a_duplicate() -> str:
    change = request(
        "berg",
        demo.PROD_NEU,
        "cart-abandon",
        "abandon 22 wins back more carts, and nobody would go back to 21.",
        draft=walked(demo.PROD_NEU, "cart-abandon", "green", [(100, 0, False)], Terms(warm=0)),
    )
    carry_out(change)
    return f"CR-{change}; blue costs money and answers nobody"


def _somebody_looks_into_one() -> str:
    row = _one("translation-gate", Kind.SHRINK)
    if row is None:
        return _missing("translation-gate")
    claim(
        principal=_costa(),
        finding_id=row.id,
        due=_in_days(7),
        comment="Content asks its agency first: translations come in waves.",
    )
    return row.number


def _one_waits_for_its_reviewer() -> str:
    row = _one("queue-forecast", Kind.SCHEDULE)
    if row is None:
        return _missing("queue-forecast")
    change = file_finding(
        principal=_costa(), finding_id=row.id, reason="Nobody waits at the registry at night."
    )
    return f"{row.number} as CR-{change}"


def _one_is_done_and_saves() -> str:
    row = _one("seat-demand", Kind.SHRINK)
    if row is None:
        return _missing("seat-demand")
    change = file_finding(
        principal=_costa(),
        finding_id=row.id,
        reason="Five instances since a test of load; travel agrees to two.",
    )
    if change is not None:
        carry_out(change)
    follow_changes()
    judge_savings()
    return f"{row.number} by CR-{change}; measured for {settings.OPSPORTAL.saving_seconds} s, then it is verified"


def _an_endpoint_is_on_its_way_out() -> str:
    """Its scream test lasts some minutes in the demo, a day elsewhere; the executor deletes it afterwards."""
    row = _one("courier-match", Kind.DELETE_ENDPOINT)
    if row is None:
        return _missing("courier-match")
    change = file_finding(
        principal=_costa(),
        finding_id=row.id,
        typed=row.endpoint,
        reason="The hackathon is over; logistics knows.",
    )
    if change is not None:
        start(change)
    return f"{row.number} by CR-{change}"


def _one_has_to_wait() -> str:
    row = _one("road-defects", Kind.SHRINK)
    if row is None:
        return _missing("road-defects")
    postpone(
        principal=_costa(),
        finding_id=row.id,
        until=_in_days(21),
        reason="The roads office photographs every street until then.",
    )
    return f"{row.number} for three weeks"


def _one_is_not_to_be_saved() -> str:
    row = _one("size-advice", Kind.SHRINK)
    if row is None:
        return _missing("size-advice")
    dismiss(
        principal=_costa(),
        finding_id=row.id,
        reason="One instance would not survive a node's failure, and fashion pays for two.",
    )
    return row.number


def _who_is_told_about_money() -> str:
    return f"{watch_money()} alerts"


STORIES: tuple[Callable[[], str], ...] = (
    _people_work_by_the_clock_of_berlin,
    agree_on_prices,
    plan_the_month,
    say_what_predictions_are_worth,
    _a_former_version_is_kept_to_roll_back_to,
    _a_former_version_that_nobody_needs_is_a_duplicate,
    _the_ledger_is_made,
    _one_is_done_and_saves,
    _an_endpoint_is_on_its_way_out,
    _one_waits_for_its_reviewer,
    _somebody_looks_into_one,
    _one_has_to_wait,
    _one_is_not_to_be_saved,
    _who_is_told_about_money,
)
