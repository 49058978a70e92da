"""Browsers without a browser: signed-in clients, and a fleet with something in every state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client

from endpoints.access.models import User, Workspace
from endpoints.changes.selectors import change_detail
from endpoints.changes.services.approve import approve_change
from endpoints.changes.services.request import request_change
from endpoints.changes.services.start import start_change
from endpoints.inventory.models import Endpoint
from tests.support.load import serve
from tests.support.people import PASSWORD, make_endpoint, principal

SignIn = Callable[[User], Client]


@pytest.fixture
def sign_in() -> SignIn:
    """A client that went through the sign-in page as somebody."""

    def signed_in(user: User) -> Client:
        client = Client()
        answer = client.post("/login", {"username": user.username, "password": PASSWORD})
        assert answer.status_code == 302
        return client

    return signed_in


@dataclass(frozen=True)
class Stage:
    """An endpoint, and changes of it by number."""

    workspace: Workspace
    endpoint: Endpoint
    number: int

    @property
    def home(self) -> str:
        return f"/w/{self.workspace.slug}/e/{self.endpoint.name}/"

    def seen(self, user: User) -> str:
        """The hash of what this person would see now."""
        return change_detail(principal(user), self.number).content_hash


@pytest.fixture
def asked(workspace: Workspace, requester: User) -> Stage:
    """checkout-risk, all on blue, and a change to all on green that waits for review."""
    endpoint = make_endpoint(workspace)
    serve(endpoint.pk)
    number = request_change(
        principal=principal(requester),
        endpoint_id=endpoint.pk,
        split={"green": 100},
        reason="Green is better",
    )
    return Stage(workspace, endpoint, number)


@pytest.fixture
def approved(asked: Stage, reviewer: User) -> Stage:
    approve_change(principal=principal(reviewer), change_id=asked.number, seen_hash=asked.seen(reviewer))
    return asked


@pytest.fixture
def started(approved: Stage, operator: User) -> Stage:
    start_change(principal=principal(operator), change_id=approved.number, seen_hash=approved.seen(operator))
    return approved
