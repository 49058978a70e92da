"""The API keeps its own description: whatever is sent, no 5xx and no answer that the description lacks.

Each example runs in a savepoint that is rolled back, so that one does not change what the next one finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from endpoints.access.models import User, Workspace
from endpoints.api.schema import document
from endpoints.changes import services
from endpoints.changes.gatespec import Kind, gate
from endpoints.changes.models import Measurement
from endpoints.changes.targets import key_of
from endpoints.changes.terms import Terms
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from endpoints.metrics.models import Backfill, Collector
from endpoints.metrics.services import propose_budget, write_minutes
from tests.api.api import ask_for_change, hash_of
from tests.capacity.found import found
from tests.capacity.ledgered import agreed, ledgered
from tests.challenges.cases import raised, record
from tests.metrics.budgeting import budget_since
from tests.metrics.figuring import clicks, defined, minute_ago, sent
from tests.metrics.storing import row
from tests.notices.support import kept_channel
from tests.support.people import SUBSCRIPTION, browser, make_endpoint, make_person, principal, token_for
from tests.support.requests import connection_kept

EXAMPLES = 8
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
)
SCHEMA = schemathesis.openapi.from_dict(document())
OPERATIONS = {found.ok().definition.raw["operationId"]: found.ok() for found in SCHEMA.get_all_operations()}


@pytest.fixture
def stage(workspace, other_workspace) -> dict[str, Any]:
    """A seeded fleet, a change in each of some states, and somebody with every role."""
    endpoint = make_endpoint(workspace, traffic={"blue": 90, "green": 10})
    make_endpoint(workspace, "photo-triage", deployments={"blue": {"provisioningState": "Failed"}})
    make_endpoint(other_workspace, "checkout-risk")
    author = make_person("rosa", {workspace.slug: ["requester"]})
    ruler = make_person(
        "rudi",
        {
            "": ["admin", "auditor"],
            workspace.slug: ["requester", "reviewer", "operator", "supervisor", "finops"],
        },
    )
    number = ask_for_change(author, endpoint.pk, {"green": 100})
    services.reject_change(
        principal=principal(ruler), change_id=number, seen_hash=hash_of(number), comment="Not yet."
    )
    number = ask_for_change(author, endpoint.pk, {"blue": 50, "green": 50})
    told(number)
    return {
        "number": number,
        "ruler": ruler,
        "proposal": measured(endpoint, workspace),
        "rule": rule(make_person("rita", {workspace.slug: ["reviewer"]}), workspace),
        "template": template(ruler, workspace),
        "channel": kept_channel(workspace),
        **capacity(endpoint),
        "case": raised(ruler, endpoint, record(endpoint)).pk,
    }


def capacity(endpoint: Endpoint) -> dict[str, Any]:
    """A day in the ledger, and a finding."""
    blue = endpoint.deployments.get(name="blue")
    return {
        "day": ledgered(blue),
        "deployment_number": blue.pk,
        "finding": found(blue).pk,
        "agreement": agreed(endpoint.workspace_id).pk,
    }


def told(number: int) -> None:
    """What a gate said of a change, and what it could not know."""
    now = db_now()
    Measurement.objects.create(
        change_id=number, step=0, gate="Errors", outcome="inconclusive", reason="No requests are known yet.",
        value=None, limit=0.01, requests=None, detail={"bound": 0.02}, since=now, until=now, at=now,
    )  # fmt: skip


def rule(proposer: User, workspace: Workspace) -> int:
    """A proposal of somebody else."""
    made = services.propose_rule(
        principal=principal(proposer),
        workspace_id=workspace.pk,
        draft=services.RuleDraft("Two for risk", "risk-*", required=2),
        reason="After the incident of May.",
    )
    return made.rule_id


def template(maker: User, workspace: Workspace) -> int:
    """A plan with gates that is offered."""
    return services.make_template(
        principal=principal(maker),
        workspace_id=workspace.pk,
        name="Canary",
        steps=[(5, 600, False), (100, 0, True)],
        terms=Terms(gates=(gate(Kind.ERRORS), gate(Kind.P95_OVER_BUDGET)), watch=600),
    )


def measured(endpoint: Endpoint, workspace: Workspace) -> int:
    """Minutes of a deployment, a budget, and the number of a proposal for another one."""
    begin = db_now() - timedelta(hours=2)
    blue = endpoint.deployments.get(name="blue").pk
    write_minutes(
        row(blue, begin.replace(second=0, microsecond=0) + timedelta(minutes=n), requests=n, p95=200 + n)
        for n in range(100)
    )
    budget_since(endpoint.pk, begin, 250, 0.01)
    collector = Collector.objects.create(subscription=SUBSCRIPTION, region="westeurope", due_at=begin)
    Backfill.objects.create(
        collector=collector, since=begin - timedelta(days=9), until=begin, cursor=begin, asked_by="user:1",
        asked_at=begin, due_at=begin,
    )  # fmt: skip
    asks = make_person("omar", {workspace.slug: ["operator"]})
    defined(asks, endpoint)
    sent(asks, endpoint, *clicks(minute_ago(5), [(10, 1)], "blue"))
    return propose_budget(
        principal=principal(asks),
        endpoint_id=endpoint.pk,
        p95_ms=400,
        failure_share=None,
        reason="Too tight.",
    ).proposal_id


def as_token(user: User) -> dict[str, Any]:
    scopes = ("read", "change", "approve", "rollback", "audit", "admin")
    return {"headers": {"Authorization": f"Bearer {token_for(user, *scopes)}"}}


def as_session(user: User) -> dict[str, Any]:
    """Cookies and header of a browser that has fetched a page."""
    session, secret = browser(user).cookies["sessionid"].value, "0123456789abcdefghijklmnopqrstuv"
    return {
        "cookies": {"sessionid": session, "csrftoken": secret},
        "headers": {"X-CSRFToken": secret},
    }


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def cases(operation: Any) -> st.SearchStrategy[tuple[Any, bool]]:
    """Calls that the description allows, on what exists or not; and, where anything can be wrong, others."""
    legal = st.tuples(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), st.booleans())
    if operation.body or operation.query:
        wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
        return legal | st.tuples(wrong, st.just(False))
    return legal


_BODY = {
    "workspace": "mlw-prod-weu",
    "endpoint": "checkout-risk",
    "split": {"blue": 80, "green": 20},
    "target": key_of({"green": 100}, {}),
    "mirror": None,
    "plan": {"steps": [{"split": {"blue": 80, "green": 20}, "bake": 600}, {"split": {"green": 100}}]},
    "candidate": "green",
    "named": [],
    "scale_first": {"green": 3},
}
_WAYS = ("template", "plan", "split")


_NUMBERS = {
    "/challenges/": "case",
    "/capacity/findings/": "finding",
    "/capacity/days/": "deployment_number",
    "/capacity/agreements/": "agreement",
}


def real(case: Any, stage: dict[str, Any]) -> None:
    """Put what exists into the address and the preconditions, so that the call gets past the door."""
    number = next((stage[key] for part, key in _NUMBERS.items() if part in case.path), stage["number"])
    there = {
        "evidence": 1,
        "hold": 1,
        "rule": stage["rule"],
        "template": stage["template"],
        "ws": "mlw-prod-weu",
        "name": "checkout-risk",
        "deployment": "blue",
        "number": number,
        "seq": 1,
        "size": 1,
        "channel": stage["channel"],
        "token_id": 1,
        "figure": "click-through",
        "day": stage["day"],
    }
    for name in case.path_parameters or {}:
        case.path_parameters[name] = there[name]
    if "If-Match" in (case.headers or {}):
        case.headers["If-Match"] = f'"{hash_of(stage["number"])}"'
    if case.path.endswith("/capacity-changes") and isinstance(case.body, dict):
        case.body = {"want": "scale", "deployment": "blue", "instances": 3, "reason": "Too small."}
    if isinstance(case.body, dict):
        known = _BODY | {"proposal": stage["proposal"], "template": stage["template"]}
        case.body |= {name: value for name, value in known.items() if name in case.body}
        one_way(case.body)


def one_way(body: dict[str, Any]) -> None:
    """Of the ways to ask for traffic the first that is there: more than one is refused anyway."""
    ways = [name for name in _WAYS if name in body]
    for name in ways[1:]:
        del body[name]
    if ways[:1] == ["template"]:
        body["candidate"] = _BODY["candidate"]
    elif ways:
        body.pop("candidate", None)


@pytest.fixture
def application() -> Iterator[Any]:
    """The WSGI application, on the connection of the test."""
    with connection_kept():
        yield get_wsgi_application()


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_operation__whatever_is_sent__answers_as_described(name, stage, application):
    operation = OPERATIONS[name]
    who = as_session(stage["ruler"]) if name.startswith("tokens") else as_token(stage["ruler"])

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(call=cases(operation))
    def probe(call: tuple[Any, bool]) -> None:
        case, is_real = call
        if is_real:
            real(case, stage)
        (case.headers or {}).pop(
            "Authorization", None
        )  # a made-up token would be judged before the real session
        with undone():
            case.call_and_validate(checks=CHECKS, app=application, **who)

    probe()
