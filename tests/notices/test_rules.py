"""Signatures, pacing, topics and letters."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from endpoints.notices.letters import Letter, as_json, as_text, one_line
from endpoints.notices.pacing import GIVE_UP_AFTER, next_try, pause
from endpoints.notices.signing import channel_key, signature, verifies
from endpoints.notices.topics import TOPICS, unfit

AT = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "a secret of the portal"


def test_signature__of_a_known_body__is_the_one_that_openssl_computes() -> None:
    # printf '1893456000.{"id":1}' | openssl dgst -sha256 -hmac key
    digest = "95995dc15ad1a0693dbd61cd84cd20e60cb50f4726e80caf38587420e40fdd6f"
    assert signature("key", 1893456000, b'{"id":1}') == f"t=1893456000,v1={digest}"


def test_signature__verifies_only_unchanged_and_now() -> None:
    key, body, now = channel_key(SECRET, 3), b'{"id":1}', 1893456000
    header = signature(key, now, body)
    assert verifies(key, header, body, now + 300)
    assert not verifies(key, header, body, now + 301)
    assert not verifies(key, header, body, now - 301)
    assert not verifies(key, header, body + b" ", now)
    assert not verifies(channel_key(SECRET, 4), header, body, now)
    assert not verifies(key, header.replace("t=1893456000", "t=1893456001"), body, now)
    assert not verifies(key, "", body, now)
    assert not verifies(key, header + ",v1=" + "0" * 64, body, now)


def test_key__of_each_channel_and_secret__is_another() -> None:
    keys = {channel_key(secret, number) for secret in (SECRET, SECRET + "x") for number in range(20)}
    assert len(keys) == 40


def test_pause__grows_from_a_minute_to_six_hours() -> None:
    assert [pause(n) for n in (1, 2, 3)] == [timedelta(minutes=n) for n in (1, 2, 4)]
    assert pause(9) == timedelta(minutes=256)
    assert pause(10) == pause(500) == timedelta(hours=6)


def test_tries__of_what_never_arrives__end_within_three_days() -> None:
    now, attempts = AT, 0
    while (again := next_try(AT, attempts + 1, now)) is not None:
        attempts, now = attempts + 1, again
    assert GIVE_UP_AFTER - timedelta(hours=6) < now - AT <= GIVE_UP_AFTER
    assert attempts == 19


@pytest.mark.parametrize(
    ("names", "of_workspace", "says"),
    [
        ([], False, "at least one"),
        (["case.gone"], False, "no kind of message"),
        (["notices.test"], False, "no kind of message"),
        (["audit.checkpoint"], True, "whole installation"),
        (["case.raised", "audit.broken"], True, "whole installation"),
        (["case.raised", "case.due"], True, ""),
        (list(TOPICS), False, ""),
    ],
)
def test_topics__that_a_channel_can_not_take__are_named(
    names: list[str], of_workspace: bool, says: str
) -> None:
    found = unfit(names, of_workspace=of_workspace)
    assert (says in found) and bool(found) == bool(says)


LETTER = Letter(
    message_id=7,
    topic="case.raised",
    key="case:7",
    subject="CH-7 was raised: checkout-risk in mlw-prod-weu",
    made_at=AT,
    link="https://portal.example.org/challenges/CH-7",
    workspace="mlw-prod-weu",
    facts={"case": "CH-7", "endpoint": "", "urgent": True, "count": 0},
)


def test_mail__tells_what_is_known_and_leaves_out_what_is_not() -> None:
    assert as_text(LETTER) == (
        "CH-7 was raised: checkout-risk in mlw-prod-weu\n\ncase: CH-7\nurgent: yes\ncount: 0\n\n"
        "https://portal.example.org/challenges/CH-7\n\ncase.raised, 2027-03-01 12:00:00 UTC\n"
    )


def test_mail__of_a_checkpoint__begins_with_it_unchanged() -> None:
    note = "opsportal\n1200\nAAAA=\nhead 00\n\n— opsportal BBBB=\n"
    letter = Letter(1, "audit.checkpoint", "checkpoint:1200", "Checkpoint", AT, text=note)
    assert as_text(letter).startswith(note)


def test_json__has_all_fields_and_a_text_for_those_who_show_only_that() -> None:
    told = json.loads(as_json(LETTER))
    assert set(told) == {
        "id", "topic", "key", "subject", "body", "text", "facts", "link", "workspace", "made_at",
    }  # fmt: skip
    assert told["facts"] == {"case": "CH-7", "endpoint": "", "urgent": True, "count": 0}
    assert told["text"] == f"{LETTER.subject}\n{LETTER.link}"
    assert told["made_at"] == "2027-03-01T12:00:00+00:00"


def test_header__whatever_a_subject_holds__is_one_line() -> None:
    assert one_line("a\r\nBcc: b@example.org\n\x0bc") == "a Bcc: b@example.org c"
