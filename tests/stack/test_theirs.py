"""Servers of somebody else's are looked at before anything starts."""

from __future__ import annotations

import pytest

from opsportal.embedded import commands
from opsportal.embedded.postgres import ServerUnavailable
from opsportal.embedded.theirs import TheirDatabase, check_broker
from opsportal.embedded.throwaway import Servers
from tests.support.databases import cloned


def test_a_database_of_theirs__that_answers__is_taken(servers: Servers, migrated_template: str) -> None:
    with cloned(servers, migrated_template) as made:
        TheirDatabase(made.url, made.owner_url).check()
    check_broker(servers.broker_url)


def test_a_database_of_theirs__that_does_not_answer__is_told_in_one_sentence() -> None:
    nowhere = "postgresql://u:secret-word@127.0.0.1:1/x"
    with pytest.raises(
        ServerUnavailable, match=r"^DATABASE_URL is set but can't be used: .*Nothing was started\.$"
    ) as told:
        TheirDatabase(nowhere, nowhere).check()
    assert "secret-word" not in str(told.value)


def test_a_broker_of_theirs__that_does_not_answer__is_told_in_one_sentence() -> None:
    with pytest.raises(
        ServerUnavailable, match=r"^BROKER_URL is set but can't be used: .*Nothing was started\.$"
    ):
        check_broker("redis://127.0.0.1:1/0")


def test_a_database_of_theirs__with_two_roles__gives_rights_to_the_one_the_portal_uses() -> None:
    theirs = TheirDatabase("postgresql://app%2Duser:x@h/d", "postgresql://boss:y@h/d")
    assert theirs.prepare == (*commands.PREPARE, "--role", "app-user")


def test_a_database_of_theirs__with_one_role__keeps_that_roles_rights() -> None:
    theirs = TheirDatabase("postgresql://boss:y@h/d", "postgresql://boss:y@h/d")
    assert theirs.prepare == ("python", "manage.py", "migrate", "--no-input")


def test_servers_of_theirs__unless_named__are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert TheirDatabase.from_environment() is None
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@h/d")
    monkeypatch.delenv("OPSPORTAL_OWNER_DATABASE_URL", raising=False)
    assert TheirDatabase.from_environment() == TheirDatabase("postgresql://u@h/d", "postgresql://u@h/d")
