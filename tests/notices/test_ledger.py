"""Checkpoints leave the house, arrive to the letter, and the ledger knows where they are."""

from __future__ import annotations

import json

import pytest

from endpoints.access.models import User
from endpoints.audit.chain import Fault, Verification
from endpoints.audit.models import Anchoring
from endpoints.audit.services import remember_verification
from endpoints.audit.services.verify import remember
from endpoints.dispatch import db_now
from endpoints.notices import services
from endpoints.notices.models import Message
from endpoints.notices.tasks import tell_of_ledger
from endpoints.notices.topics import BROKEN, CHECKPOINT
from tests.audit.conftest import Outside, outside
from tests.audit.support import seal
from tests.notices.support import hook_channel, mail_channel, make_due
from tests.support.receivers import Hook, Mailbox

__all__ = ["outside"]
DOWN = b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def sealing(ada: User, outside: Outside) -> User:
    """An administrator of a portal with a key."""
    return ada


def places() -> list[tuple[int, str, bool]]:
    found = Anchoring.objects.exclude(place__in=["log", "file"]).order_by("id")
    return list(found.values_list("checkpoint_id", "place", "ok"))


def test_checkpoint__delivered__is_noted_as_anchored_where_it_arrived(
    sealing: User, receiver: Hook, post_office: Mailbox
) -> None:
    hooked, mailed = hook_channel(sealing, receiver, CHECKPOINT), mail_channel(sealing, CHECKPOINT)
    made = seal(5)
    tell_of_ledger()
    assert services.deliver_due() == 2
    assert sorted(places()) == [(made.size, f"mail:{mailed}", True), (made.size, f"webhook:{hooked}", True)]
    text = str(post_office.mails[0].get_content()).replace("\r\n", "\n")
    assert text.startswith(made.note)
    assert json.loads(receiver.posts[0].body)["body"] == made.note


def test_checkpoint__that_nobody_wants__is_no_message(sealing: User) -> None:
    mail_channel(sealing)
    seal(3)
    services.tell_checkpoint()
    assert not Message.objects.exists()


def test_checkpoint__told__is_told_once(sealing: User, receiver: Hook) -> None:
    hook_channel(sealing, receiver, CHECKPOINT)
    seal(3)
    for _ in range(3):
        services.tell_checkpoint()
        services.deliver_due()
    assert len(receiver.posts) == 1
    seal(2)
    services.tell_checkpoint()
    assert services.deliver_due() == 1


def test_channel__made_after_a_checkpoint__gets_the_newest(sealing: User, receiver: Hook) -> None:
    made = seal(3)
    hook_channel(sealing, receiver, CHECKPOINT)
    services.tell_checkpoint()
    assert services.deliver_due() == 1
    assert places()[0][0] == made.size


def test_mailbox__gets_one_checkpoint_a_day(sealing: User, post_office: Mailbox) -> None:
    mail_channel(sealing, CHECKPOINT)
    for _ in range(3):
        seal(2)
        services.tell_checkpoint()
        services.deliver_due()
    assert len(post_office.mails) == 1


def test_receiver__that_was_down__is_told_so_and_not_flooded(sealing: User, receiver: Hook) -> None:
    number = hook_channel(sealing, receiver, CHECKPOINT)
    receiver.answer = DOWN
    sizes = []
    for _ in range(3):
        sizes.append(seal(2).size)
        services.tell_checkpoint()
        services.deliver_due()
    assert places() == [(sizes[0], f"webhook:{number}", False)]
    receiver.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    for _ in range(2):
        make_due()
        services.deliver_due()
        services.tell_checkpoint()
    assert [size for size, _, ok in places() if ok] == [sizes[0], sizes[2]]


def test_ledger__found_broken__is_told_once_for_each_first_bad_entry(
    sealing: User, post_office: Mailbox
) -> None:
    mail_channel(sealing, BROKEN)
    seal(6)
    remember_verification(asked_by="user:1")
    tell_of_ledger()
    assert not Message.objects.exists()
    for seq in (4, 4, 3):
        remember(
            Verification(False, seq - 1, None, seq, Fault.CUT, f"Entry {seq} is missing."),
            began_at=db_now(),
            asked_by="user:1",
        )
        tell_of_ledger()
    services.deliver_due()
    assert [str(mail["Subject"]) for mail in post_office.mails] == [
        "[opsportal] The audit ledger is not whole: first bad entry 4",
        "[opsportal] The audit ledger is not whole: first bad entry 3",
    ]
    assert "Entry 4 is missing." in str(post_office.mails[0].get_content())
