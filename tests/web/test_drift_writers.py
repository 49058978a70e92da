"""Who made a drift, where drift is shown: on the endpoint's page and in the API."""

from __future__ import annotations

import pytest

from endpoints.access.models import User, Workspace
from endpoints.inventory.models import Drift
from tests.api.api import Api
from tests.inventory.test_attribution import MARTA, FakeLog, look, of
from tests.support.people import make_endpoint
from tests.web.conftest import SignIn
from tests.web.reading import read, words

pytestmark = pytest.mark.django_db
HOME = "/w/mlw-prod-weu/e/checkout-risk/"
API = "/workspaces/mlw-prod-weu/endpoints/checkout-risk"


@pytest.fixture
def drift(workspace: Workspace) -> Drift:
    make_endpoint(workspace)
    make_endpoint(workspace, traffic={"blue": 90, "green": 10})
    return Drift.objects.get()


def test_drift__attributed__names_the_writer_in_the_banner_and_in_the_history(
    drift: Drift, requester: User, sign_in: SignIn
) -> None:
    look(FakeLog(of(drift)))
    page = read(sign_in(requester).get(HOME).content)
    (banner,) = [words(one.text) for one in page.all("div") if "note warn" in one.attributes.get("class", "")]
    assert f"The activity log has one write in that time, by {MARTA}." in banner
    assert "More may come: the log is 3 to 20 minutes behind." in banner
    state = next(line for one in page.all("li") if (line := words(one.text)).startswith("Drift traffic"))
    assert f"The activity log has one write in that time, by {MARTA}." in state


def test_drift__not_attributed_yet__says_what_is_waited_for(
    drift: Drift, requester: User, sign_in: SignIn
) -> None:
    look(FakeLog())
    text = words(read(sign_in(requester).get(HOME).content).one("div", id="endpoint").text)
    assert "The activity log has nothing about it yet; it is 3 to 20 minutes behind." in text
    assert "More may come" not in text


def test_drift__through_the_api__has_the_candidates_and_whether_more_may_come(
    drift: Drift, requester: User
) -> None:
    before = Api(requester).get(API).json()["open_drift"]
    assert before["attribution"] is None
    look(FakeLog(of(drift, app_id="app-1")))

    told = Api(requester).get(API).json()["open_drift"]["attribution"]
    assert (told["found"], told["final"]) == ("one", False)
    assert (told["candidates"][0]["caller"], told["candidates"][0]["app_id"]) == (MARTA, "app-1")
    items = Api(requester).get(f"{API}/history").json()["items"]
    found = {item["cause"]: item["attribution"] for item in items if not item["deployment"]}
    assert found == {"drift": told, "": None}
