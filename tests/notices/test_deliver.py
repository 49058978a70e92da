"""Delivery: signed, once, again after a failure, given up in the end, and by any number of workers."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from endpoints.access.models import User, Workspace
from endpoints.dispatch import db_now
from endpoints.notices import pacing, selectors, services
from endpoints.notices.models import Delivery
from endpoints.notices.rows import DeliveryState
from endpoints.notices.signing import verifies
from endpoints.notices.tasks import deliver_due
from tests.metrics.test_at_the_same_time import at_once
from tests.notices.support import hook_channel, mail_channel, make_due, tell, told_long_ago
from tests.support.databases import ROOT, Database
from tests.support.people import INSTALLATION, make_person, principal
from tests.support.receivers import Hook, Mailbox

DOWN = b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n"


def test_webhook__delivered__is_signed_and_tells_everything(
    ada: User, receiver: Hook, workspace: Workspace
) -> None:
    number = hook_channel(ada, receiver)
    tell(workspace_id=workspace.pk)
    assert services.deliver_due() == 1
    (post,) = receiver.posts
    key = services.signing_key(principal=principal(ada), channel_id=number)
    assert verifies(key, post.headers["opsportal-signature"], post.body, int(time.time()))
    told = json.loads(post.body)
    assert (told["topic"], told["key"], told["workspace"]) == ("case.raised", "case:7", workspace.slug)
    assert told["link"] == "https://portal.example.org/challenges/CH-7"
    (row,) = selectors.deliveries().rows
    assert (row.state, row.attempts, row.reason) == (DeliveryState.SENT, 1, "")
    assert services.deliver_due() == 0
    assert len(receiver.posts) == 1


def test_manual__for_receivers__checks_what_is_really_sent(ada: User, receiver: Hook) -> None:
    """The code that the manual gives away, run on a real delivery."""
    manual = (ROOT / "docs" / "how-to" / "get-told.md").read_text()
    told: dict[str, Any] = {}
    exec(manual.partition("```python\n")[2].partition("```")[0], told)
    number = hook_channel(ada, receiver)
    tell()
    services.deliver_due()
    (post,) = receiver.posts
    key = services.signing_key(principal=principal(ada), channel_id=number)
    header = post.headers["opsportal-signature"]
    assert told["is_ours"](key, header, post.body)
    assert not told["is_ours"](key, header, post.body + b" ")
    assert not told["is_ours"](key + "0", header, post.body)
    assert not told["is_ours"](key, header.replace("t=", "t=1"), post.body)
    assert not told["is_ours"](key, "", post.body)


def test_mail__delivered__arrives(ada: User, post_office: Mailbox) -> None:
    mail_channel(ada)
    tell()
    assert services.deliver_due() == 1
    (got,) = post_office.mails
    assert got["To"] == "team@example.org"
    assert "https://portal.example.org/challenges/CH-7" in str(got.get_content())


def test_failure__is_told_and_tried_again_later(ada: User, receiver: Hook) -> None:
    number = hook_channel(ada, receiver)
    tell()
    receiver.answer, before = DOWN, db_now()
    assert services.deliver_due() == 0
    (row,) = selectors.deliveries(state=DeliveryState.FAILING).rows
    assert (row.attempts, row.reason) == (1, "127.0.0.1 answered 503.")
    assert timedelta(seconds=55) < row.due_at - before < timedelta(seconds=70)
    assert services.deliver_due() == 0
    assert len(receiver.posts) == 1
    make_due()
    receiver.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    assert services.deliver_due() == 1
    # The receiver knows it again.
    assert len({post.headers["opsportal-delivery"] for post in receiver.posts}) == 1
    assert selectors.channel(number).last_sent_at is not None


def test_failure__for_three_days__is_given_up_visibly(ada: User, receiver: Hook) -> None:
    number = hook_channel(ada, receiver)
    receiver.answer = DOWN
    told_long_ago(number, pacing.GIVE_UP_AFTER - timedelta(hours=5), attempts=18)
    assert services.deliver_due() == 0
    (row,) = selectors.deliveries(state=DeliveryState.GIVEN_UP).rows
    assert (row.reason, row.attempts) == ("127.0.0.1 answered 503.", 19)
    assert selectors.channel(number).given_up == 1
    make_due()
    assert services.deliver_due() == 0
    assert len(receiver.posts) == 1


def test_receiver__that_is_down__does_not_keep_others_waiting(
    ada: User, receiver: Hook, post_office: Mailbox
) -> None:
    hook_channel(ada, receiver)
    mail_channel(ada)
    receiver.answer = DOWN
    for number in range(4):
        tell(f"case:{number}")
    assert services.deliver_due() == 4
    assert (len(receiver.posts), len(post_office.mails)) == (1, 4)


def test_host__taken_off_the_list__gets_nothing_more(ada: User, receiver: Hook, settings: Any) -> None:
    hook_channel(ada, receiver)
    tell()
    settings.OPSPORTAL = settings.OPSPORTAL.model_copy(update={"webhook_hosts": []})
    assert services.deliver_due() == 0
    assert receiver.connections == 0
    assert "not among" in selectors.deliveries().rows[0].reason


def test_delivery__by_many_workers_at_once__is_made_once(
    committed_db: Database, reachable: None, receiver: Hook
) -> None:
    ada = make_person("ada", {INSTALLATION: ["admin"]})
    hook_channel(ada, receiver)
    for number in range(12):
        tell(f"case:{number}")
    assert at_once(*[services.deliver_due] * 4) == []
    keys = sorted(json.loads(post.body)["key"] for post in receiver.posts)
    assert keys == sorted(f"case:{number}" for number in range(12))
    assert Delivery.objects.filter(sent_at__isnull=False, attempts=1).count() == 12


def test_worker__that_dies_after_claiming__lets_go_of_it(ada: User, receiver: Hook) -> None:
    hook_channel(ada, receiver)
    tell()
    Delivery.objects.update(attempts=1, due_at=db_now() + pacing.CLAIM)
    assert services.deliver_due() == 0
    make_due()
    assert services.deliver_due() == 1


def test_network__while_it_is_slow__holds_no_transaction(
    committed_db: Database, reachable: None, receiver: Hook
) -> None:
    ada = make_person("ada", {INSTALLATION: ["admin"]})
    hook_channel(ada, receiver)
    tell()
    receiver.drip = 0.05
    open_while: list[int] = []

    def look() -> None:
        while not receiver.posts:
            time.sleep(0.01)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state LIKE 'idle in transaction%'"
            )
            open_while.append(cursor.fetchone()[0])

    assert at_once(services.deliver_due, look) == []
    assert open_while == [0]
    assert Delivery.objects.get().sent_at is not None


def test_what_arrived__though_its_channel_was_ended_meanwhile__is_told_as_sent(
    committed_db: Database, reachable: None, receiver: Hook
) -> None:
    ada = make_person("ada", {INSTALLATION: ["admin"]})
    number = hook_channel(ada, receiver)
    tell()
    receiver.drip = 0.02

    def end() -> None:
        while not receiver.posts:
            time.sleep(0.01)
        services.end_channel(principal=principal(ada), channel_id=number)

    assert at_once(services.deliver_due, end) == []
    assert [row.state for row in selectors.deliveries().rows] == [DeliveryState.SENT]


def test_task__of_the_worker__delivers(ada: User, receiver: Hook) -> None:
    hook_channel(ada, receiver)
    tell()
    deliver_due()
    assert len(receiver.posts) == 1
