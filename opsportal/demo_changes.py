"""The demo's first changes, each a story: done, rolled back, waiting for review, being rolled out, about to stop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from endpoints.access.selectors import workspace_by_slug
from endpoints.changes.gatespec import gate
from endpoints.changes.selectors import change_detail, rollback_offer
from endpoints.changes.services import (
    RuleDraft,
    make_template,
    order_drill,
    propose_rule,
    roll_back,
    set_sample,
)
from endpoints.changes.terms import Terms
from endpoints.core.errors import OpsportalError
from endpoints.dispatch import db_now
from endpoints.holds.calendar import Schedule
from endpoints.holds.scope import Scope
from endpoints.holds.services import make_freeze
from opsportal import demo
from opsportal.demo_acts import carry_out, endpoint, person, request, start, wait, walked


def make_changes() -> list[str]:
    """Make each change that was not made before; a line about each. Needs a synced fleet and an executor."""
    return [f"  {one.__name__.strip('_').replace('_', ' ')}: {_safely(one)}" for one in STORIES]


def _safely(story: Callable[[], str]) -> str:
    """A story that can't be told (somebody changed the demo's fleet) leaves the others their chance."""
    try:
        return story()
    except OpsportalError as error:
        return f"left out. {error.message}"


def _home_recs_goes_to_the_new_model() -> str:
    change = request(
        "silva",
        demo.PROD_WEU,
        "home-recs",
        "The experiment favours model 42; three quarters before the weekend.",
        split={"control": 25, "treatment": 75},
    )
    carry_out(change)
    return f"CR-{change}"


def _photo_triage_is_rolled_back() -> str:
    change = request(
        "novak",
        demo.PROD_WEU,
        "photo-triage",
        "First real traffic for triage-cnn 8.",
        split={"main": 90, "next": 10},
    )
    carry_out(change)
    operator, endpoint_id = person("berg"), endpoint(demo.PROD_WEU, "photo-triage")
    offer = rollback_offer(operator, endpoint_id, workspace_by_slug(operator, demo.PROD_WEU).id)
    target = offer.preselected
    if target is None or change_detail(operator, change).reverted_by:
        return f"CR-{change}"
    receipt = roll_back(
        principal=operator,
        endpoint_id=endpoint_id,
        target_key=target.key,
        reason="predictions",
        comment="Sellers report photos sorted into the wrong queue.",
        idempotency_key="demo-photo-triage-back",
    )
    wait(receipt.change_id)
    return f"CR-{change}, rolled back by CR-{receipt.change_id}"


# What most rollouts of the demo are held against.
USUAL = (
    gate("p95_over_budget"),
    gate("p95_vs_stable"),
    gate("errors"),
    gate("errors_vs_stable"),
    gate("cpu"),
)
MINUTE, HOUR = 60, 3600


def _checkout_risk_waits_for_review() -> str:
    terms = Terms(gates=USUAL, watch=30 * MINUTE, longest=12 * HOUR, warm=72)
    steps = [(5, 20 * MINUTE, False), (25, 30 * MINUTE, False), (100, 0, True)]
    change = request(
        "novak",
        demo.PROD_WEU,
        "checkout-risk",
        "delivery-risk 24 was trained on the autumn returns; start with five percent.",
        draft=walked(demo.PROD_WEU, "checkout-risk", "green", steps, terms),
    )
    return f"CR-{change}"


def _parcel_eta_is_being_rolled_out() -> str:
    terms = Terms(gates=USUAL, watch=HOUR, longest=24 * HOUR, warm=48)
    steps = [(25, 45 * MINUTE, False), (50, HOUR, True), (100, 0, False)]
    change = request(
        "novak",
        demo.PROD_WEU,
        "parcel-eta",
        "eta-gbm 53 is the repair: version 52 grew slower by the day. It has had a tenth since this morning.",
        draft=walked(demo.PROD_WEU, "parcel-eta", "green", steps, terms),
    )
    start(change)
    return f"CR-{change}"


def _fraud_cards_will_stop_itself() -> str:
    gates = (gate("p95_over_budget"), gate("errors"))
    steps = [(10, 2 * HOUR, False), (40, 2 * HOUR, True)]  # its replicas could not carry everything
    change = request(
        "silva",
        demo.PROD_WEU,
        "fraud-cards",
        "fraud-gbm 90 catches two percent more; nobody has seen it under load yet.",
        draft=walked(demo.PROD_WEU, "fraud-cards", "candidate", steps, Terms(gates=gates, longest=24 * HOUR)),
    )
    start(change)
    return f"CR-{change}, within the hour"


def _tax_anomaly_will_not_be_told() -> str:
    steps = [(20, 10 * MINUTE, False), (100, 0, True)]
    change = request(
        "berg",
        demo.GOV_WEU,
        "tax-anomaly",
        "tax-anomaly 13 has had a tenth for eleven days.",
        draft=walked(demo.GOV_WEU, "tax-anomaly", "green", steps, Terms(gates=(gate("errors_vs_stable"),))),
    )
    start(change)
    return f"CR-{change}, for want of requests"


def _the_end_of_the_year_is_frozen() -> str:
    year = db_now().year
    make_freeze(
        principal=person("berg"),
        scope=Scope(workspace_id=workspace_by_slug(person("berg"), demo.PROD_NEU).id),
        schedule=Schedule(
            zone="Europe/Berlin",
            first_start=datetime.fromisoformat(f"{year}-12-20T12:00"),
            first_end=datetime.fromisoformat(f"{year + 1}-01-03T06:00"),
        ),
        title="End of the year",
        reason="Parcels before models.",
    )
    return f"from 20 December {year}"


def _a_template_for_careful_rollouts() -> str:
    terms = Terms(gates=USUAL, watch=30 * MINUTE, longest=12 * HOUR, warm=72)
    workspace_id = workspace_by_slug(person("okafor"), demo.PROD_WEU).id
    make_template(
        principal=person("okafor"),
        workspace_id=workspace_id,
        name="Careful: 5, 25, 100",
        steps=[(5, 20 * MINUTE, False), (25, 30 * MINUTE, False), (100, 0, True)],
        terms=terms,
    )
    return "5, 25 and 100 %"


def _two_people_for_tier_1() -> str:
    """In force at once, because an administrator makes it and it only asks for more."""
    workspace_id = workspace_by_slug(person("okafor"), demo.PROD_NEU).id
    title = "Tier 1 wants two reviewers"
    rule = RuleDraft(title=title, tag="tier", tag_value="1", required=2)
    propose_rule(
        principal=person("admin"),
        workspace_id=workspace_id,
        draft=rule,
        reason="What a customer waits for is read twice.",
    )
    return title


# The body of a made-up order: nobody's data.
SAMPLE = '{"input_data": [[129.9, 3, 0, 1, 0.42]]}'
ASKED_DIRECTLY = {"checkout-risk": "checkout-risk-key", "parcel-eta": "parcel-eta-key"}


def _deployments_are_asked_directly() -> str:
    for name, secret in ASKED_DIRECTLY.items():
        set_sample(
            principal=person("novak"),
            endpoint_id=endpoint(demo.PROD_WEU, name),
            body=SAMPLE,
            synthetic=True,
            secret_uri=f"{settings.OPSPORTAL.azure_resource_manager}/secrets/{secret}",
        )
    return ", ".join(ASKED_DIRECTLY)


def _a_rollback_is_practised() -> str:
    change = order_drill(
        principal=person("berg"),
        endpoint_id=endpoint(demo.PROD_WEU, "price-elastic"),
        deployment="b",
        weight=5,
        reason="The quarter's drill.",
        idempotency_key="demo-price-elastic-drill",
    )
    start(change)
    return f"CR-{change}"


STORIES: tuple[Callable[[], str], ...] = (
    _a_template_for_careful_rollouts,
    _the_end_of_the_year_is_frozen,
    _two_people_for_tier_1,
    _deployments_are_asked_directly,
    _home_recs_goes_to_the_new_model,
    _photo_triage_is_rolled_back,
    _checkout_risk_waits_for_review,
    _parcel_eta_is_being_rolled_out,
    _fraud_cards_will_stop_itself,
    _tax_anomaly_will_not_be_told,
    _a_rollback_is_practised,
)
