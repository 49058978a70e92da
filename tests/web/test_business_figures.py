"""Business figures on pages: charts with words and tables, gaps as gaps, and files of what was sent."""

from __future__ import annotations

import csv
import io
from datetime import datetime

import pytest
from django.test import Client

from endpoints.access.models import User, Workspace
from endpoints.inventory.models import Endpoint
from endpoints.metrics.figures import Value
from endpoints.metrics.services import end_figure
from tests.metrics.figuring import BASKET, CLICKS, MINUTE, clicks, defined, minute_ago, sent
from tests.metrics.storing import hour_ago
from tests.support.people import make_endpoint, principal
from tests.web.conftest import SignIn
from tests.web.reading import read, words

pytestmark = pytest.mark.django_db
HOME = "/w/mlw-prod-weu/e/checkout-risk/"
CHART = f"{HOME}charts/figure-click-through.json?range=1h"


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    found = make_endpoint(workspace, traffic={"blue": 90, "green": 10})
    found.deployments.update(first_seen_at=hour_ago(24), azure_created_at=hour_ago(24))
    return found


@pytest.fixture
def begin(endpoint: Endpoint, requester: User) -> datetime:
    """Ten minutes ago; from then on green's clicks are known in the first, second and fifth minute."""
    found = minute_ago(10)
    defined(requester, endpoint)
    sent(requester, endpoint, *clicks(found, [(100, 10), (300, 90)]), *clicks(found + 4 * MINUTE, [(0, 0)]))
    return found


@pytest.fixture
def client(sign_in: SignIn, requester: User) -> Client:
    return sign_in(requester)


def test_endpoint__with_a_figure__says_what_it_came_to_without_script(
    client: Client, begin: datetime
) -> None:
    page = read(client.get(f"{HOME}?range=1h").content)
    captions = [words(one.text) for one in page.all("figcaption")]
    (said,) = [text for text in captions if "observations" in text]
    assert "green: 25.0 % of 400 observations; 2 minutes were not sent." in said
    assert "blue: nobody sent a value in this range." in said
    assert "Business figures" in [words(one.text) for one in page.all("h3")]


def test_endpoint__without_a_figure__has_no_place_for_any(client: Client, endpoint: Endpoint) -> None:
    assert b"Business figures" not in client.get(HOME).content


def test_chart__of_a_figure__has_gaps_where_nobody_sent_a_value(client: Client, begin: datetime) -> None:
    found = client.get(CHART).json()
    green = next(one for one in found["figure"]["data"] if one.get("name") == "green" and "x0" in one)
    assert [value for value in green["y"] if value is not None] == [10, 30]
    assert green["y"].count(None) == 58
    assert green["connectgaps"] is False
    assert found["table"]["head"] == ["blue", "blue: observations", "green", "green: observations"]
    assert any("10.0" in cell for row in found["table"]["rows"] for cell in row)


def test_chart__of_a_mean__reaches_below_zero_where_a_value_does(
    client: Client, begin: datetime, endpoint: Endpoint, requester: User
) -> None:
    defined(requester, endpoint, BASKET)
    sent(requester, endpoint, Value("basket", "blue", begin, 4, -10), Value("basket", "green", begin, 2, 9))
    found = client.get(f"{HOME}charts/figure-basket.json?range=1h").json()
    assert found["figure"]["layout"]["yaxis2"]["range"][0] == -2.5
    assert "blue: -2.5\u00a0EUR of 4\u00a0observations" in found["caption"]
    assert client.get(CHART).json()["figure"]["layout"]["yaxis2"]["range"][0] == 0


def test_chart__of_a_longer_stretch__is_what_minutes_come_to_and_says_so(
    client: Client, begin: datetime
) -> None:
    found = client.get(f"{HOME}charts/figure-click-through.json?range=7d").json()
    assert "green: 25.0\u00a0% of 400\u00a0observations." in found["caption"]
    assert found["caption"].endswith("Made of the minutes that are still kept.")


def test_chart__of_a_figure_that_nobody_defined__is_not_there(client: Client, endpoint: Endpoint) -> None:
    assert client.get(f"{HOME}charts/figure-nothing.json").status_code == 404


def test_deployment__on_its_own_page__shows_its_figures_alone(client: Client, begin: datetime) -> None:
    page = read(client.get(f"{HOME}d/green/?range=1h").content)
    (said,) = [words(one.text) for one in page.all("figcaption") if "observations" in one.text]
    assert "green: 25.0 %" in said
    assert "blue" not in said


def test_file__of_figures__has_every_value_that_was_sent(client: Client, begin: datetime) -> None:
    rows = list(
        csv.DictReader(io.StringIO(client.get(f"{HOME}figures.csv?range=1h").content.decode("utf-8-sig")))
    )
    assert [(one["figure"], one["deployment"], one["count"], one["value"]) for one in rows] == [
        (CLICKS.name, "green", "100", "0.1"),
        (CLICKS.name, "green", "300", "0.3"),
        (CLICKS.name, "green", "0", ""),
    ]
    body = client.get(f"{HOME}figures.json?range=1h&deployment=blue").json()
    assert body["rows"] == []
    assert body["left_out"] == "minutes that nobody sent"
    assert client.get(f"{HOME}figures.xls").status_code == 404


def test_page__of_a_figure_that_was_ended__shows_it_no_more(
    client: Client, begin: datetime, endpoint: Endpoint, requester: User
) -> None:
    end_figure(principal=principal(requester), endpoint_id=endpoint.pk, name=CLICKS.name)
    assert b"Business figures" not in client.get(HOME).content
