"""Calls of the API as people and programs make them."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from endpoints.access.models import User
from endpoints.changes import services
from endpoints.changes.models import ChangeRevision
from tests.support.people import browser, principal

PREFIX = "/api/v1"


class Api:
    """A caller. `token`: sends it; `user`: has a session."""

    def __init__(self, user: User | None = None, *, token: str = "") -> None:
        self.client: Client = browser(user)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.client.get(PREFIX + path, headers=self.headers | _named(headers))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """`body` is sent as JSON; bytes go as they are."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.client.generic(
            method,
            PREFIX + path,
            raw,
            content_type="application/json",
            headers=self.headers | _named(headers),
        )

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.send("POST", path, body, **headers)


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def ask_for_change(author: User, endpoint_id: int, split: dict[str, int] | None = None) -> int:
    """A change in review, asked for by its service."""
    return services.request_change(
        principal=principal(author),
        endpoint_id=endpoint_id,
        split=split or {"blue": 90, "green": 10},
        reason="First share for the new model.",
    )


def hash_of(change_id: int) -> str:
    return ChangeRevision.objects.filter(change_id=change_id).latest("number").content_hash


def seen(change_id: int) -> dict[str, str]:
    """The precondition header of somebody who looked at the change just now."""
    return {"If_Match": f'"{hash_of(change_id)}"'}
