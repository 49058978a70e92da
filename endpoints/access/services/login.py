"""Signing in with a local account, throttled, and out.

Call `sign_in` outside a transaction: a refusal that rolled back its own count would throttle nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from endpoints.access.models import LoginAttempts, User
from endpoints.access.policies import Principal
from endpoints.access.throttle import Attempts, counted, wait_until
from endpoints.audit.actors import ANONYMOUS, Actor
from endpoints.audit.services import record
from endpoints.core.errors import Refused
from endpoints.core.ids import ref
from endpoints.dispatch import db_now

log = structlog.get_logger(__name__)

FREE_PER_ACCOUNT = 5
FREE_PER_ADDRESS = 50  # many people may share one address; no one address may try all accounts
KEPT = timedelta(days=1)
_WRONG = "The user name or the password is not right."


def sign_in(*, username: str, password: str, ip: str) -> User:
    """The account of user name and password; Refused otherwise, in the same words for every cause.

    The edge then logs it in under a new session key and begins the session's clocks (`sessions.begin`). An
    attempt counts before the password is looked at, so that attempts at the same moment don't slip through.
    """
    name = username.strip().lower()[:80]
    keys = {_key("account", name, ip): FREE_PER_ACCOUNT, _key("address", ip): FREE_PER_ADDRESS}
    _claim(keys)
    user = User.objects.filter(username=name, is_active=True, kind=User.Kind.PERSON).first()
    if user is None:
        make_password(password)  # as slow as a real comparison: the time must not tell who exists
        log.warning("sign_in_refused", account="unknown")
        raise Refused(_WRONG)
    if not user.check_password(password):
        _record_refused(user, ip)
        raise Refused(_WRONG)
    return _succeeded(user, keys, ip)


def prove_password(*, principal: Principal, password: str) -> datetime:
    """The moment at which this person gave their password once more, for acts that ask for a fresh proof.

    Throttled together with signing in, and outside a transaction like it. Refused for tokens and services.
    """
    if principal.is_token or principal.kind != "person" or principal.user_id is None:
        raise Refused("This needs a person who signs in with a password.")
    user = User.objects.filter(pk=principal.user_id, is_active=True, kind=User.Kind.PERSON).first()
    if user is None:
        raise Refused(_WRONG)
    keys = {
        _key("account", user.username, principal.ip): FREE_PER_ACCOUNT,
        _key("address", principal.ip): FREE_PER_ADDRESS,
    }
    _claim(keys)
    if not user.check_password(password):
        _record_proof(principal, "password.refused")
        raise Refused("The password is not right. Nothing was done.")
    _proved(principal, *keys)
    return db_now()


@transaction.atomic
def _proved(principal: Principal, account: str, address: str) -> None:
    LoginAttempts.objects.filter(key=account).delete()
    _take_back(address)
    record(actor=principal.actor, action="password.proved", subject=principal.ref)


@transaction.atomic
def _record_proof(principal: Principal, action: str) -> None:
    record(actor=principal.actor, action=action, subject=principal.ref)


@transaction.atomic
def sign_out(*, principal: Principal) -> None:
    """Record the end of a session; the edge ends it."""
    if principal.user_id is not None:
        record(actor=principal.actor, action="session.ended", subject=principal.ref)


@transaction.atomic
def _record_refused(user: User, ip: str) -> None:
    actor = Actor(ANONYMOUS.ref, ANONYMOUS.auth, ip=ip)
    record(actor=actor, action="session.refused", subject=ref("user", user.pk))


@transaction.atomic
def _succeeded(user: User, keys: dict[str, int], ip: str) -> User:
    account, address = keys
    LoginAttempts.objects.filter(Q(key=account) | Q(last_at__lt=db_now() - KEPT)).delete()
    _take_back(address)
    me = ref("user", user.pk)
    record(actor=Actor(me, "session", ip=ip), action="session.started", subject=me)
    return user


def _take_back(key: str) -> None:
    """A success is no failure: the address gets its claim back."""
    row = LoginAttempts.objects.select_for_update().filter(key=key).first()
    if row is not None and row.failures > 1:
        LoginAttempts.objects.filter(key=key).update(failures=row.failures - 1)
    elif row is not None:
        row.delete()


@transaction.atomic
def _claim(keys: dict[str, int]) -> None:
    """Count an attempt under each key, or raise Refused with the wait when one of them must wait."""
    LoginAttempts.objects.bulk_create(
        [
            LoginAttempts(key=key, failures=0, window_began_at=db_now(), last_at=db_now())
            for key in sorted(keys)
        ],
        ignore_conflicts=True,
    )
    rows = {
        row.key: row for row in LoginAttempts.objects.select_for_update().filter(key__in=keys).order_by("key")
    }
    now = db_now()
    for key, free in keys.items():
        before = _attempts(rows[key])
        until = wait_until(before, free)
        if until is not None and until > now:
            seconds = int((until - now).total_seconds()) + 1
            raise Refused(f"Too many attempts. Wait {seconds} s, then try again; this one was not looked at.")
        after = counted(before, free, now)
        LoginAttempts.objects.filter(key=key).update(
            failures=after.failures, window_began_at=after.began, last_at=after.last
        )


def _attempts(row: LoginAttempts) -> Attempts | None:
    return Attempts(row.failures, row.window_began_at, row.last_at) if row.failures else None


def _key(*parts: str) -> str:
    return salted_hmac("endpoints.access.login", "\0".join(parts), algorithm="sha256").hexdigest()
