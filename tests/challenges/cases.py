"""Cases, their records and people for tests, made by the services that make them in production."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from endpoints.access.models import User, Workspace
from endpoints.access.roles import Role
from endpoints.challenges import services
from endpoints.challenges.clocks import Due, dues_from_json, dues_to_json, presses_at
from endpoints.challenges.models import Case
from endpoints.challenges.recorded import Source
from endpoints.challenges.services import Challenge, take
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from tests.challenges.recording import guid, said
from tests.support.people import make_endpoint, make_person, principal

QUESTION = "Why was facility 8841 marked urgent?"
REASON = "The picture shows another facility."


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    """checkout-risk, all on blue, as it was read just now."""
    return make_endpoint(workspace)


@pytest.fixture
def second(workspace: Workspace) -> User:
    """Another supervisor of the same workspace."""
    return make_person("saul", {workspace.slug: [Role.SUPERVISOR]})


def record(endpoint: Endpoint, number: int = 1, at: datetime | None = None, **more: Any) -> str:
    """The log's word about a request, with a later reading of Azure that bears out what was; Azure's id of it."""
    when = at or db_now()
    word = {"request_id": guid(number), "client_id": f"order-{number}", "deployment": "blue", "status": 200}
    take([said(endpoint.pk, when, **(word | more))], source=Source.LOG)
    make_endpoint(endpoint.workspace, endpoint.name)
    return guid(number)


def raised(user: User, endpoint: Endpoint, asked_id: str = "", **more: Any) -> Case:
    """A case; without an id one about endpoint and time alone."""
    told: dict[str, Any] = {"question": QUESTION, "asked_id": asked_id}
    if not asked_id:
        told |= {"endpoint_id": endpoint.pk, "asked_at": db_now()}
    via = {name: more.pop(name) for name in ("via", "idempotency_key") if name in more}
    number = services.raise_case(
        principal=principal(user),
        workspace_id=endpoint.workspace_id,
        challenge=Challenge(**(told | more)),
        **via,
    )
    return Case.objects.get(pk=number)


def decide(user: User, case: Case, outcome: str = "overturned") -> Case:
    """The verdict on the case as it is now."""
    case.refresh_from_db()
    services.decide(
        principal=principal(user), case_id=case.pk, seen_version=case.version, outcome=outcome, reason=REASON
    )
    case.refresh_from_db()
    return case


def two_people(admin: User, workspace: Workspace) -> None:
    """A policy under which another person confirms."""
    services.set_policy(
        principal=principal(admin), workspace_id=workspace.pk, clocks=(), two_roles=True, band=None
    )


def grown_older(case: Case, by: timedelta) -> None:
    """As if it had been raised so much earlier: its clocks with it."""
    dues = [
        Due(one.name, one.since - by, one.at - by, one.source, one.target) for one in dues_from_json(case.due)
    ]
    Case.objects.filter(pk=case.pk).update(
        raised_at=case.raised_at - by, due=dues_to_json(dues), next_due_at=presses_at(dues)
    )
    case.refresh_from_db()
