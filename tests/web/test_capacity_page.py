"""The page of capacity: its figures, its table and what is filed from it, for whom, and what it says of nothing."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from endpoints.access.models import User, Workspace
from endpoints.capacity.models import Alert, Finding, Looked, Made
from endpoints.capacity.services import set_plan
from endpoints.changes.models import Change
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, Endpoint
from tests.capacity.found import found, told
from tests.capacity.ledgered import ledgered
from tests.support.load import serve
from tests.support.people import make_endpoint, principal
from tests.web.conftest import SignIn
from tests.web.reading import Page, read, words

pytestmark = pytest.mark.django_db


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def today() -> date:
    return db_now().date()


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    """checkout-risk with two instances of each colour, whose owner is known, all of it idle today."""
    row = make_endpoint(workspace, tags={"owner": "Risk <script>", "team": "risk"})
    serve(row.pk)
    day = ledgered(*row.deployments.all(), day=today())
    Made.objects.create(
        workspace_id=workspace.pk, day=day, deployments=2, minutes=0, version=1, made_at=db_now()
    )
    return row


@pytest.fixture
def client(finops: User, sign_in: SignIn) -> Client:
    return sign_in(finops)


def of(endpoint: Endpoint, name: str = "blue") -> Deployment:
    return endpoint.deployments.get(name=name)


def shrink(endpoint: Endpoint, high: str | None = "213.89", name: str = "blue", **more: Any) -> Finding:
    """One instance instead of two."""
    money = usd(high) if high else None
    advice = told(instances=1, now_instances=2, low=money, high=money)
    return found(of(endpoint, name), **{"high": money, "advice": advice} | more)


def opened(client: Client, query: str = "") -> Page:
    answer = client.get(f"/capacity{query}")
    assert answer.status_code == 200
    return read(answer.content)


def said(page: Page) -> str:
    return words(page.one("main").text)


def listed(page: Page) -> list[str]:
    """The numbers of the findings in the table, in order."""
    return [id for one in page.all("tr") if re.fullmatch(r"SV-\d+", id := one.attributes.get("id", ""))]


def figures(page: Page) -> dict[str, str]:
    """By label what is said: the value, then its note and its formula."""
    return {
        words(label.text): words(value.text)
        for label, value in zip(
            [one for one in page.all("dt") if "dl" in one.inside],
            [one for one in page.all("dd") if "dl" in one.inside],
            strict=True,
        )
    }


def test_headline__of_a_month__has_parts_that_add_up_and_open_their_rows(
    client: Client, endpoint: Endpoint
) -> None:
    shrink(endpoint)
    page = opened(client)
    told_figures = figures(page)
    spent = next(text for label, text in told_figures.items() if label.startswith("Spent in "))
    assert spent.startswith("28.13forecast not known yet")
    assert "28.13 paid = 0.00 used + 28.13 unserved + 0.00 over + 0.00 of which nothing can be told" in spent
    assert told_figures["Could save a month"].startswith("213.89in 1 finding")
    assert told_figures["Filed"].startswith("0.00a month, in 0 findings")
    assert told_figures["Realised"].startswith("0.00a month, verified")
    rows = next(one for one in page.all("a") if words(one.text) == "Rows without requests")
    days = client.get(rows.attributes["href"])
    assert days.status_code == 200
    assert "28.13" in words(read(days.content).one("tfoot").text)


def test_headline__with_a_plan__says_the_plan_and_no_plan_without(
    client: Client, endpoint: Endpoint, finops: User
) -> None:
    assert "no plan covers all of it" in said(opened(client))
    set_plan(
        principal=principal(finops), workspace_id=endpoint.workspace_id, amount=Decimal(5), currency="USD",
        reason="The budget.",
    )  # fmt: skip
    assert "plan 5.00, over it by " in said(opened(client))


def test_headline__of_two_currencies__mixes_them_in_no_number(
    client: Client, workspace: Workspace, endpoint: Endpoint
) -> None:
    other = make_endpoint(workspace, "rank-home", deployments=("blue",), traffic={"blue": 100})
    ledgered(*other.deployments.all(), day=today(), currency="EUR")
    found(of(other), high=Money(Decimal("10"), "EUR"), advice=told(instances=1, now_instances=2))
    shrink(endpoint)
    page = opened(client)
    assert page.one("section", aria_label="Money in USD") and page.one("section", aria_label="Money in EUR")
    totals = words(page.all("tfoot")[0].text)
    assert "213.89USD a month" in totals and "10.00EUR a month" in totals
    assert "223.89" not in said(page)


def test_table__of_findings__adds_up_to_the_headline_with_the_highest_first(
    client: Client, endpoint: Endpoint
) -> None:
    low, high = shrink(endpoint, "1.005"), shrink(endpoint, "1.005", "green", kind="autoscale")
    top = found(endpoint=endpoint, kind="delete-endpoint", high=usd("99.5"))
    page = opened(client)
    assert listed(page) == [f"SV-{top.pk}", *sorted((f"SV-{low.pk}", f"SV-{high.pk}"), key=str)]
    cells = [
        words(next(cell for cell in page.all("b") if cell.text == text).text) for text in ("99.50", "101.51")
    ]
    assert cells == ["99.50", "101.51"]
    shown = [Decimal(words(one.text)) for one in page.all("b") if re.fullmatch(r"\d+\.\d\d", words(one.text))]
    assert Decimal("1.00") in shown and Decimal("1.01") in shown  # cents that add up to the sum
    assert figures(page)["Could save a month"].startswith("101.51in 3 findings")


def test_finding__on_the_page__says_formula_price_of_nothing_and_owner_without_running_any_of_it(
    client: Client, endpoint: Endpoint
) -> None:
    shrink(endpoint, why="Idle <b>all</b> night.")
    page = opened(client)
    assert "Idle <b>all</b> night." in said(page)
    assert "Risk <script>" in said(page)
    assert "1 of 3 instances x 730 h x 0.293 USD." in said(page)
    assert not [one for one in page.all("script") if not one.attributes.get("src")]


def test_finding__whose_price_is_not_known__is_unknown_and_in_no_sum(
    client: Client, endpoint: Endpoint
) -> None:
    priced, bare = shrink(endpoint), shrink(endpoint, None, "green")
    page = opened(client)
    assert listed(page) == [f"SV-{priced.pk}", f"SV-{bare.pk}"]
    assert "1 finding without a known price: in no sum" in said(page)
    assert figures(page)["Could save a month"].startswith("213.89in 1 finding")


def test_page__of_a_fleet_without_prices__counts_hours_and_says_unknown(
    client: Client, workspace: Workspace
) -> None:
    row = make_endpoint(workspace)
    ledgered(*row.deployments.all(), day=today(), currency="")
    shrink(row, None)
    text = said(opened(client))
    assert "96.0 h of instances have no known price and 1 finding without a known price: in no sum." in text
    assert "No price was read yet: money is unknown" in text
    assert "0.00" not in text


def test_page__of_a_fleet_without_days__says_when_the_first_will_come(
    client: Client, workspace: Workspace
) -> None:
    text = said(opened(client))
    assert "No day is in the ledger yet" in text
    assert "Nobody looked for findings yet" in text
    assert "0.00" not in text


def test_page__with_days_and_nothing_found__says_so(client: Client, endpoint: Endpoint) -> None:
    Looked.objects.create(workspace_id=endpoint.workspace_id, at=db_now(), deployments=2, seconds=0.1)
    text = said(opened(client))
    assert "Nothing to save that nobody is at" in text
    assert "over 2 deployments" in text


def test_page__after_a_look_that_failed__says_that_it_shows_the_one_before(
    client: Client, endpoint: Endpoint
) -> None:
    Looked.objects.create(
        workspace_id=endpoint.workspace_id, at=db_now(), deployments=2, seconds=0.1, failed="No database."
    )
    assert "came to nothing: No database." in said(opened(client))


def test_sums__of_every_state__are_of_what_is_not_over(client: Client, endpoint: Endpoint) -> None:
    over = shrink(endpoint, "500", "green", state="gone", ended_at=db_now())
    row = shrink(endpoint)
    page = opened(client, "?state=all")
    assert listed(page) == [f"SV-{over.pk}", f"SV-{row.pk}"]
    assert "213.89USD a month: the sum of all rows that are not over, each instance once" in said(page)
    assert "The first one comes to 100 % of the 213.89 USD a month" in said(page)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?kind=shrink", ["blue"]),
        ("?kind=autoscale", ["green"]),
        ("?owner=Risk%20%3Cscript%3E", ["blue", "green"]),
        ("?team=risk&q=GREEN", ["green"]),
        ("?team=other", []),
        ("?ws=mlw-prod-weu", ["blue", "green"]),
        ("?state=dismissed", []),
        ("?state=nonsense&kind=nonsense&days=12345", ["blue", "green"]),
    ],
)
def test_filter__of_the_address__keeps_what_matches(
    client: Client, endpoint: Endpoint, query: str, names: list[str]
) -> None:
    blue, green = shrink(endpoint, "20"), shrink(endpoint, "10", "green", kind="autoscale")
    numbers = {f"SV-{blue.pk}": "blue", f"SV-{green.pk}": "green"}
    page = opened(client, query)
    assert [numbers[one] for one in listed(page)] == names
    if not names:
        assert "No finding matches these filters" in said(page)


def test_filter__in_force__is_a_chip_that_takes_it_away(client: Client, endpoint: Endpoint) -> None:
    shrink(endpoint)
    page = opened(client, "?kind=delete&team=risk")
    hrefs = {words(one.text): one.attributes["href"] for one in page.all("a") if "(take away)" in one.text}
    (chip,) = (href for text, href in hrefs.items() if text.startswith("To do: Delete a deployment"))
    assert chip == "/capacity?team=risk#findings"


def test_pages__of_more_than_one__hold_each_finding_once_and_the_sum_of_all(
    client: Client, workspace: Workspace, endpoint: Endpoint
) -> None:
    crowd = make_endpoint(
        workspace, "crowd", traffic={"d0": 100}, deployments=tuple(f"d{at}" for at in range(52))
    )
    for row in crowd.deployments.all():
        found(row, high=usd("1.10"), advice=told(instances=1, now_instances=2))
    first = opened(client)
    assert len(listed(first)) == 50
    assert "57.20USD a month: the sum of all 52 rows" in said(first)
    assert "55.00USD a month on this page; 2.20 on other pages" in said(first)
    (following,) = {one.attributes["href"] for one in first.all("a") if "after=" in one.attributes["href"]}
    second = opened(client, following.removeprefix("/capacity"))
    assert len(set(listed(first)) | set(listed(second))) == 52
    assert "57.20USD a month: the sum of all 52 rows" in said(second)
    assert listed(opened(client, "?after=nonsense")) == listed(first)


def test_file_action__from_the_page__asks_for_the_change_and_comes_back(
    client: Client, endpoint: Endpoint, finops: User
) -> None:
    row = shrink(endpoint)
    page = opened(client)
    form = page.one("form", action=f"/capacity/findings/{row.pk}/file")
    fields = {
        one.attributes["name"]: one.attributes.get("value", "")
        for one in page.all("input")
        if one.attributes.get("name") in ("seen", "key", "next") and one.attributes.get("type") == "hidden"
    }
    assert form.attributes["method"] == "post"
    answer = client.post(form.attributes["action"], fields | {"reason": "It idles."})
    assert (answer.status_code, answer["Location"]) == (302, fields["next"])
    change = Change.objects.get()
    assert (change.origin, change.author_id) == (f"finding:{row.pk}", finops.pk)
    after = opened(client)
    assert f"SV-{row.pk} is filed as CR-{change.pk}" in said(after)
    assert listed(after) == []
    filed = opened(client, "?state=filed")
    assert listed(filed) == [f"SV-{row.pk}"]
    assert figures(filed)["Filed"].startswith("213.89a month, in 1 finding")


def test_file_action__of_a_delete__asks_for_the_name_on_the_page(client: Client, endpoint: Endpoint) -> None:
    row = found(of(endpoint, "green"), kind="delete", high=usd("20"))
    assert "Type green to delete it" in said(opened(client))
    answer = client.post(f"/capacity/findings/{row.pk}/file", {"seen": 1, "typed": "blue"})
    assert answer.status_code == 422
    page = read(answer.content)
    assert page.one("input", name="typed").attributes["aria-invalid"] == "true"
    assert not Change.objects.exists()


def test_several__ticked__are_filed_one_by_one_and_deletes_are_not(
    client: Client, endpoint: Endpoint, workspace: Workspace
) -> None:
    other = make_endpoint(workspace, "rank-home", deployments=("blue",), traffic={"blue": 100})
    serve(other.pk)
    one, two = shrink(endpoint), shrink(other, "10")
    gone = found(of(endpoint, "green"), kind="delete", high=usd("20"))
    page = opened(client)
    picks = {box.attributes["value"] for box in page.all("input", name="pick")}
    assert picks == {f"{one.pk}.1", f"{two.pk}.1"}
    key = next(box.attributes["value"] for box in page.all("input", name="key"))
    sent = {"pick": [*picks, f"{gone.pk}.1"], "key": key, "reason": "A round of cuts."}
    assert client.post("/capacity/findings/file", sent).status_code == 302
    assert Change.objects.count() == 2
    text = said(opened(client))
    assert "Filed: " in text and f"SV-{gone.pk} was not filed" in text
    assert client.post("/capacity/findings/file", sent).status_code == 302
    assert Change.objects.count() == 2  # sent again


def test_several__with_none_ticked__says_so_and_files_nothing(client: Client, endpoint: Endpoint) -> None:
    shrink(endpoint)
    answer = client.post("/capacity/findings/file", {"key": "k"})
    assert answer.status_code == 422
    page = read(answer.content)
    assert page.one("title").text.strip().startswith("Error: ")
    assert "Tick at least one finding. Nothing was filed." in said(page)


def test_alerts__that_stand__are_told_above_the_findings(client: Client, endpoint: Endpoint) -> None:
    Alert.objects.create(
        workspace_id=endpoint.workspace_id, kind="over_plan", key="over", words="5 USD over the plan.", since=db_now()
    )  # fmt: skip
    text = said(opened(client))
    assert "1 thing about money needs a person.5 USD over the plan." in text


def test_pictures__of_the_days__say_their_answer_and_carry_a_table_and_a_file(
    client: Client, endpoint: Endpoint
) -> None:
    shrink(endpoint)
    page = opened(client, "?days=7")
    text = said(page)
    assert "In 7 days 28.13 USD (100 % of what was paid) went to time in which no request came" in text
    assert "Most of the unserved time: " in text
    assert "6 days are not in the ledger; nothing is known of them here." in text
    assert "The first one comes to 100 % of the 213.89 USD a month that could be saved here." in text
    assert "Most unserved money is with Risk <script> (risk): 100 % of it." in text
    for one in page.all("figure"):
        assert page.one("h3", id=one.attributes["aria-labelledby"])
    files = [one.attributes["href"] for one in page.all("a") if "download" in one.attributes]
    assert len(files) == 6
    for href in files:
        assert client.get(href).status_code == 200


def test_page__for_an_operator__shows_it_all_and_lets_nobody_file(
    sign_in: SignIn, operator: User, endpoint: Endpoint
) -> None:
    row = shrink(endpoint)
    page = opened(sign_in(operator))
    assert listed(page) == [f"SV-{row.pk}"]
    assert not page.all("input", name="pick")
    assert not [one for one in page.all("form") if "/findings/" in one.attributes.get("action", "")]


def test_page__for_people_of_another_workspace__shows_nothing_of_this_one(
    sign_in: SignIn, outsider: User, endpoint: Endpoint
) -> None:
    shrink(endpoint)
    client = sign_in(outsider)
    text = said(opened(client))
    assert "checkout-risk" not in text and "213.89" not in text
    assert client.get("/capacity?ws=mlw-prod-weu").status_code == 404


def test_navigation__names_capacity__for_who_may_see_it_alone(
    sign_in: SignIn, finops: User, requester: User, workspace: Workspace
) -> None:
    def entries(user: User) -> list[str]:
        page = read(sign_in(user).get("/fleet").content)
        return [one.attributes["href"] for one in page.all("a") if "nav" in one.inside]

    assert "/capacity" in entries(finops)
    assert "/capacity" not in entries(requester)
