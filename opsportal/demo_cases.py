"""The demo's challenge cases: how they are dealt with, and one decided, one to be confirmed, one open."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from endpoints.access.policies import Principal
from endpoints.access.selectors import principal_now, user_id_by_name, workspace_id_by_slug
from endpoints.challenges.clocks import Clock
from endpoints.challenges.models import Prediction
from endpoints.challenges.selectors.cases import case_row
from endpoints.challenges.services import Challenge, comment, decide, raise_case, set_policy
from endpoints.core.errors import OpsportalError
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from endpoints.inventory.selectors import endpoint_id_by_name
from opsportal import demo

PATIENCE_SECONDS = 120.0
"""Logs are minutes behind; the emulator's lag, and a reading, take about two."""


def make_cases() -> list[str]:
    """Make each that was not made before; a line about each. Needs records, which the worker reads from the logs."""
    return [f"  {one.__name__.strip('_').replace('_', ' ')}: {_safely(one)}" for one in STORIES]


def _safely(story: Callable[[], str]) -> str:
    try:
        return story()
    except OpsportalError as error:
        return f"left out. {error.message}"


def _person(username: str) -> Principal:
    return principal_now(user_id_by_name(username))


def _records(slug: str, name: str, count: int) -> Sequence[Prediction]:
    """The newest records of an endpoint, once there are so many; as many as came in time.

    Of the time since the portal reads the endpoint: of the time before it can't say what was behind a name.
    """
    endpoint_id = endpoint_id_by_name(workspace_id_by_slug(slug), name)
    since = Endpoint.objects.get(pk=endpoint_id).first_seen_at + timedelta(seconds=10)
    found = Prediction.objects.filter(
        endpoint_id=endpoint_id, at__gt=since, log_known_at__isnull=False, status=200
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while found.count() < count and time.monotonic() < deadline:
        time.sleep(1)
    return list(found.order_by("-at")[:count])


def _the_city_has_two_decide() -> str:
    set_policy(
        principal=_person("admin"),
        workspace_id=workspace_id_by_slug(demo.GOV_WEU),
        clocks=[
            Clock("Same day", timedelta(hours=8), "The city's own promise", target=True),
            Clock("Answer", timedelta(days=30), "GDPR, article 12 (3)", target=False),
        ],
        two_roles=True,
        band=0.7,
    )
    return "same day, and thirty days by law"


def _raise(slug: str, name: str, place: int, question: str, reference: str, claimant: str = "") -> int:
    """About a record from the log; without one, as at night, about what was in force a minute ago."""
    records = _records(slug, name, place + 1)
    if len(records) > place:
        what = Challenge(question=question, asked_id=records[place].client_id or records[place].request_id)
    else:
        endpoint_id = endpoint_id_by_name(workspace_id_by_slug(slug), name)
        what = Challenge(question=question, endpoint_id=endpoint_id, asked_at=db_now() - timedelta(minutes=1))
    return raise_case(
        principal=_person("haddad"),
        workspace_id=workspace_id_by_slug(slug),
        challenge=replace(what, reference=reference, claimant=claimant),
        idempotency_key=f"demo-{reference}",
    )


def _an_order_was_declined_and_that_stands() -> str:
    number = _raise(
        demo.PROD_WEU, "checkout-risk", 0, "Why was my order declined?", "claim-2026-1041", "J. Brandt"
    )
    haddad = _person("haddad")
    comment(principal=haddad, case_id=number, text="Payment team says the card had been reported stolen.")
    decide(
        principal=haddad,
        case_id=number,
        seen_version=case_row(haddad, number).version,
        outcome="stands",
        reason="The version that answered was approved, its metrics were in budget, and the figure is not close.",
    )
    return f"CH-{number}"


def _an_application_was_put_last_and_waits_for_a_second_person() -> str:
    number = _raise(
        demo.GOV_WEU, "benefit-triage", 0, "Why is my application not urgent?", "city-2026-77", "M. Yilmaz"
    )
    haddad = _person("haddad")
    decide(
        principal=haddad,
        case_id=number,
        seen_version=case_row(haddad, number).version,
        outcome="overturned",
        reason="A person looked at it again, and it is urgent.",
    )
    return f"CH-{number}"


def _an_order_was_referred_and_the_case_is_open() -> str:
    number = _raise(
        demo.PROD_WEU, "checkout-risk", 1, "Why did somebody have to look at my order?", "claim-2026-1042"
    )
    return f"CH-{number}"


STORIES: tuple[Callable[[], str], ...] = (
    _the_city_has_two_decide,
    _an_order_was_declined_and_that_stands,
    _an_application_was_put_last_and_waits_for_a_second_person,
    _an_order_was_referred_and_the_case_is_open,
)
