"""The page of scores: each model version's figures, what they are made of, and nothing made up."""

from __future__ import annotations

import pytest

from endpoints.access.models import User, Workspace
from endpoints.challenges.recorded import Source
from endpoints.challenges.services import take
from endpoints.challenges.services.aggregate import aggregate
from endpoints.inventory.models import Endpoint
from tests.challenges.recording import MINUTE, SECOND, ago, said
from tests.metrics.storing import hour_ago
from tests.support.people import browser, make_endpoint

pytestmark = pytest.mark.django_db
HOME = "/w/mlw-prod-weu/e/checkout-risk/scores"


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    found = make_endpoint(workspace)
    found.deployments.update(first_seen_at=hour_ago(24), azure_created_at=hour_ago(24))
    return found


def test_page__without_a_record__says_that_nothing_is_known(endpoint: Endpoint, supervisor: User) -> None:
    answer = browser(supervisor).get(HOME)
    assert answer.status_code == 200
    assert "Nobody sent a score in this range" in answer.content.decode()


def test_page__with_records__shows_figures_with_what_they_are_made_of(
    endpoint: Endpoint, supervisor: User
) -> None:
    start = ago(minutes=20)
    words = [
        said(
            endpoint.pk, start + n * SECOND, client_id=f"o-{n}", deployment="blue", confidence=0.5,
            high_risk=n % 4 == 0,
        )
        for n in range(60)
    ]  # fmt: skip
    words.append(said(endpoint.pk, start + MINUTE, client_id="g", deployment="green", scores={"x": 3.0}))
    take(words, source=Source.CALLER)
    aggregate()
    text = browser(supervisor).get(HOME, {"range": "1h"}).content.decode()
    assert "of 60\u00a0answers" in text
    assert "25.0\u00a0%" in text
    assert "Score: x" in text
    assert "of 1\u00a0answer: not enough to compare" in text
    assert "version not certain" in text


def test_page__with_a_range_that_can_not_be__says_so(endpoint: Endpoint, supervisor: User) -> None:
    answer = browser(supervisor).get(HOME, {"since": "nonsense"})
    assert (answer.status_code, "is no time that can be read" in answer.content.decode()) == (200, True)


def test_page__of_no_endpoint__is_not_found(endpoint: Endpoint, supervisor: User) -> None:
    assert browser(supervisor).get("/w/mlw-prod-weu/e/nothing/scores").status_code == 404
