"""Channels: who may make them, to where, and what is on record of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.notices import selectors, services
from endpoints.notices.models import Channel, Delivery, Message
from endpoints.notices.rows import DeliveryState, Kind
from tests.metrics.test_at_the_same_time import at_once
from tests.notices.support import hook_channel, mail_channel, tell
from tests.support.databases import Database
from tests.support.people import INSTALLATION, make_person, principal
from tests.support.receivers import Hook

RIGHT: dict[str, Any] = {
    "kind": "mail",
    "name": "Team",
    "address": "team@example.org",
    "topics": ["case.raised"],
    "workspace_id": None,
}


def test_channel__made__is_on_record_with_its_address_as_personal_text(ada: User) -> None:
    made = services.add_channel(principal=principal(ada), **RIGHT | {"address": " team@example.org "})
    entry = Entry.objects.get(action="channel.added")
    assert (entry.subject, entry.after) == (
        f"channel:{made.channel_id}",
        {"kind": "mail", "topics": ["case.raised"]},
    )
    assert b"example.org" not in bytes(entry.body)
    assert dict(entry.personal.values_list("field", "text")) == {
        "name": "team@example.org",
        "comment": "Team",
    }
    assert made.signing_key == ""
    row = selectors.channel(made.channel_id)
    assert (row.kind, row.address, row.topics) == (Kind.MAIL, "team@example.org", ("case.raised",))


def test_webhook__made__tells_its_key_and_hides_its_path(ada: User, receiver: Hook) -> None:
    url = receiver.url("/services/abcdefgh1234")
    made = services.add_channel(principal=principal(ada), **RIGHT | {"kind": "webhook", "address": url})
    assert len(made.signing_key) == 64
    assert services.signing_key(principal=principal(ada), channel_id=made.channel_id) == made.signing_key
    assert selectors.channel(made.channel_id).address == f"http://127.0.0.1:{receiver.port}/…1234"
    assert Entry.objects.filter(action="channel.key_shown").count() == 1
    entry = Entry.objects.get(action="channel.added")
    assert b"abcdefgh" not in bytes(entry.body)
    assert not Channel.objects.filter(address__contains=made.signing_key).exists()


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"name": ""}, "name", "Give it a name"),
        ({"name": "a\nb"}, "name", "on one line"),
        ({"name": "x" * 81}, "name", "80"),
        ({"kind": "pigeon"}, "kind", "mail or webhook"),
        ({"address": "team"}, "address", "one mail address"),
        ({"address": "a@example.org, b@example.org"}, "address", "one mail address"),
        ({"kind": "webhook", "address": "https://evil.example.org/"}, "address", "not among"),
        ({"kind": "webhook", "address": "http://169.254.169.254/metadata"}, "address", "not among"),
        ({"kind": "webhook", "address": "http://one.hooks.example.org/"}, "address", "https"),
        ({"topics": []}, "topics", "at least one"),
        ({"topics": ["case.gone"]}, "topics", "no kind of message"),
        ({"workspace_id": 10**9}, "workspace", "no such workspace"),
    ],
)
def test_channel__that_can_not_be__is_refused_by_field(
    ada: User, wrong: dict[str, Any], field: str, says: str
) -> None:
    with pytest.raises(Invalid) as raised:
        services.add_channel(principal=principal(ada), **RIGHT | wrong)
    assert list(raised.value.fields) == [field]
    assert says in raised.value.fields[field][0]
    assert not Channel.objects.exists()
    assert not Entry.objects.filter(action="channel.added").exists()


def test_channel__of_one_workspace__takes_no_message_of_the_installation(
    ada: User, workspace: Workspace
) -> None:
    with pytest.raises(Invalid, match="whole installation"):
        mail_channel(ada, "audit.checkpoint", workspace_id=workspace.pk)


@pytest.mark.parametrize("role", ["requester", "reviewer", "operator", "supervisor", "finops", "auditor"])
def test_channel__by_somebody_who_does_not_manage_the_installation__is_refused(
    ada: User, workspace: Workspace, role: str
) -> None:
    number = mail_channel(ada)
    somebody = principal(make_person("sam", {workspace.slug: [role], INSTALLATION: ["auditor"]}))
    with pytest.raises(Refused):
        services.add_channel(principal=somebody, **RIGHT)
    for verb in (services.end_channel, services.test_channel, services.signing_key):
        with pytest.raises(Refused):
            verb(principal=somebody, channel_id=number)
    assert Channel.objects.get().ended_at is None


def test_portal__without_a_mail_server__makes_no_channel_for_mail(ada: User, settings: Any) -> None:
    settings.OPSPORTAL = settings.OPSPORTAL.model_copy(update={"mail_url": SecretStr("")})
    with pytest.raises(Invalid, match="OPSPORTAL_MAIL_URL is not set"):
        services.add_channel(principal=principal(ada), **RIGHT)


def test_address__in_use__is_not_used_twice_until_its_channel_ends(ada: User) -> None:
    first = mail_channel(ada)
    with pytest.raises(Conflict, match="already"):
        mail_channel(ada, "case.due")
    services.end_channel(principal=principal(ada), channel_id=first, reason="They moved.")
    assert mail_channel(ada, "case.due") != first


def test_channel__ended__sends_what_waited_no_more_and_says_so(ada: User) -> None:
    number = mail_channel(ada)
    tell()
    services.end_channel(principal=principal(ada), channel_id=number, reason="They moved.")
    (row,) = selectors.deliveries().rows
    assert (row.state, row.reason) == (DeliveryState.GIVEN_UP, "The channel was ended.")
    assert services.deliver_due() == 0
    assert [row.id for row in selectors.channels(ended=True).rows] == [number]
    assert selectors.channels().rows == ()
    entry = Entry.objects.get(action="channel.ended")
    assert entry.personal.get().text == "They moved."
    for verb in (services.end_channel, services.test_channel, services.signing_key):
        with pytest.raises(Conflict, match="ended"):
            verb(principal=principal(ada), channel_id=number)


def test_channel__that_never_was__is_not_found(ada: User) -> None:
    for verb in (services.end_channel, services.test_channel, services.signing_key):
        with pytest.raises(NotFound):
            verb(principal=principal(ada), channel_id=10**9)
    with pytest.raises(NotFound):
        selectors.channel(10**9)


def test_key__of_a_channel_for_mail__does_not_exist(ada: User) -> None:
    with pytest.raises(Conflict, match="not signed"):
        services.signing_key(principal=principal(ada), channel_id=mail_channel(ada))


def test_test__of_a_channel__goes_to_it_alone_and_as_often_as_asked(ada: User, receiver: Hook) -> None:
    number, other = hook_channel(ada, receiver), mail_channel(ada)
    tried = [services.test_channel(principal=principal(ada), channel_id=number) for _ in range(2)]
    assert len(set(tried)) == 2
    assert set(Delivery.objects.values_list("channel_id", flat=True)) == {number}
    assert services.deliver_due() == 2
    assert [post.headers["opsportal-topic"] for post in receiver.posts] == ["notices.test"] * 2
    assert Entry.objects.filter(action="channel.tested").count() == 2
    assert selectors.channel(other).last_sent_at is None


def test_channel__ended_by_many_at_once__is_ended_once(committed_db: Database, reachable: None) -> None:
    ada = make_person("ada", {INSTALLATION: ["admin"]})
    number = mail_channel(ada)
    errors = at_once(*[lambda: services.end_channel(principal=principal(ada), channel_id=number)] * 6)
    assert [type(error) for error in errors] == [Conflict] * 5
    assert Entry.objects.filter(action="channel.ended").count() == 1


def test_lists__of_many__go_on_by_page(ada: User) -> None:
    made = [mail_channel(ada, to=f"team{n}@example.org") for n in range(5)]
    for number in range(3):
        tell(f"case:{number}")
    seen: list[int] = []
    before = None
    while True:
        page = selectors.channels(before=before, limit=2)
        seen += [row.id for row in page.rows]
        if (before := page.before) is None:
            break
    assert seen == sorted(made, reverse=True)
    first = selectors.deliveries(channel_id=made[0], limit=2)
    rest = selectors.deliveries(channel_id=made[0], limit=2, before=first.before)
    assert (len(first.rows), len(rest.rows), rest.before) == (2, 1, None)
    assert Message.objects.count() == 3
    assert {row.waiting for row in selectors.channels().rows} == {3}
