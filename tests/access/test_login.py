"""Signing in: one wording for every failure, slower and slower, never locked; sessions end in time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from hypothesis import given
from hypothesis import strategies as st

from endpoints.access import sessions
from endpoints.access.models import LoginAttempts, User
from endpoints.access.selectors import principal_for_token, principal_now
from endpoints.access.services import create_token, disable_user, prove_password, sign_in, sign_out
from endpoints.access.throttle import FORGOTTEN_AFTER, LONGEST_WAIT, Attempts, counted, wait_until
from endpoints.audit.models import Entry, Personal
from endpoints.core.errors import Refused
from endpoints.dispatch import db_now
from tests.access.support import PASSWORD, admin, new_user
from tests.support.databases import Database

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADDRESS = "192.0.2.7"


def try_in(username: str = "dana", password: str = "wrong", ip: str = ADDRESS) -> str:
    try:
        return f"in as {sign_in(username=username, password=password, ip=ip).username}"
    except Refused as refused:
        return refused.message


@pytest.mark.django_db
def test_sign_in__right_password__is_recorded_with_the_address_beside_the_entry() -> None:
    dana = new_user("dana")
    assert try_in("Dana ", PASSWORD) == "in as dana"
    row = Entry.objects.order_by("-seq")[0]
    assert (row.action, row.actor, row.auth) == ("session.started", f"user:{dana}", "session")
    assert Personal.objects.get(entry_id=row.seq).text == ADDRESS
    sign_out(principal=principal_now(dana))
    assert Entry.objects.order_by("-seq")[0].action == "session.ended"


@pytest.mark.django_db
def test_sign_in__any_failure__says_the_same() -> None:
    ana = admin()
    disabled = new_user("dana")
    disable_user(principal=ana, user_id=disabled)
    new_user("robot", kind="service")
    User.objects.filter(username="robot").update(password=User.objects.get(username="ana").password)
    wrong = "The user name or the password is not right."
    assert try_in("ana") == try_in("nobody") == try_in("dana", PASSWORD) == try_in("robot", PASSWORD) == wrong
    assert try_in("", "") == wrong


@pytest.mark.django_db
def test_sign_in__wrong_password__is_recorded_without_name_or_typed_text() -> None:
    dana = new_user("dana")
    before = Entry.objects.count()
    try_in("dana", "hunter2 hunter2")
    try_in("who is this", "x")
    row = Entry.objects.order_by("-seq")[0]
    assert Entry.objects.count() == before + 1
    assert (row.action, row.actor, row.subject) == ("session.refused", "anonymous:visitor", f"user:{dana}")
    assert b"hunter2" not in bytes(row.body)


@pytest.mark.django_db
def test_sign_in__sixth_attempt_in_a_minute__waits_and_the_right_password_waits_too() -> None:
    new_user("dana")
    assert all("not right" in try_in() for _ in range(5))
    assert try_in().startswith("Too many attempts. Wait 2 s")
    assert "Too many attempts" in try_in(password=PASSWORD)
    assert (
        try_in(password=PASSWORD, ip="192.0.2.8") == "in as dana"
    )  # somebody else's guessing locks nobody out


@pytest.mark.django_db
def test_sign_in__after_the_wait__works_and_clears_the_count() -> None:
    new_user("dana")
    for _ in range(6):
        try_in()
    LoginAttempts.objects.update(last_at=db_now() - timedelta(seconds=3))
    assert try_in(password=PASSWORD) == "in as dana"
    assert "not right" in try_in()


@pytest.mark.django_db
def test_sign_in__one_address_tries_many_accounts__waits_too() -> None:
    assert all("not right" in try_in(f"user{number}") for number in range(50))
    assert "Too many attempts" in try_in("user51")
    assert "not right" in try_in("user51", ip="192.0.2.8")


@pytest.mark.django_db
def test_sign_in__many_people_behind_one_address__do_not_slow_each_other() -> None:
    new_user("dana")
    assert all(try_in(password=PASSWORD) == "in as dana" for _ in range(60))


@pytest.mark.django_db
def test_sign_in__old_failures__are_deleted() -> None:
    new_user("dana")
    try_in("ghost")
    long_ago = db_now() - timedelta(days=2)
    LoginAttempts.objects.update(last_at=long_ago, window_began_at=long_ago)
    try_in(password=PASSWORD)
    assert not LoginAttempts.objects.exists()


def test_sign_in__twenty_guesses_at_once__five_are_looked_at(committed_db: Database) -> None:
    new_user("dana")

    def guess(_: int) -> str:
        try:
            return try_in()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(20)))
    assert sum("not right" in answer for answer in answers) == 5
    assert Entry.objects.filter(action="session.refused").count() == 5


def test_sign_in__refused__keeps_its_count(committed_db: Database) -> None:
    new_user("dana")
    try_in()
    with transaction.atomic():
        assert sorted(LoginAttempts.objects.values_list("failures", flat=True)) == [1, 1]


moments = st.timedeltas(min_value=timedelta(0), max_value=timedelta(minutes=20))


@given(st.lists(moments, max_size=40))
def test_throttle__any_course_of_failures__never_waits_longer_than_the_limit(gaps: list[timedelta]) -> None:
    attempts, now = None, NOON
    for gap in gaps:
        now += gap
        until = wait_until(attempts, 5)
        if until is not None and until > now:
            assert until - now <= LONGEST_WAIT
            now = until
        attempts = counted(attempts, 5, now)
    assert wait_until(attempts, 5) is None or attempts is not None


def test_throttle__failures_go_on__wait_doubles_up_to_five_minutes() -> None:
    waits = [wait_until(Attempts(n, NOON, NOON), 5) for n in (4, 5, 6, 7, 12, 13, 400)]
    seconds = [None if until is None else (until - NOON).total_seconds() for until in waits]
    assert seconds == [None, 2, 4, 8, 256, 300, 300]


def test_throttle__slow_or_old_failures__are_forgotten() -> None:
    slow = Attempts(4, NOON, NOON + timedelta(seconds=50))
    assert counted(slow, 5, NOON + timedelta(seconds=60)).failures == 1
    assert counted(slow, 5, NOON + timedelta(seconds=59)).failures == 5
    many = Attempts(9, NOON, NOON)
    assert counted(many, 5, NOON + timedelta(minutes=14)).failures == 10
    assert counted(many, 5, NOON + FORGOTTEN_AFTER).failures == 1


def begun() -> dict[str, Any]:
    session: dict[str, Any] = {}
    sessions.begin(session, NOON)
    return session


def test_session__used_often__ends_after_eight_hours_all_the_same() -> None:
    session, now = begun(), NOON
    while now < NOON + timedelta(hours=8) - timedelta(minutes=20):
        now += timedelta(minutes=20)
        assert sessions.ended(session, now) == ""
    assert sessions.ended(session, NOON + timedelta(hours=8)) == "absolute"


def test_session__idle_for_half_an_hour__ends() -> None:
    assert sessions.ended(begun(), NOON + timedelta(minutes=29)) == ""
    assert sessions.ended(begun(), NOON + timedelta(minutes=30)) == "idle"


def test_session__within_a_minute__is_not_written_again() -> None:
    session = begun()
    before = dict(session)
    assert sessions.ended(session, NOON + timedelta(seconds=59)) == ""
    assert session == before
    assert sessions.ended(session, NOON + timedelta(seconds=61)) == ""
    assert session != before


@pytest.mark.parametrize("session", [{}, {"access_began": "x", "access_seen": None}])
def test_session__without_clocks__is_over(session: dict[str, Any]) -> None:
    assert sessions.ended(session, NOON) == "unknown"


@pytest.mark.django_db
def test_proof__right_password__is_a_moment_of_now_and_recorded() -> None:
    dana = principal_now(new_user("dana"))
    proved_at = prove_password(principal=dana, password=PASSWORD)
    assert timedelta() <= db_now() - proved_at < timedelta(minutes=1)
    assert Entry.objects.order_by("-seq")[0].action == "password.proved"


@pytest.mark.django_db
def test_proof__wrong_passwords__wait_as_sign_ins_do_and_together_with_them() -> None:
    dana = principal_now(new_user("dana"))
    for _ in range(5):
        with pytest.raises(Refused, match="The password is not right"):
            prove_password(principal=dana, password="wrong")
    assert Entry.objects.order_by("-seq")[0].action == "password.refused"
    with pytest.raises(Refused, match="Too many attempts"):
        prove_password(principal=dana, password=PASSWORD)
    assert "Too many attempts" in try_in("dana", PASSWORD, ip="")


@pytest.mark.django_db
def test_proof__by_a_token_or_a_disabled_account__is_refused() -> None:
    ana, dana = admin(), new_user("dana")
    owner = principal_now(dana)
    _, raw = create_token(principal=owner, name="tests", scopes=("read",), days=1)
    token = principal_for_token(raw)
    assert token is not None
    with pytest.raises(Refused, match="needs a person"):
        prove_password(principal=token, password=PASSWORD)
    disable_user(principal=ana, user_id=dana)
    with pytest.raises(Refused):
        prove_password(principal=owner, password=PASSWORD)
