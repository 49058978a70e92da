"""What people say about money: plans, agreements and values; who may, what is refused, and what it changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.capacity.models import Agreement, Day, Made, Saving
from endpoints.capacity.selectors import fleet_ledger
from endpoints.capacity.selectors.money import (
    agreements,
    alerts,
    headline,
    month_of,
    plans,
    unit_costs,
    values,
)
from endpoints.capacity.services import (
    agree,
    end_agreement,
    roll_up_due,
    set_plan,
    set_value,
    watch_money,
)
from endpoints.capacity.services.publish_reports import due_week, publish_reports
from endpoints.capacity.version import LEDGER
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from endpoints.notices.models import Message
from tests.capacity.fleet import DAY, deployment, endpoint, priced
from tests.capacity.found import found
from tests.capacity.ledgered import PAID, ledgered, yesterday
from tests.capacity.test_roll_up import deployed
from tests.support.people import principal

pytestmark = pytest.mark.django_db
WHY = "Finance said so."


def ledger_is_there(workspace: Workspace) -> None:
    Made.objects.create(
        workspace_id=workspace.pk, day=yesterday(), deployments=1, minutes=0, version=LEDGER, made_at=db_now()
    )


def last_action() -> str:
    entry = Entry.objects.order_by("seq").last()
    assert entry is not None
    assert WHY not in bytes(entry.body).decode()
    return str(entry.action) if hasattr(entry, "action") else bytes(entry.body).decode()


def plan(finops: User, workspace: Workspace, amount: str | None, team: str = "") -> None:
    set_plan(
        principal=principal(finops), workspace_id=workspace.pk, team=team,
        amount=None if amount is None else Decimal(amount), currency="usd", reason=WHY,
    )  # fmt: skip


def test_plan__set_anew__is_the_newest_and_taken_back_none(workspace: Workspace, finops: User) -> None:
    plan(finops, workspace, "100")
    plan(finops, workspace, "250.50")
    plan(finops, workspace, "40", "risk")
    (whole, team) = plans([workspace.pk])
    assert (whole.team, whole.amount, whole.currency) == ("", Decimal("250.50"), "USD")
    assert (team.team, team.amount) == ("risk", Decimal(40))
    with pytest.raises(Conflict):
        plan(finops, workspace, "40", "risk")
    plan(finops, workspace, None, "risk")
    assert [row.team for row in plans([workspace.pk])] == [""]
    assert "capacity.plan_set" in last_action()


@pytest.mark.parametrize(
    ("amount", "currency", "reason", "field"),
    [
        ("-1", "USD", WHY, "amount"),
        ("NaN", "USD", WHY, "amount"),
        ("1.005", "USD", WHY, "amount"),
        ("99999999999", "USD", WHY, "amount"),
        ("1", "dollar", WHY, "currency"),
        ("1", "USD", " ", "reason"),
    ],
)
def test_plan__that_makes_no_sense__is_refused_with_its_field(
    workspace: Workspace, finops: User, amount: str, currency: str, reason: str, field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        set_plan(
            principal=principal(finops), workspace_id=workspace.pk, amount=Decimal(amount), currency=currency,
            reason=reason,
        )  # fmt: skip
    assert field in caught.value.fields
    assert plans([workspace.pk]) == ()


def test_money__for_who_may_not__is_refused_and_for_outsiders_not_there(
    workspace: Workspace, operator: User, outsider: User
) -> None:
    since = db_now()
    row = deployed(workspace)
    for person, error in ((operator, Refused), (outsider, NotFound)):
        who = principal(person)
        with pytest.raises(error):
            set_plan(principal=who, workspace_id=workspace.pk, amount=Decimal(1), currency="USD", reason=WHY)
        with pytest.raises(error):
            set_value(
                principal=who, endpoint_id=row.endpoint_id, amount=Decimal(1), currency="USD", reason=WHY
            )
        with pytest.raises(error):
            agree(principal=who, workspace_id=workspace.pk, share=Decimal("0.1"), since=since, reason=WHY)
    assert not Agreement.objects.exists()


def test_value__of_a_prediction__is_the_newest_and_taken_back_none(
    workspace: Workspace, finops: User
) -> None:
    row = deployed(workspace)
    for amount in ("0.002", "0.004"):
        set_value(
            principal=principal(finops), endpoint_id=row.endpoint_id, amount=Decimal(amount), currency="EUR",
            reason=WHY,
        )  # fmt: skip
    (value,) = values([workspace.pk])
    assert (value.amount, value.currency) == (Decimal("0.004"), "EUR")
    set_value(
        principal=principal(finops), endpoint_id=row.endpoint_id, amount=None, currency="EUR", reason=WHY
    )
    assert values([workspace.pk]) == ()


def test_agreement__over_days_of_the_ledger__lowers_them_and_its_end_those_after(
    workspace: Workspace, finops: User
) -> None:
    now = db_now()
    priced(workspace, "0.293", now - 90 * DAY)
    row = deployment(endpoint(workspace, "risk", created=now - 20 * DAY), created=now - 20 * DAY)
    roll_up_due()
    assert _paid(row.pk) == 2 * 24 * Decimal("0.293")
    number = agree(
        principal=principal(finops), workspace_id=workspace.pk, share=Decimal("0.25"), since=now - 30 * DAY,
        reason=WHY,
    )  # fmt: skip
    roll_up_due()
    assert _paid(row.pk) == 2 * 24 * Decimal("0.293") * Decimal("0.75")
    end_agreement(principal=principal(finops), agreement_id=number, reason=WHY)
    roll_up_due()
    assert _paid(row.pk) == 2 * 24 * Decimal("0.293") * Decimal("0.75")  # it ended only now
    with pytest.raises(Conflict):
        end_agreement(principal=principal(finops), agreement_id=number, reason=WHY)
    (told,) = agreements([workspace.pk])
    assert (told.share, told.ended_at is not None) == (Decimal("0.25"), True)


def _paid(deployment_id: int) -> Decimal:
    row = Day.objects.get(deployment_id=deployment_id, day=yesterday() - 5 * DAY)
    return row.paid_nanos * Decimal("1e-9")


def test_agreement__that_makes_no_sense__is_refused(workspace: Workspace, finops: User) -> None:
    now = db_now()
    for share in ("0", "1.1", "-0.2", "NaN", "0.1234567"):
        with pytest.raises(Invalid):
            agree(
                principal=principal(finops), workspace_id=workspace.pk, share=Decimal(share), since=now,
                reason=WHY,
            )  # fmt: skip
    with pytest.raises(Invalid):
        agree(
            principal=principal(finops), workspace_id=workspace.pk, share=Decimal("0.5"), since=now, until=now,
            reason=WHY,
        )  # fmt: skip


def test_month__of_a_ledger__is_what_was_spent_planned_and_expected(
    workspace: Workspace, finops: User
) -> None:
    row = deployed(workspace)
    today = date(2026, 11, 11)
    for back in range(1, 8):
        ledgered(row, day=today - back * DAY)
    plan(finops, workspace, "300")
    (month,) = month_of([workspace.pk], today)
    assert (month.spent, month.unserved, month.days) == (7 * PAID, 7 * PAID, 7)
    assert month.forecast == 30 * PAID
    assert month.plan == Decimal(300)
    assert "3 days of which nothing is known" in month.words


def test_month__of_what_has_no_price__has_no_amount_and_no_forecast(workspace: Workspace) -> None:
    day = ledgered(deployed(workspace), currency="")
    (month,) = month_of([workspace.pk], day)
    assert (month.currency, month.forecast, month.plan) == ("", None, None)
    assert (month.spent, month.unserved, month.over, month.unknown) == (None, None, None, None)
    assert month.unpriced_seconds > 0


def test_headline__of_findings__counts_each_once_and_unpriced_ones_apart(workspace: Workspace) -> None:
    row = endpoint(workspace, "risk", created=db_now() - 9 * DAY)
    for number, (state, amount) in enumerate(
        [("open", "10"), ("claimed", "5"), ("filed", "7"), ("open", "")]
    ):
        one = deployment(row, f"d{number}", created=row.first_seen_at)
        found(one, state=state, high=Money(Decimal(amount), "USD") if amount else None)
    (told,) = headline([workspace.pk], yesterday())
    assert (told.could_save, told.findings, told.filed) == (Decimal(15), 2, Decimal(7))
    assert (told.unpriced_findings, told.realised) == (1, Decimal(0))
    assert told.spent is None  # no priced day is in the ledger: nobody knows


def test_unit_costs__of_days_without_requests__are_not_known(workspace: Workspace) -> None:
    day = ledgered(deployed(workspace))
    (told,) = unit_costs([workspace.pk], day, day + DAY).rows
    assert (told.cost, told.requests, told.per_thousand) == (PAID, None, None)
    assert "no requests are known" in told.words
    assert unit_costs([], day, day + DAY).rows == ()


def test_unit_costs__with_a_day_without_price__leave_that_day_out_and_say_so(workspace: Workspace) -> None:
    row = deployed(workspace)
    for back, currency in ((2, "USD"), (1, "USD"), (0, "")):
        day = ledgered(row, day=yesterday() - back * DAY, currency=currency)
        with connection.cursor() as cursor:
            cursor.execute("SELECT metrics_make_partition('day', %s)", [day])
            cursor.execute(
                "INSERT INTO metrics_day (deployment_id, day, minutes, request_minutes, idle_minutes,"
                " capacity_minutes, requests) VALUES (%s, %s, 1440, 1440, 0, 1440, 1000)",
                [row.pk, day],
            )
    (told,) = unit_costs([workspace.pk], yesterday() - 2 * DAY, yesterday() + DAY).rows
    assert (told.cost, told.requests, told.per_thousand) == (2 * PAID, 2000, PAID)
    assert told.words == "Without 1 of its 3 days of deployments, whose cost is not known."
    (mute,) = unit_costs([workspace.pk], yesterday(), yesterday() + DAY).rows
    assert (mute.cost, mute.requests, mute.per_thousand) == (None, 1000, None)
    assert "No price is known" in mute.words


def test_unit_costs__by_pages__hold_each_endpoint_once(workspace: Workspace) -> None:
    rows = [
        deployment(endpoint(workspace, f"e{number}", created=db_now() - 9 * DAY), created=db_now() - 9 * DAY)
        for number in range(3)
    ]
    day = ledgered(*rows)
    first = unit_costs([workspace.pk], day, day + DAY, limit=2)
    second = unit_costs([workspace.pk], day, day + DAY, limit=2, cursor=first.next_cursor)
    assert [one.endpoint for one in (*first.rows, *second.rows)] == ["e0", "e1", "e2"]
    with pytest.raises(Invalid):
        unit_costs([workspace.pk], day, day + DAY, cursor="x")


def test_alerts__of_a_passed_plan__are_told_once_and_end_with_the_plan(
    workspace: Workspace, finops: User
) -> None:
    ledger_is_there(workspace)
    ledgered(deployed(workspace))
    plan(finops, workspace, "1")
    now = db_now().replace(day=max(2, db_now().day))
    assert watch_money(now=now) == 1
    assert watch_money(now=now) == 0
    (row,) = alerts([workspace.pk]).rows
    assert row.kind == "over_plan"
    assert Message.objects.filter(topic="capacity.budget").count() == 1
    plan(finops, workspace, None)
    assert watch_money(now=now) == 1
    assert alerts([workspace.pk]).rows == ()
    assert alerts([workspace.pk], ended=True).count == 1


def test_alerts__of_a_canary_idle_for_seven_days__are_of_duplicated_capacity(workspace: Workspace) -> None:
    ledger_is_there(workspace)
    row = deployed(workspace)
    for back in range(7):
        ledgered(row, day=yesterday() - back * DAY)
    watch_money()
    (told,) = alerts([workspace.pk]).rows
    assert told.kind == "duplicate"
    assert f"{7 * PAID:.2f} USD" in told.words
    assert Message.objects.filter(topic="capacity.duplicate").count() == 1


@pytest.mark.parametrize(("state", "count"), [("open", 1), ("gone", 1), ("claimed", 0)])
def test_alerts__of_a_saving_that_did_not_last__stand_until_somebody_takes_it_on(
    workspace: Workspace, state: str, count: int
) -> None:
    ledger_is_there(workspace)
    finding = found(deployed(workspace), state=state)
    Saving.objects.create(
        finding=finding, state="rebounded", acted_at=db_now(), words="It did not last.", judged_at=db_now()
    )
    watch_money()
    assert [row.kind for row in alerts([workspace.pk]).rows] == ["rebound"] * count
    assert Message.objects.filter(topic="capacity.rebound").count() == count
    assert watch_money(now=db_now() + 8 * DAY) == (1 if state == "gone" else 0)


def test_alerts__of_a_size_without_price__stay_in_the_portal(workspace: Workspace) -> None:
    ledger_is_there(workspace)
    day = ledgered(deployed(workspace), currency="")
    watch_money(now=db_now() if day.month == db_now().astimezone(UTC).month else db_now() - DAY)
    assert [row.kind for row in alerts([workspace.pk]).rows] == ["unpriced"]
    assert not Message.objects.exists()


def test_report__of_a_week__is_handed_over_once(workspace: Workspace) -> None:
    ledger_is_there(workspace)
    now = db_now()
    monday = (now - timedelta(days=now.weekday())).astimezone(UTC).replace(hour=8)
    ledgered(deployed(workspace), day=monday.date())
    for at in (monday, monday + timedelta(hours=5)):
        assert publish_reports(now=at) == 1
    assert publish_reports(now=monday + timedelta(days=3)) == 0
    message = Message.objects.get(topic="capacity.report")
    assert "spent" in str(message.facts)


def test_due_week__by_the_local_clock__is_from_seven_in_the_morning() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    monday = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)  # 07:00 in Berlin
    assert due_week(monday - timedelta(minutes=1), 0, berlin) == ""
    assert due_week(monday, 0, berlin) == "2026-W48"
    assert due_week(monday, None, berlin) == ""


def test_sums__of_all_workspaces__hold_the_month(workspace: Workspace) -> None:
    day = ledgered(deployed(workspace))
    (ledger,) = fleet_ledger([workspace.pk], since=day.replace(day=1), until=day + DAY)
    (month,) = month_of([workspace.pk], day)
    assert ledger.total.amounts["paid"] == month.spent
