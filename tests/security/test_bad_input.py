"""Every page with input that no form of ours sends: an answer in words, never a 500, and nothing stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client

from endpoints.access.models import User
from endpoints.capacity.models import Agreement, Finding
from endpoints.challenges.models import Case
from tests.access_matrix.addresses import Address, addresses
from tests.capacity.found import found
from tests.capacity.ledgered import agreed
from tests.challenges.cases import raised, record
from tests.support.people import PASSWORD, browser
from tests.web.conftest import Stage

# fmt: off
FIELDS = (
    "username", "password", "next", "reason", "comment", "seen", "decision", "target", "key", "w:blue", "w:green",
    "zone", "form", "time_zone", "shortcuts", "theme", "current", "name", "scopes", "workspaces", "days", "do",
    "arm_id", "slug", "environment", "region", "typed", "how", "candidate", "weight-1", "bake-1", "mirror", "watch",
    "longest", "warm", "on-failure", "gate-0", "use-0", "limit-0", "least-0", "more-0", "start_at", "hold", "accept",
    "sound", "rule", "template", "title", "required", "risk_weight", "named",
    "gate", "step", "scale", "body", "secret_uri", "answer_schema", "synthetic", "deployment", "weight", "bake",
    "cid", "question", "reference", "claimant", "record", "asked_at", "outcome", "why", "other", "assigned_to", "since",
    "until", "name-1", "length-1", "unit-1", "source-1", "law-1", "two_roles", "band",
    "where", "workspace", "name_pattern", "owner", "tag", "starts", "ends", "repeat",
    "kind", "address", "topics", "channel",
    "pick", "due", "text", "instances", "hours", "team", "amount", "currency", "endpoint", "sku", "share",
    "idle_days", "known_share",
    "day_begins", "weekend", "test_tags", "excluded_tags", "excluded_names", "scream_hours", "report_weekday",
)
QUERY = (
    "q", "state", "ws", "after", "format", "before", "history", "to", "unchanged", "from", "actor", "endpoint",
    "subject", "type", "request", "next", "plan", "template", "steps", "all",
    "cid", "model", "reference",
    "part", "gate", "ended", "show", "begin", "name", "since", "until", "cause", "owner", "team", "kind", "what",
    "deployment", "days",
)
# fmt: on
HOSTILE = {
    "nul": "a\0b",
    "negative": "-1",
    "boolean": "true",
    "more digits than Python reads": "9" * 5000,
    "a digit that is no decimal": "²",
    "quote and comment": "' OR 1=1 --",
    "markup, overridden direction": "<script>alert(1)</script>\u202e\U0001f680",
    "cursor of numbers": "9.9.9",
    "cursor of a moment": f"0.{'9' * 30}.0001-01-01T00:00:00+23:59",
}
RAW = {"bytes that are no UTF-8": b"%FF%FE%C0%80", "very long": b"x" * 300_000}
# Their address says everything, so a field can't make them wrong; tests/web has them.
WITHOUT_INPUT = {
    "/logout",
    "/changes/CR-<number>/withdraw",
    "/changes/CR-<number>/unschedule",
    "/changes/CR-<number>/resume",
    "/audit/verify",
    "/challenges/CH-<number>/pack",
    "/settings/workspaces/<ws>/sync",
}

# Any text is a comment, and that it is kept as text is in tests/web.
ANY_TEXT = {"/changes/CR-<number>/comment", "/capacity/findings/<number>/comment"}


def pages(method: str) -> list[Address]:
    return [
        one
        for one in addresses()
        if one.method == method and not one.route.startswith("/api/") and not one.is_async
    ]


GETS = pages("GET")
POSTS = [one for one in pages("POST") if one.route not in WITHOUT_INPUT | ANY_TEXT]


def path(address: Address, stage: Stage) -> str:
    known: dict[str, Any] = {
        "ws": stage.workspace.slug,
        "name": stage.endpoint.name,
        "number": stage.number,
        "seq": 1,
        "token_id": 1,
        "deployment": "blue",
        "chart": "latency",
        "form": "csv",
        "rule": 1,
        "template": 1,
        "figure": "clicks",
        "file": "endpoint",
        "channel": 1,
        "evidence": 1,
        "hold": 1,
        "asked": "order-4711",
        "day": "2026-11-25",
    }
    if "/capacity/findings/" in address.route:
        known["number"] = Finding.objects.latest("pk").pk
    if "/capacity/agreements/" in address.route:
        known["number"] = Agreement.objects.latest("pk").pk
    if "/CH-" in address.route:
        known["number"] = Case.objects.latest("pk").pk
    return address.path(known)


def stored() -> dict[str, int]:
    """How many rows there are of what people make. What a refusal leaves behind is the ledger's own."""
    kept = ("access", "inventory", "metrics", "holds", "changes", "challenges", "notices", "capacity")
    return {
        model._meta.db_table: model._default_manager.count()
        for model in apps.get_models()
        if model._meta.app_label in kept and model._meta.model_name != "loginattempts"
    }


@pytest.fixture(autouse=True)
def case(powerful: User, asked: Stage) -> Case:
    """An open case with evidence; beside it a finding and an agreement."""
    found(asked.endpoint.deployments.get(name="blue"))
    agreed(asked.workspace.pk)
    return raised(powerful, asked.endpoint, record(asked.endpoint))


@pytest.fixture
def client(powerful: User) -> Client:
    """Somebody who may do everything, so that only the input can be refused."""
    client = browser(powerful)
    client.raise_request_exception = False
    return client


def queries() -> Iterator[tuple[str, bytes]]:
    for name, value in HOSTILE.items():
        yield name, urlencode(dict.fromkeys(QUERY, value)).encode()
    for name, raw in RAW.items():
        yield name, b"&".join(key.encode() + b"=" + raw[:3000] for key in QUERY)
    yield "twice", b"&".join(key.encode() + b"=1&" + key.encode() + b"=2" for key in QUERY)
    for name, value in HOSTILE.items():
        yield f"{name}, as a moment", urlencode({"at": value, "known": value}).encode()
    for kind in ("csv", "json"):
        given = dict.fromkeys(QUERY, HOSTILE["cursor of numbers"]) | {"format": kind, "ws": ""}
        yield f"as {kind}", urlencode(given).encode()


@pytest.mark.parametrize("address", GETS, ids=lambda one: one.route)
def test_page__asked_with_nonsense__answers_and_stores_nothing(
    address: Address, asked: Stage, client: Client
) -> None:
    before = stored()
    for name, query in queries():
        # A value that PostgreSQL refuses must not spoil the test's own transaction.
        with transaction.atomic():
            answer = client.get(path(address, asked), QUERY_STRING=query.decode("latin-1"))
            transaction.set_rollback(True)
        assert answer.status_code < 500, (name, query[:80])
    assert stored() == before


def bodies() -> Iterator[tuple[str, bytes]]:
    for name, value in HOSTILE.items():
        yield name, urlencode(dict.fromkeys(FIELDS, value)).encode()
    for name, raw in RAW.items():
        yield name, b"&".join(key.encode() + b"=" + raw for key in FIELDS[:5])
    yield "nothing", b""
    yield "twice", b"&".join(key.encode() + b"=1&" + key.encode() + b"=2" for key in FIELDS)
    yield "too many fields", b"&".join(b"w:%d=1" % number for number in range(600))
    yield "not a form", b'{"w:blue": 100}'


@pytest.mark.parametrize("address", POSTS, ids=lambda one: one.route)
def test_form__sent_with_nonsense__answers_and_stores_nothing(
    address: Address, asked: Stage, client: Client
) -> None:
    before = stored()
    for name, body in bodies():
        answer = client.generic(
            "POST", path(address, asked), body, content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code < 500, (name, body[:80], answer.content[:300])
        assert stored() == before, (name, answer.status_code)


def right(stage: Stage) -> dict[str, dict[str, str]]:
    """What each form that takes text sends when all is right, but for one thing that keeps it from being stored."""
    case = f"/challenges/CH-{Case.objects.latest('pk').pk}"
    # fmt: off
    return {
        f"{stage.home}change/new": {"w:blue": "60", "w:green": "41", "reason": "x", "key": "k-1", "seen": ""},
        f"{stage.home}rollback": {"target": "0" * 16, "reason": "errors", "comment": "x", "key": "k-2"},
        f"/changes/CR-{stage.number}/decide": {"decision": "approve", "seen": "0" * 64, "comment": "x"},
        f"/changes/CR-{stage.number}/edit": {
            "w:blue": "60",
            "w:green": "41",
            "reason": "x",
            "seen": "0" * 64,
        },
        f"{stage.home}change/new?steps=1": {
            "how": "steps", "candidate": "green", "weight-1": "5", "bake-1": "10", "weight-2": "5", "bake-2": "0",
            "weight-3": "5", "mirror": "0", "watch": "30", "longest": "6", "warm": "24", "on-failure": "hold",
            "gate-0": "errors", "use-0": "on", "limit-0": "1", "least-0": "200", "reason": "x", "key": "k-3",
        },
        f"/changes/CR-{stage.number}/schedule": {"seen": "0" * 64, "start_at": "2100-01-01T00:00"},
        f"/changes/CR-{stage.number}/past-hold": {"hold": "freeze:1", "reason": "x"},
        f"/changes/CR-{stage.number}/after-review": {"sound": "yes", "comment": "x"},
        f"/changes/CR-{stage.number}/break-glass": {"seen": "0" * 64, "reason": "x", "password": PASSWORD},
        f"/settings/approval-rules/{stage.workspace.slug}": {
            "do": "propose", "title": "Two", "required": "99", "risk_weight": "50", "endpoint_pattern": "x-*",
            "tag": "team", "tag_value": "risk", "named": "1", "reason": "x",
        },
        f"/settings/rollout-templates/{stage.workspace.slug}": {
            "do": "make", "name": "Quick", "weight-1": "5", "bake-1": "1", "weight-2": "5", "weight-3": "5",
        },
        "/holds": {
            "do": "make", "workspace": stage.workspace.slug, "name_pattern": "x-*", "owner": "x", "tag": "x=1",
            "title": "x", "zone": "UTC", "starts": "2027-01-02T00:00", "ends": "2027-01-01T00:00", "repeat": "own",
            "rule": "FREQ=WEEKLY", "reason": "x",
        },
        "/holds/import": {
            "workspace": stage.workspace.slug, "name_pattern": "x-*", "owner": "x", "tag": "x=1", "zone": "UTC",
            "reason": "x",
        },
        "/holds/stop": {"where": "mlw-none", "ws": stage.workspace.slug, "name": "x", "reason": "x"},
        "/challenges/new": {
            "ws": stage.workspace.slug, "endpoint": "no-such", "cid": "x", "question": "x", "reference": "x",
            "claimant": "x", "asked_at": "2026-11-01T00:00", "key": "k-4", "record": "1|2026-11-01|r:none",
        },
        f"{case}/work": {"do": "link", "other": "CH-99999999", "why": "x"},
        f"{case}/verdict": {"do": "decide", "seen": "99", "outcome": "stands", "reason": "x"},
        f"{case}/hold": {"do": "ask", "since": "2026-11-02T00:00", "until": "2026-11-01T00:00", "reason": "x"},
        f"{case}/erase": {"do": "ask", "reason": "x"},
        f"/settings/challenge-policy/{stage.workspace.slug}": {
            "do": "set", "name-1": "x", "length-1": "0", "unit-1": "hours", "source-1": "x", "band": "7",
        },
        "/settings/tokens": {"name": "ci", "scopes": "none", "days": "1", "workspaces": "1"},
        "/settings/workspaces": {
            "do": "connect",
            "arm_id": ARM_ID,
            "slug": "mlw-new",
            "environment": "none",
            "region": "westeurope",
        },
    }
    # fmt: on


ARM_ID = (
    "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-ml"
    "/providers/Microsoft.MachineLearningServices/workspaces/mlw-new"
)
ALONE = HOSTILE | {
    "long": "é" * 3000,
    "control characters": "a\r\n\x1b[31mb",
    "nothing": "",
    "wide digits": "１００",
}


@pytest.mark.parametrize("number", range(22))
def test_form__with_one_field_that_is_nonsense__answers_and_stores_nothing(
    number: int, asked: Stage, client: Client
) -> None:
    """The others are right, so that each field's own value is what is looked at, and not only the first one's."""
    before = stored()
    address, fields = list(right(asked).items())[number]
    for field in fields:
        for name, value in ALONE.items():
            # Undone, so that refusals on record do not add up to more than anybody orders in a minute.
            with transaction.atomic():
                answer = client.post(address, fields | {field: value})
                assert 400 <= answer.status_code < 500, (field, name, answer.status_code)
                assert answer.status_code != 429
                assert stored() == before, (field, name)
                transaction.set_rollback(True)


@pytest.mark.parametrize("query", ["from=2026-13-01", "to=yesterday", "from=9999-99-99", "to=9999-12-31"])
@pytest.mark.parametrize("form", ["csv", "json"])
def test_audit_file__filtered_by_what_is_no_day__is_refused_rather_than_unfiltered(
    query: str, form: str, asked: Stage, client: Client
) -> None:
    """A file that names a filter which was not used would be false evidence."""
    answer = client.get(f"/audit?{query}&format={form}")
    assert answer.status_code == 422
    assert b"Nothing was exported" in answer.content


def test_token__for_a_workspace_that_is_no_number__is_not_made_for_all(asked: Stage, client: Client) -> None:
    told = {"name": "ci", "scopes": "read", "days": "1", "workspaces": "x"}
    assert client.post("/settings/tokens", told).status_code == 422
