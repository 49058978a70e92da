"""The pages beside the one of capacity: rows with their formula, what is left alone, rules, savings, costs, plans."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from endpoints.access.models import User, Workspace
from endpoints.capacity.models import (
    Agreement,
    Alert,
    LeftAlone,
    PredictionValue,
    RuleSet,
    Saving,
    SpendPlan,
)
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, Endpoint
from tests.capacity.found import found
from tests.capacity.ledgered import agreed, ledgered, yesterday
from tests.support.people import make_endpoint
from tests.web.conftest import SignIn
from tests.web.reading import Page, read, words

pytestmark = pytest.mark.django_db
WS = "mlw-prod-weu"


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    """Two idle deployments, in the ledger with one day."""
    row = make_endpoint(workspace, tags={"owner": "Rita", "team": "risk"})
    ledgered(*row.deployments.all())
    return row


@pytest.fixture
def client(finops: User, sign_in: SignIn) -> Client:
    return sign_in(finops)


def opened(client: Client, address: str, status: int = 200) -> Page:
    answer = client.get(address)
    assert answer.status_code == status
    return read(answer.content)


def said(page: Page) -> str:
    return words(page.one("main").text)


def of(endpoint: Endpoint, name: str) -> Deployment:
    return endpoint.deployments.get(name=name)


def rows(page: Page) -> list[str]:
    return [words(one.text) for one in page.all("tr") if "tbody" in one.inside]


def test_rows__of_the_ledger__add_up_in_their_foot_and_open_their_formula(
    client: Client, endpoint: Endpoint
) -> None:
    page = opened(client, "/capacity/days")
    assert len(rows(page)) == 2
    foot = words(page.one("tfoot").text)
    assert "All 2 rows that match, USD28.130.0028.130.000.00" in foot
    day = of(endpoint, "blue")
    formula = opened(client, f"/capacity/days/{day.pk}/{yesterday()}")
    assert f"checkout-risk/blue on {yesterday()}" in words(formula.one("h1").text)
    assert "14.06" in words(formula.all("tfoot")[0].text)
    assert "Canary that nobody finished" in said(formula)


@pytest.mark.parametrize(
    ("query", "many"),
    [
        (f"ws={WS}&endpoint=checkout-risk", 2),
        ("part=unserved", 2),
        ("part=over", 0),
        ("cause=forgotten-canary", 2),
        ("cause=cannot-tell", None),
        ("owner=Rita&team=risk", 2),
        ("owner=none", 0),
        ("since=2020-01-01&until=2020-01-02", 0),
    ],
)
def test_rows__of_a_filter__are_those_alone(
    client: Client, endpoint: Endpoint, query: str, many: int | None
) -> None:
    if many is None:
        page = opened(client, f"/capacity/days?{query}", 422)
        assert words(page.one("title").text).startswith("Error: ")
        return
    page = opened(client, f"/capacity/days?{query}")
    assert len(rows(page)) == many
    assert many or "No row of the ledger matches" in said(page) or "No day is in the ledger" in said(page)


def test_rows__of_one_deployment__are_its_own_and_say_that_the_file_is_wider(
    client: Client, endpoint: Endpoint
) -> None:
    page = opened(client, f"/capacity/days?deployment={of(endpoint, 'green').pk}")
    (row,) = rows(page)
    assert "checkout-risk/green" in row
    assert "The files hold all deployments of these filters." in said(page)


def test_rows__without_a_price__are_unknown_and_never_nothing(client: Client, workspace: Workspace) -> None:
    row = make_endpoint(workspace)
    day = ledgered(of(row, "blue"), currency="")
    text = said(opened(client, "/capacity/days"))
    assert "unknown" in text and "48.0 h without a known price" in text
    assert "0.00" not in text
    assert "0.00" not in said(opened(client, f"/capacity/days/{of(row, 'blue').pk}/{day}"))


def test_rows__of_more_than_a_page__are_each_on_one(client: Client, workspace: Workspace) -> None:
    row = make_endpoint(
        workspace, "crowd", traffic={"d0": 100}, deployments=tuple(f"d{at}" for at in range(101))
    )
    ledgered(*row.deployments.all())
    first = opened(client, "/capacity/days")
    (following,) = {one.attributes["href"] for one in first.all("a") if "after=" in one.attributes["href"]}
    assert len(rows(first)) == 100
    assert len(rows(opened(client, following))) == 1
    assert len(rows(opened(client, "/capacity/days?after=nonsense"))) == 100


@pytest.mark.parametrize("place", ["0/2026-11-25", "99999999999999999999/2026-11-25", "1/2026-13-45", "1/x"])
def test_row__that_there_is_not__is_not_found(client: Client, endpoint: Endpoint, place: str) -> None:
    assert client.get(f"/capacity/days/{place}").status_code == 404


def test_left_alone__of_a_look__says_the_reasons_and_what_it_would_save(
    client: Client, endpoint: Endpoint
) -> None:
    LeftAlone.objects.create(
        deployment_id=of(endpoint, "green").pk, endpoint_id=endpoint.pk, workspace_id=endpoint.workspace_id,
        reasons=["A rollback would go to it.", "A case is open."], kind="delete", currency="USD",
        high_nanos=20_500_000_000, seen_at=db_now(),
    )  # fmt: skip
    (row,) = rows(opened(client, "/capacity/left-alone"))
    assert "20.50 USD" in row and "A rollback would go to it.A case is open." in row


def test_left_alone__with_nothing__says_what_would_be_there(client: Client, workspace: Workspace) -> None:
    assert "Nothing is left alone" in said(opened(client, "/capacity/left-alone"))


def test_hours__as_a_file__have_every_hour_and_nothing_for_what_is_not_known(
    client: Client, endpoint: Endpoint
) -> None:
    answer = client.get("/capacity/hours.csv?days=7")
    table = list(csv.DictReader(io.StringIO(answer.getvalue().decode().removeprefix("\ufeff"))))
    assert len(table) == 2 * 168
    assert {row["served_share"] for row in table} == {""}


RULES = {
    "ws": WS, "seen": "0", "reason": "We test longer.", "idle_days": "21", "known_share": "0.8",
    "usage_target": "0.8", "off_hours_idle": "0.95", "batch_share": "0.04", "percentile": "0.995", "headroom": "0.2",
    "zone": "Europe/Berlin", "day_begins": "7", "day_ends": "19", "weekend": ["5", "6"],
    "test_tags": "purpose: test, demo", "excluded_tags": "keep=yes\nlegal",
    "excluded_names": "old-*", "scream_hours": "", "report_weekday": "0",
}  # fmt: skip


def test_rules__set_by_finops__count_and_are_told_with_what_they_changed(
    client: Client, workspace: Workspace
) -> None:
    assert "The usual ones count." in said(opened(client, f"/capacity/rules?ws={WS}"))
    answer = client.post("/capacity/rules", RULES)
    assert answer["Location"] == f"/capacity/rules?ws={WS}"
    row = RuleSet.objects.get()
    assert (row.number, row.document["idle_days"], row.document["zone"]) == (1, 21, "Europe/Berlin")
    page = opened(client, f"/capacity/rules?ws={WS}")
    text = said(page)
    assert "“We test longer.”" in text
    assert "Days without a request before a delete is proposed: " in text and "21 since" in text
    assert page.one("textarea", name="excluded_tags").text == "keep=yes\nlegal"
    again = client.post("/capacity/rules", RULES | {"idle_days": "9"})
    assert again.status_code == 409
    assert RuleSet.objects.count() == 1


def test_rules__with_mistakes__name_each_and_keep_what_was_typed(
    client: Client, workspace: Workspace
) -> None:
    wrong = RULES | {"idle_days": "soon", "zone": "Mars/Base", "day_ends": "3"}
    answer = client.post("/capacity/rules", wrong)
    assert answer.status_code == 422
    page = read(answer.content)
    assert {one.attributes["href"] for one in page.all("a")} >= {"#f-idle_days", "#f-zone", "#f-day_ends"}
    assert page.one("input", name="idle_days").attributes["value"] == "soon"
    assert not RuleSet.objects.exists()


def test_rules__for_an_operator__are_shown_without_a_way_to_set_them(
    sign_in: SignIn, operator: User, workspace: Workspace
) -> None:
    page = opened(sign_in(operator), f"/capacity/rules?ws={WS}")
    assert "As they are" in said(page)
    assert not [one for one in page.all("button") if "in force" in one.text]


def test_savings__of_acts__show_claimed_beside_measured_and_never_nothing_for_unknown(
    client: Client, endpoint: Endpoint
) -> None:
    verified = found(of(endpoint, "blue"), state="verified", high=Money(Decimal("100"), "USD"))
    Saving.objects.create(
        finding=verified, state="verified", acted_at=db_now() - timedelta(days=9), currency="USD",
        claimed_nanos=100_000_000_000, monthly_nanos=90_000_000_000, saved_nanos=12_340_000_000, hours=168,
        before_seconds=7200, after_seconds=3600, words="One instance instead of two.", judged_at=db_now(),
    )  # fmt: skip
    measuring = found(of(endpoint, "green"), state="acted")
    Saving.objects.create(
        finding=measuring, state="cannot_say", acted_at=db_now(), hours=4, unknown_hours=1, judged_at=db_now()
    )
    page = opened(client, "/capacity/savings")
    assert "90.00 USD a month is verified" in said(page)
    newest, oldest = rows(page)
    assert "100.00 USD" in oldest and "90.00 USD" in oldest and "12.34 USD" in oldest
    assert "1.0 h instead of 2.0 h" in oldest
    assert newest.count("unknown") == 3 and "1 stretch not known" in newest
    assert len(rows(opened(client, "/capacity/savings?state=verified"))) == 1
    assert "No act is in that state" in said(opened(client, "/capacity/savings?state=rebounded"))
    assert len(rows(opened(client, "/capacity/savings?after=nonsense&state=nonsense"))) == 2


def test_savings__before_any_act__say_where_to_begin(client: Client, workspace: Workspace) -> None:
    page = opened(client, "/capacity/savings")
    assert "nothing is verified yet" in said(page)
    assert "Nothing was done about a finding yet" in said(page)


def test_unit_costs__without_metrics__are_unknown_with_the_reason(client: Client, endpoint: Endpoint) -> None:
    (row,) = rows(opened(client, "/capacity/unit-costs?days=7"))
    assert row.startswith("checkout-risk") and "unknown" in row
    assert client.get("/capacity/export.csv?what=unit-costs").status_code == 200


def test_unit_costs__of_an_empty_fleet__say_so(client: Client, workspace: Workspace) -> None:
    assert "No day is in the ledger here" in said(opened(client, "/capacity/unit-costs"))


def test_plan__set_and_taken_back__is_listed_with_who_said_why(client: Client, workspace: Workspace) -> None:
    sent = {
        "ws": WS,
        "amount": "12 000,50",
        "currency": "eur",
        "team": "risk",
        "reason": "A twelfth <of> it.",
    }
    assert client.post("/capacity/plans/plan", sent)["Location"] == "/capacity/plans#plans"
    text = said(opened(client, "/capacity/plans"))
    assert "12 000.50 EUR in mlw-prod-weu, team risk" in text and "“A twelfth <of> it.”" in text
    again = client.post("/capacity/plans/plan", sent)
    assert again.status_code == 409
    assert client.post("/capacity/plans/plan", sent | {"amount": ""}).status_code == 302
    assert "Nobody set a plan" in said(opened(client, "/capacity/plans"))
    assert SpendPlan.objects.count() == 2


def test_value__of_an_endpoint__is_listed_and_of_no_endpoint_is_refused(
    client: Client, endpoint: Endpoint
) -> None:
    sent = {"ws": WS, "endpoint": "Checkout-Risk", "amount": "0,02", "currency": "EUR", "reason": "Sales."}
    assert client.post("/capacity/plans/value", sent).status_code == 302
    assert "0.02 EUR by checkout-risk" in said(opened(client, "/capacity/plans"))
    wrong = client.post("/capacity/plans/value", sent | {"endpoint": "nobody"})
    assert wrong.status_code == 422
    page = read(wrong.content)
    assert page.one("input", id="f-value-endpoint").attributes["aria-invalid"] == "true"
    assert "#f-value-endpoint" in {one.attributes["href"] for one in page.all("a")}
    assert PredictionValue.objects.count() == 1


def test_agreement__told_and_ended__is_never_edited(client: Client, workspace: Workspace) -> None:
    sent = {"ws": WS, "share": "12,5", "sku": "Standard_DS3_v2", "since": "2026-01-01", "reason": "EA 4711."}
    assert client.post("/capacity/plans/agreement", sent)["Location"] == "/capacity/plans#agreements"
    row = Agreement.objects.get()
    assert (row.share, row.sku) == (Decimal("0.125"), "standard_ds3_v2")
    assert "12.5 % off standard_ds3_v2 in every region" in said(opened(client, "/capacity/plans"))
    end = f"/capacity/agreements/{row.pk}/end"
    assert client.post(end, {"reason": ""}).status_code == 422
    assert client.post(end, {"reason": "Over."})["Location"] == "/capacity/plans#agreements"
    assert client.post(end, {"reason": "Over."}).status_code == 409
    row.refresh_from_db()
    assert row.ended_at is not None


@pytest.mark.parametrize(
    "share", ["", "x", "0", "101", "sNaN", "NaN", "-5", "1e9999999999", "1e-999", "12,5,5"]
)
def test_agreement__of_a_share_that_is_none__names_the_field(
    client: Client, workspace: Workspace, share: str
) -> None:
    answer = client.post(
        "/capacity/plans/agreement", {"ws": WS, "share": share, "since": "2026-01-01", "reason": "EA."}
    )
    assert answer.status_code == 422
    assert read(answer.content).one("input", id="f-agreement-share").attributes["aria-invalid"] == "true"
    assert not Agreement.objects.exists()


@pytest.mark.parametrize("amount", ["x", "-1", "sNaN", "1e99", "0.001", "1e-999", "1.000", "12,000"])
def test_plan__of_an_amount_that_is_none__names_the_field(
    client: Client, workspace: Workspace, amount: str
) -> None:
    answer = client.post(
        "/capacity/plans/plan", {"ws": WS, "amount": amount, "currency": "EUR", "reason": "Why."}
    )
    assert answer.status_code == 422
    page = read(answer.content)
    assert page.one("input", id="f-plan-amount").attributes["value"] == amount
    assert not SpendPlan.objects.exists()


def test_plans__for_an_operator__are_shown_without_a_form(
    sign_in: SignIn, operator: User, workspace: Workspace
) -> None:
    agreed(workspace.pk)
    Alert.objects.create(
        workspace_id=workspace.pk, kind="over_plan", key="over", words="5 EUR over.", since=db_now()
    )
    page = opened(sign_in(operator), "/capacity/plans")
    text = said(page)
    assert "5 EUR over." in text and "10 % off every size in every region" in text
    assert not [one for one in page.all("form") if one.attributes.get("action", "").startswith("/capacity/")]


def test_plans__of_another_workspace__are_not_to_be_seen_or_set(
    client: Client, sign_in: SignIn, outsider: User, workspace: Workspace
) -> None:
    agreed(workspace.pk)
    theirs = sign_in(outsider)
    assert "10 % off" not in said(opened(theirs, "/capacity/plans"))
    sent = {"ws": WS, "amount": "1", "currency": "EUR", "reason": "Mine."}
    assert theirs.post("/capacity/plans/plan", sent).status_code == 404
    assert not SpendPlan.objects.exists()


def test_agreements__of_more_than_a_page__are_each_on_one(client: Client, workspace: Workspace) -> None:
    for _ in range(51):
        agreed(workspace.pk)
    first = opened(client, "/capacity/plans")
    (more,) = [
        one.attributes["href"]
        for one in first.all("a")
        if one.attributes.get("href", "").endswith("#agreements")
    ]
    second = opened(client, more.partition("#")[0])
    count = [said(page).count("off every size in every region") for page in (first, second)]
    assert count == [50, 1]
