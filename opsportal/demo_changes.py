"""The demo's first changes: one done, one rolled back, one waiting for review, one held by its checks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from endpoints.access.policies import Principal
from endpoints.access.selectors import principal_now, user_id_by_name, workspace_by_slug
from endpoints.changes.lifecycle import State
from endpoints.changes.selectors import change_detail, rollback_offer
from endpoints.changes.services import approve_change, request_change, roll_back, start_change
from endpoints.core.errors import OpsportalError
from endpoints.inventory.selectors import endpoint_id_by_name
from opsportal import demo

PATIENCE_SECONDS = 60.0


def make_changes() -> list[str]:
    """Make each change that was not made before; a line about each. Needs a synced fleet and an executor."""
    return [f"  {one.__name__.strip('_').replace('_', ' ')}: {_safely(one)}" for one in STORIES]


def _safely(story: Callable[[], str]) -> str:
    """A story that can't be told (somebody changed the demo's fleet) leaves the others their chance."""
    try:
        return story()
    except OpsportalError as error:
        return f"left out. {error.message}"


def _person(username: str) -> Principal:
    return principal_now(user_id_by_name(username))


def _endpoint(slug: str, name: str) -> int:
    return endpoint_id_by_name(workspace_by_slug(_person("okafor"), slug).id, name)


def _request(author: str, slug: str, name: str, split: Mapping[str, int], reason: str) -> int:
    return request_change(
        principal=_person(author),
        endpoint_id=_endpoint(slug, name),
        split=split,
        reason=reason,
        idempotency_key=f"demo-{name}",
    )


def _carry_out(change_id: int) -> None:
    """Approved by one person, started by another, done by the executor."""
    reviewer, operator = _person("okafor"), _person("berg")
    detail = change_detail(reviewer, change_id)
    if detail.row.state is State.IN_REVIEW:
        approve_change(principal=reviewer, change_id=change_id, seen_hash=detail.content_hash)
        start_change(principal=operator, change_id=change_id, seen_hash=detail.content_hash)
    _wait(change_id)


def _wait(change_id: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while change_detail(_person("okafor"), change_id).row.active and time.monotonic() < deadline:
        time.sleep(0.2)


def _home_recs_goes_to_the_new_model() -> str:
    change = _request(
        "silva",
        demo.PROD_WEU,
        "home-recs",
        {"control": 25, "treatment": 75},
        "The experiment favours model 42; three quarters before the weekend.",
    )
    _carry_out(change)
    return f"CR-{change}"


def _photo_triage_is_rolled_back() -> str:
    change = _request(
        "novak",
        demo.PROD_WEU,
        "photo-triage",
        {"main": 90, "next": 10},
        "First real traffic for triage-cnn 8.",
    )
    _carry_out(change)
    operator, endpoint_id = _person("berg"), _endpoint(demo.PROD_WEU, "photo-triage")
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
    _wait(receipt.change_id)
    return f"CR-{change}, rolled back by CR-{receipt.change_id}"


def _checkout_risk_waits_for_review() -> str:
    change = _request(
        "novak",
        demo.PROD_WEU,
        "checkout-risk",
        {"blue": 95, "green": 5},
        "delivery-risk 24 was trained on the autumn returns; start with five percent.",
    )
    return f"CR-{change}"


STORIES: tuple[Callable[[], str], ...] = (
    _home_recs_goes_to_the_new_model,
    _photo_triage_is_rolled_back,
    _checkout_risk_waits_for_review,
)
