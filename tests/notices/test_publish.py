"""Publishing: once, to whom it concerns, together with what it tells of or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction

from endpoints.access.models import User, Workspace
from endpoints.notices import services
from endpoints.notices.models import Delivery, Message
from tests.metrics.test_at_the_same_time import at_once
from tests.notices.support import hook_channel, mail_channel, tell
from tests.support.databases import Database
from tests.support.people import INSTALLATION, make_person, principal
from tests.support.receivers import Hook


def receivers_of(message: int) -> set[int]:
    return set(Delivery.objects.filter(message=message).values_list("channel_id", flat=True))


def test_message__of_a_workspace__goes_to_its_channels_and_those_of_all(
    ada: User, receiver: Hook, workspace: Workspace, other_workspace: Workspace
) -> None:
    everywhere = mail_channel(ada)
    here = mail_channel(ada, workspace_id=workspace.pk)
    there = mail_channel(ada, workspace_id=other_workspace.pk)
    otherwise = hook_channel(ada, receiver, "case.decided")
    assert receivers_of(tell("case:1", workspace_id=workspace.pk)) == {everywhere, here}
    assert receivers_of(tell("case:2", workspace_id=other_workspace.pk)) == {everywhere, there}
    assert receivers_of(tell("case:3")) == {everywhere}
    assert receivers_of(tell("case:4", topic="case.decided", workspace_id=workspace.pk)) == {otherwise}


def test_message__published_again__is_the_same_and_sent_once(ada: User) -> None:
    mail_channel(ada)
    first = tell("case:1")
    mail_channel(ada, to="late@example.org")
    assert tell("case:1") == first
    assert (Message.objects.count(), Delivery.objects.count()) == (1, 1)


def test_message__of_what_was_undone__was_never_told(ada: User) -> None:
    mail_channel(ada)
    with pytest.raises(KeyError), transaction.atomic():
        tell()
        raise KeyError
    assert (Message.objects.count(), Delivery.objects.count()) == (0, 0)


def test_channel__that_was_ended__gets_nothing_more(ada: User) -> None:
    number = mail_channel(ada)
    services.end_channel(principal=principal(ada), channel_id=number)
    assert receivers_of(tell()) == set()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"topic": "case.gone"}, "no topic"),
        ({"key": ""}, "a key and a subject"),
        ({"subject": ""}, "a key and a subject"),
        ({"link": "https://evil.example.org/"}, "no path of the portal"),
        ({"link": "//evil.example.org/"}, "no path of the portal"),
        ({"facts": {"share": 0.5}}, "a fact is"),
        ({"facts": {"list": [1]}}, "a fact is"),
        ({"facts": dict.fromkeys(map(str, range(13)), 1)}, "at most 12"),
    ],
)
def test_message__that_code_must_not_make__is_not_made(wrong: dict[str, Any], says: str) -> None:
    right: dict[str, Any] = {"topic": "case.raised", "key": "case:1", "subject": "It was raised"}
    with pytest.raises(ValueError, match=says), transaction.atomic():
        services.publish(**right | wrong)
    assert not Message.objects.exists()


def test_publish__outside_a_transaction__is_refused(committed_db: Database) -> None:
    with pytest.raises(RuntimeError, match="belongs into the transaction"):
        services.publish(topic="case.raised", key="case:1", subject="It was raised")


def test_message__published_by_many_at_once__is_one(committed_db: Database, reachable: None) -> None:
    mail_channel(make_person("ada", {INSTALLATION: ["admin"]}))
    assert at_once(*[tell] * 6) == []
    assert (Message.objects.count(), Delivery.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_message__once_told__can_not_be_altered(workspace: Workspace) -> None:
    tell()
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE notices_message SET subject = 'another'")
