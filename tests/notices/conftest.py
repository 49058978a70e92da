"""A portal that may send: a mail server and a receiver of webhooks on this machine, and an administrator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from endpoints.access.models import User
from tests.support.people import INSTALLATION, make_person
from tests.support.receivers import Hook, Mailbox, hook, mailbox


@pytest.fixture
def receiver() -> Iterator[Hook]:
    with hook() as box:
        yield box


@pytest.fixture
def post_office() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture
def reachable(settings: Any, post_office: Mailbox) -> None:
    """The settings name the mail server, and allow webhooks to this machine and to one host elsewhere."""
    settings.OPSPORTAL = settings.OPSPORTAL.model_copy(
        update={
            "mail_url": SecretStr(f"smtp://127.0.0.1:{post_office.port}"),
            "mail_from": "portal@example.org",
            "webhook_hosts": ["127.0.0.1", "*.hooks.example.org"],
            "public_url": "https://portal.example.org/",
        }
    )


@pytest.fixture
def ada(db: None, reachable: None) -> User:
    """Somebody who manages the installation."""
    return make_person("ada", {INSTALLATION: ["admin"]})
