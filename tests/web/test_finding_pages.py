"""One finding's page: what it stands on, what happened, and each thing that can be done about it, by forms alone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from endpoints.access.models import User, Workspace
from endpoints.capacity.models import Finding, FindingNote, LeftAlone, Saving
from endpoints.changes.models import Change
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, Endpoint
from tests.capacity.found import found, told
from tests.capacity.ledgered import ledgered
from tests.support.load import serve
from tests.support.people import make_endpoint
from tests.web.conftest import SignIn
from tests.web.reading import Page, read, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    row = make_endpoint(workspace, tags={"owner": "Rita", "team": "risk"})
    serve(row.pk)
    return row


@pytest.fixture
def client(finops: User, sign_in: SignIn) -> Client:
    return sign_in(finops)


def of(endpoint: Endpoint, name: str = "blue") -> Deployment:
    return endpoint.deployments.get(name=name)


def shrink(endpoint: Endpoint, **more: Any) -> Finding:
    money = Money(Decimal("213.89"), "USD")
    advice = told(instances=1, now_instances=2, low=money, high=money, price_date=db_now())
    return found(of(endpoint), **{"high": money, "advice": advice} | more)


def home(row: Finding) -> str:
    return f"/capacity/findings/{row.pk}"


def opened(client: Client, row: Finding) -> Page:
    answer = client.get(home(row))
    assert answer.status_code == 200
    return read(answer.content)


def said(page: Page) -> str:
    return words(page.one("main").text)


def actions(page: Page) -> set[str]:
    """The last word of each address that a form of the page is sent to."""
    return {
        one.attributes["action"].rpartition("/")[2]
        for one in page.all("form")
        if "/capacity/findings/" in one.attributes.get("action", "")
    }


def send(client: Client, row: Finding, what: str, **fields: Any) -> int:
    """The status of a form that was sent as the person saw it now."""
    row.refresh_from_db()
    return client.post(f"{home(row)}/{what}", {"seen": row.version} | fields).status_code


def test_finding__opened__says_what_it_saves_by_which_formula_and_shows_its_rows(
    client: Client, endpoint: Endpoint
) -> None:
    day = ledgered(of(endpoint))
    others = (("autoscale", Money(Decimal(20), "USD")),)
    row = shrink(
        endpoint,
        advice=told(instances=1, now_instances=2, price_date=db_now(), others=others, effect="Peaks fit in one."),
        cause="forgotten-canary",
        cause_ref="tag:purpose",
    )  # fmt: skip
    page = opened(client, row)
    text = said(page)
    assert words(page.one("h1").text) == f"SV-{row.pk}: Bring blue to 1 instance of checkout-risk"
    assert "213.89 USD a month" in text
    assert "1 of 3 instances x 730 h x 0.293 USD." in text
    assert "It takes 2." in text and "Peaks fit in one." in text
    assert "Scale by load: 20.00 USD a month on the same instances" in text
    assert "tag purpose" in text
    href = next(one.attributes["href"] for one in page.all("a") if one.text == f"{day}")
    assert client.get(href).status_code == 200


def test_finding__without_a_price__is_unknown_and_never_nothing(client: Client, endpoint: Endpoint) -> None:
    text = said(opened(client, found(of(endpoint))))
    assert "unknown: its price is not known" in text
    assert "0.00" not in text


def test_finding__claimed_commented_and_given_back__keeps_all_of_it_in_its_history(
    client: Client, endpoint: Endpoint
) -> None:
    row = shrink(endpoint)
    due = (db_now() + timedelta(days=5)).date()
    assert send(client, row, "claim", due=f"{due}", comment="I ask <them>.") == 302
    page = opened(client, row)
    assert "claimed by Finn" in said(page) and f"due {due}" in said(page)
    assert "“I ask <them>.”" in said(page)
    assert {"release", "file", "postpone", "dismiss", "comment"} <= actions(page)
    assert send(client, row, "comment", text="They agree.") == 302
    assert send(client, row, "release") == 302
    text = said(opened(client, row))
    assert "“They agree.”" in text and "Given back" in text
    row.refresh_from_db()
    assert (row.state, row.claimed_by_id) == ("open", None)


def test_finding__put_off__is_gone_until_its_day(client: Client, endpoint: Endpoint) -> None:
    row = shrink(endpoint)
    assert send(client, row, "postpone", until="30", reason="After the sale.") == 302
    row.refresh_from_db()
    assert row.until == db_now().date() + timedelta(days=30)
    text = said(opened(client, row))
    assert f"put off until {row.until}" in text and "“After the sale.”" in text


@pytest.mark.parametrize(
    ("what", "fields", "wrong"),
    [
        ("postpone", {"until": "", "reason": "Why."}, "f-postpone-until"),
        ("postpone", {"until": "2020-01-01", "reason": "Why."}, "f-postpone-until"),
        ("postpone", {"until": "never", "reason": "Why."}, "f-postpone-until"),
        ("postpone", {"until": "30", "reason": " "}, "f-postpone-reason"),
        ("dismiss", {"reason": ""}, "f-dismiss-reason"),
        ("claim", {"due": "2020-01-01"}, "f-claim-due"),
        ("comment", {"text": " "}, "f-text"),
    ],
)
def test_form__with_a_mistake__keeps_what_was_typed_and_leads_to_the_field(
    client: Client, endpoint: Endpoint, what: str, fields: dict[str, str], wrong: str
) -> None:
    row = shrink(endpoint)
    answer = client.post(f"{home(row)}/{what}", {"seen": 1} | fields)
    assert answer.status_code == 422
    page = read(answer.content)
    assert words(page.one("title").text).startswith("Error: ")
    assert f"#{wrong}" in {one.attributes["href"] for one in page.all("a")}
    field = next(one for one in page.elements if one.attributes.get("id") == wrong)
    assert field.attributes["aria-invalid"] == "true"
    row.refresh_from_db()
    assert (row.state, row.version) == ("open", 1)


def test_finding__put_off_for_days_without_a_reason__keeps_the_day_that_was_meant(
    client: Client, endpoint: Endpoint
) -> None:
    row = shrink(endpoint)
    answer = client.post(f"{home(row)}/postpone", {"seen": 1, "until": "7", "reason": ""})
    assert answer.status_code == 422
    field = read(answer.content).one("input", id="f-postpone-until")
    assert field.attributes["value"] == f"{db_now().date() + timedelta(days=7)}"


def test_finding__turned_down__stays_in_its_list_with_the_reason(client: Client, endpoint: Endpoint) -> None:
    row = shrink(endpoint)
    assert send(client, row, "dismiss", reason="The law wants it.") == 302
    assert "“The law wants it.”" in said(opened(client, row))
    assert FindingNote.objects.get().text == "The law wants it."
    listed = read(client.get("/capacity?state=dismissed").content)
    assert [one for one in listed.all("tr") if one.attributes.get("id") == f"SV-{row.pk}"]


def test_finding__filed_from_its_own_page__shows_its_change_and_offers_nothing_twice(
    client: Client, endpoint: Endpoint
) -> None:
    row = shrink(endpoint)
    page = read(client.get(f"{home(row)}/file").content)
    assert page.one("form", action=f"{home(row)}/file")
    assert send(client, row, "file", reason="It idles.", key="k-1") == 302
    change = Change.objects.get()
    after = opened(client, row)
    assert f"CR-{change.pk}" in said(after)
    assert "file" not in actions(after)
    assert send(client, row, "file", key="k-1") == 302  # sent again
    assert send(client, row, "file", key="k-2") == 409
    assert Change.objects.count() == 1


def test_finding__of_a_delete__wants_the_name_and_keeps_what_was_typed(
    client: Client, endpoint: Endpoint
) -> None:
    row = found(of(endpoint, "green"), kind="delete", high=Money(Decimal(20), "USD"))
    assert opened(client, row).one("input", name="typed").attributes.get("value", "") == ""
    answer = client.post(f"{home(row)}/file", {"seen": 1, "typed": "blue", "reason": "Old."})
    assert answer.status_code == 422
    page = read(answer.content)
    assert page.one("input", name="typed").attributes["value"] == "blue"
    assert page.one("input", id="f-reason").attributes["value"] == "Old."
    assert send(client, row, "file", typed="green") == 302
    assert Change.objects.get().origin == f"finding:{row.pk}"


def test_finding__that_no_change_can_do__becomes_work_with_a_day(client: Client, endpoint: Endpoint) -> None:
    row = found(of(endpoint), kind="resize", high=Money(Decimal(20), "USD"))
    due = (db_now() + timedelta(days=9)).date()
    assert send(client, row, "file", due=f"{due}") == 302
    row.refresh_from_db()
    assert (row.state, row.due) == ("claimed", due)
    assert not Change.objects.exists()
    assert "as work that no change can do" in said(opened(client, row))


def test_finding__changed_since_the_form_was_opened__is_not_touched(
    client: Client, endpoint: Endpoint
) -> None:
    row = shrink(endpoint)
    assert send(client, row, "comment", text="First.") == 302
    answer = client.post(f"{home(row)}/dismiss", {"seen": 1, "reason": "Late."})
    assert answer.status_code == 409
    page = read(answer.content)
    assert "Nothing was stored" in said(page)
    assert page.one("input", id="f-dismiss-reason").attributes["value"] == "Late."
    row.refresh_from_db()
    assert row.state == "open"


def test_finding__whose_facts_are_others_by_now__says_so(client: Client, endpoint: Endpoint) -> None:
    row = shrink(endpoint)
    assert send(client, row, "claim") == 302
    Finding.objects.filter(pk=row.pk).update(advice=row.advice | {"facts_now": "other"})
    LeftAlone.objects.create(
        deployment_id=of(endpoint).pk, endpoint_id=endpoint.pk, workspace_id=endpoint.workspace_id,
        reasons=["A rollback would go to it."], kind="shrink", seen_at=db_now(),
    )  # fmt: skip
    text = said(opened(client, row))
    assert "The facts are others by now." in text
    assert "A rollback would go to it." in text


def test_finding__that_was_acted_on__shows_measured_beside_claimed(
    client: Client, endpoint: Endpoint
) -> None:
    row = shrink(endpoint, state="verified")
    Saving.objects.create(
        finding=row, state="verified", acted_at=db_now(), currency="USD", claimed_nanos=213_890_000_000,
        monthly_nanos=200_000_000_000, saved_nanos=1_000_000_000, hours=24, before_seconds=7200,
        after_seconds=3600, words="One instance instead of two.", judged_at=db_now(),
    )  # fmt: skip
    text = said(opened(client, row))
    assert "What was really saved" in text
    assert "The ledger shows the saving." in text  # where nothing is left to do
    assert "200.00 USD" in text and "213.89 USD" in text and "One instance instead of two." in text


def test_finding__for_an_operator__is_read_alone_and_forms_that_are_forged_are_refused(
    sign_in: SignIn, operator: User, endpoint: Endpoint
) -> None:
    row, client = shrink(endpoint), sign_in(operator)
    page = opened(client, row)
    assert actions(page) == set()
    assert "FinOps" in said(page)
    for what in ("file", "claim", "release", "postpone", "dismiss", "comment"):
        assert send(client, row, what, reason="Mine.", until="30", text="x") == 403
    row.refresh_from_db()
    assert (row.state, row.version) == ("open", 1)


def test_finding__of_another_workspace_or_of_none__is_not_found(
    client: Client, sign_in: SignIn, outsider: User, endpoint: Endpoint
) -> None:
    row = shrink(endpoint)
    theirs = sign_in(outsider)
    assert theirs.get(home(row)).status_code == 404
    assert theirs.post(f"{home(row)}/dismiss", {"seen": 1, "reason": "Mine."}).status_code == 404
    for number in ("0", "999999", "99999999999999999999999"):
        assert client.get(f"/capacity/findings/{number}").status_code == 404
        assert client.post(f"/capacity/findings/{number}/claim", {"seen": 1}).status_code == 404
