"""Capacity as files from the page: any length, the page's filters, safe in a spreadsheet, and sent while it is read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from endpoints.access.models import User, Workspace
from endpoints.capacity import focus
from endpoints.capacity.selectors import exports as room
from endpoints.core.money import Money
from endpoints.core.sheets import AT_ONCE, MARK, csv_pieces, json_pieces
from tests.capacity.found import found
from tests.capacity.ledgered import ledgered, yesterday
from tests.support.people import make_endpoint
from tests.web.conftest import SignIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(workspace: Workspace, finops: User, sign_in: SignIn) -> Client:
    """FinOps, who finds two deployments in the ledger and a finding."""
    endpoint = make_endpoint(workspace, tags={"owner": "=cmd()", "team": "risk"})
    ledgered(*endpoint.deployments.all())
    found(
        endpoint.deployments.get(name="green"),
        high=Money(Decimal("213.89"), "USD"),
        why="+1 of them is idle.",
    )
    return sign_in(finops)


def table(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode().removeprefix(MARK))))


def test_days_as_csv__of_the_ledger__are_exact_and_run_no_formula(client: Client) -> None:
    answer = client.get("/capacity/export.csv?what=days")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="capacity-days-')
    rows = table(answer)
    assert list(rows[0]) == list(room.DAYS)
    assert [(row["deployment"], row["paid"], row["currency"]) for row in rows] == [
        ("blue", "14.064", "USD"),
        ("green", "14.064", "USD"),
    ]
    assert (rows[0]["owner"], rows[0]["day"]) == ("'=cmd()", str(yesterday()))
    assert json.loads(rows[0]["causes"])[0]["cause"] == "forgotten-canary"


def test_findings_as_csv__of_a_filter__are_those_alone(client: Client) -> None:
    (row,) = table(client.get("/capacity/export.csv?what=findings&state=open,claimed&kind=shrink"))
    assert list(row) == list(room.FINDINGS)
    assert (row["deployment"], row["high"], row["currency"], row["why"]) == (
        "green",
        "213.89",
        "USD",
        "'+1 of them is idle.",
    )
    assert table(client.get("/capacity/export.csv?what=findings&state=dismissed")) == []


def test_days_as_json__of_a_filter__say_what_was_asked_for_and_how_many_there_are(client: Client) -> None:
    answer = client.get("/capacity/export.json?what=days&ws=mlw-prod-weu&part=unserved")
    body = json.loads(answer.getvalue())
    assert answer["Content-Type"] == "application/json"
    assert (body["what"], body["zone"], body["count"]) == ("days", "UTC", 2)
    assert body["filters"] == {"ws": "mlw-prod-weu", "part": "unserved"}
    assert body["made_at"].endswith("Z")
    assert body["rows"][0]["owner"] == "=cmd()"
    nothing = json.loads(client.get("/capacity/export.json?what=days&part=over").getvalue())
    assert (nothing["count"], nothing["rows"]) == (0, [])


def test_focus__of_the_ledger__has_the_columns_and_sums_to_what_was_paid(client: Client) -> None:
    answer = client.get("/capacity/export-focus.csv")
    text = answer.getvalue().decode()
    assert text.startswith(
        "AvailabilityZone,"
    )  # a mark would be part of the first column's name for programs
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == list(focus.HEADER)
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal("28.128")
    assert json.loads(rows[0]["Tags"]) == {"owner": "=cmd()", "team": "risk"}


def test_focus__of_whom_nobody_is_named__is_empty_here(client: Client) -> None:
    assert table(client.get("/capacity/export-focus.csv?owner=none")) == []
    assert len(table(client.get("/capacity/export-focus.csv?team=risk"))) == 2


@pytest.mark.parametrize(
    "query",
    [
        "export.csv", "export.csv?what=money", "export.json?what=days&since=x", "export.csv?what=findings&state=shut",
        "export.csv?what=days&since=2026-01-02&until=2026-01-02", "export.csv?what=days&since=0001-01-01",
        "export-focus.csv?cause=whatever", "export-focus.csv?endpoint=checkout-risk", "export.csv?what=days&part=idle",
        "export-focus.csv?until=0001-01-01",
    ],
)  # fmt: skip
def test_file__of_what_there_is_not__is_a_page_that_says_so(client: Client, query: str) -> None:
    assert client.get(f"/capacity/{query}").status_code == 422


def test_file__of_a_workspace_that_one_may_not_see_into__is_refused(
    client: Client, requester: User, sign_in: SignIn
) -> None:
    theirs = sign_in(requester)
    assert theirs.get("/capacity/export.csv?what=days&ws=mlw-prod-weu").status_code == 403
    assert table(theirs.get("/capacity/export.csv?what=days")) == []


def test_pieces__of_many_rows__are_read_no_earlier_than_they_are_sent() -> None:
    read = []

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(3 * AT_ONCE):
            read.append(number)
            yield {"n": number}

    pieces = csv_pieces(("n",), rows())
    assert next(pieces).startswith(f"{MARK}n\r\n0\r\n")
    assert len(read) == AT_ONCE
    assert sum(piece.count("\r\n") for piece in pieces) == 2 * AT_ONCE
    whole = json.loads("".join(json_pieces({}, rows())))
    assert (whole["count"], whole["rows"][-1]) == (3 * AT_ONCE, {"n": 3 * AT_ONCE - 1})
