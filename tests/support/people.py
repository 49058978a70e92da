"""People, workspaces and endpoints for tests, made by the same services that make them in production.

The fixtures give accounts (`User`); `principal(user)` gives what services take. All people have their role on
`workspace`, except the outsider, who has every workspace role on `other_workspace` and nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from endpoints.access import services as access
from endpoints.access import sessions
from endpoints.access.models import User, Workspace
from endpoints.access.policies import Principal
from endpoints.access.roles import WORKSPACE_ROLES, Role
from endpoints.access.selectors import principal_for_user
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.azure_gateway import codec
from endpoints.azure_gateway.records import Reading
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from endpoints.inventory.services import Answer, observe_deployments, observe_endpoint
from tests.inventory.support import deployment_document, endpoint_document

SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
PASSWORD = "a long enough pass phrase"
INSTALLATION = ""
"""In place of a workspace's slug: the whole installation."""


def make_workspace(slug: str, environment: str = "production") -> Workspace:
    """A connected workspace."""
    arm_id = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{slug}"
    )
    workspace_id = access.add_workspace(
        actor=SYSTEM_COMMAND, arm_id=arm_id, slug=slug, environment=environment, region="westeurope"
    )
    return Workspace.objects.get(pk=workspace_id)


def make_person(
    name: str, roles: Mapping[str, Iterable[str]] | None = None, *, kind: str = User.Kind.PERSON
) -> User:
    """An account `name` (shown as "Name") whose password is PASSWORD, with roles by workspace slug."""
    user_id = access.add_user(
        actor=SYSTEM_COMMAND,
        username=name,
        display_name=name.capitalize(),
        password=PASSWORD if kind == User.Kind.PERSON else "",
        kind=kind,
    )
    for slug, wanted in (roles or {}).items():
        workspace_id = Workspace.objects.get(slug=slug).pk if slug != INSTALLATION else None
        for role in wanted:
            access.add_grant(
                actor=SYSTEM_COMMAND, user_id=user_id, role=Role(role), workspace_id=workspace_id
            )
    return User.objects.get(pk=user_id)


def principal(user: User) -> Principal:
    """What the account may do at this moment, as a session."""
    return principal_for_user(User.objects.get(pk=user.pk))


def token_for(user: User, *scopes: str, workspaces: Iterable[Workspace] = ()) -> str:
    """A live API token of the account, in clear."""
    _, raw = access.create_token(
        principal=principal(user),
        name="tests",
        scopes=scopes or ("read",),
        days=7,
        workspace_ids=[workspace.pk for workspace in workspaces],
    )
    return raw


def browser(user: User | None = None, *, enforce_csrf_checks: bool = False) -> Client:
    """A client with a session begun as the sign-in begins it; no user: nobody is signed in."""
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    if user is not None:
        client.force_login(user)
        session = client.session
        sessions.begin(session, datetime.now(UTC))
        session.save()
    return client


def make_endpoint(
    workspace: Workspace,
    name: str = "checkout-risk",
    traffic: Mapping[str, int] | None = None,
    deployments: Iterable[str] | Mapping[str, Mapping[str, Any]] = ("blue", "green"),
    **properties: Any,
) -> Endpoint:
    """An endpoint as Azure would report it now, with its deployments: names, or names with their properties.

    Called again for the same name, it is a later reading: a split that nobody here ordered becomes drift.
    """
    split = {"blue": 100} if traffic is None else dict(traffic)
    document = endpoint_document(workspace, name, traffic=split, **properties)
    began = db_now()
    reading = Reading(codec.endpoint(document), began, db_now(), "azure-request")
    seen = observe_endpoint(workspace_id=workspace.pk, reading=reading)
    wanted = deployments if isinstance(deployments, Mapping) else {each: {} for each in deployments}
    records = [
        codec.deployment(deployment_document(document, each, **changes)) for each, changes in wanted.items()
    ]
    observe_deployments(
        endpoint_id=seen.endpoint_id, records=records, answer=Answer(began, db_now()), is_complete=True
    )
    return Endpoint.objects.get(pk=seen.endpoint_id)


@pytest.fixture
def workspace(db: None) -> Workspace:
    return make_workspace("mlw-prod-weu")


@pytest.fixture
def other_workspace(db: None) -> Workspace:
    return make_workspace("mlw-test-neu", environment="test")


@pytest.fixture
def requester(workspace: Workspace) -> User:
    return make_person("rosa", {workspace.slug: [Role.REQUESTER]})


@pytest.fixture
def reviewer(workspace: Workspace) -> User:
    return make_person("vera", {workspace.slug: [Role.REVIEWER]})


@pytest.fixture
def operator(workspace: Workspace) -> User:
    return make_person("omar", {workspace.slug: [Role.OPERATOR]})


@pytest.fixture
def supervisor(workspace: Workspace) -> User:
    return make_person("sina", {workspace.slug: [Role.SUPERVISOR]})


@pytest.fixture
def finops(workspace: Workspace) -> User:
    return make_person("finn", {workspace.slug: [Role.FINOPS]})


@pytest.fixture
def auditor(workspace: Workspace) -> User:
    """Of one workspace; an auditor of all is `make_person("…", {INSTALLATION: [Role.AUDITOR]})`."""
    return make_person("aude", {workspace.slug: [Role.AUDITOR]})


@pytest.fixture
def admin(db: None) -> User:
    """Administers people and workspaces; sees no endpoint and moves no traffic."""
    return make_person("ada", {INSTALLATION: [Role.ADMIN]})


@pytest.fixture
def outsider(other_workspace: Workspace) -> User:
    return make_person("otto", {other_workspace.slug: sorted(WORKSPACE_ROLES)})
