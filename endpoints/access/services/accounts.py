"""Accounts: created, disabled, enabled, their passwords and preferences."""

from __future__ import annotations

import re
from zoneinfo import available_timezones

from django.db import IntegrityError, transaction
from django.db.models import F

from endpoints.access.models import User
from endpoints.access.passwords import check_password_rules
from endpoints.access.policies import Action, Principal, require
from endpoints.audit.actors import Actor
from endpoints.audit.services import record
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.core.ids import ref
from endpoints.dispatch import db_now

_USERNAME = re.compile(r"^[a-z0-9][a-z0-9._@-]{1,79}$")


def create_user(
    *,
    principal: Principal,
    username: str,
    display_name: str,
    password: str = "",
    email: str = "",
    kind: str = User.Kind.PERSON,
    second_account_of: int | None = None,
) -> int:
    """Create an account and return its id.

    A service account belongs to a person (by default to who creates it), who then counts as its author's
    second account. Whoever knows the first password could act as the new person, so it can't approve for a
    day.
    """
    require(principal, Action.USER_MANAGE)
    if kind == User.Kind.SERVICE:
        second_account_of = second_account_of or principal.user_id
    return add_user(
        actor=principal.actor,
        username=username,
        display_name=display_name,
        password=password,
        email=email,
        kind=kind,
        second_account_of=second_account_of,
        held_back=True,
    )


@transaction.atomic
def add_user(
    *,
    actor: Actor,
    username: str,
    display_name: str,
    password: str = "",
    email: str = "",
    kind: str = User.Kind.PERSON,
    second_account_of: int | None = None,
    held_back: bool = False,
) -> int:
    """`create_user` without asking the policy. No password: nobody can sign in with one."""
    user = _new_user(username, display_name, email, kind)
    user.second_account_of_id = _root_account(second_account_of)
    if password:
        check_password_rules(password, user)
        user.password_given_at = db_now() if held_back else None
    user.set_password(password or None)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(f"There is already an account {user.username}; none was created.") from error
    record(
        actor=actor,
        action="user.created",
        subject=ref("user", user.pk),
        after={
            "kind": str(user.kind),
            "second_account_of": second_account_of and ref("user", second_account_of),
        },
        personal={"name": f"{user.username} ({user.display_name})"},
    )
    return user.pk


def _new_user(username: str, display_name: str, email: str, kind: str) -> User:
    name, shown = username.strip().lower(), display_name.strip()
    problems: dict[str, list[str]] = {}
    if not _USERNAME.match(name):
        problems["username"] = ["A user name has 2 to 80 of a-z, 0-9, dot, dash, underscore and @."]
    if not shown or len(shown) > 120 or not shown.isprintable():
        problems["display_name"] = ["Give the name that others will read, at most 120 characters."]
    if kind not in User.Kind.values:
        problems["kind"] = [f"An account is a person's or a service's, not a {kind}'s."]
    if problems:
        raise Invalid(problems)
    return User(username=name, display_name=shown, email=email.strip(), kind=kind)


def _root_account(user_id: int | None) -> int | None:
    """The first account of the human behind `user_id`: second accounts do not chain."""
    if user_id is None:
        return None
    first = _locked(user_id)
    return first.second_account_of_id or first.pk


def disable_user(*, principal: Principal, user_id: int) -> None:
    """Close an account: its sessions end and its tokens stop working at once. Its grants stay on record."""
    require(principal, Action.USER_MANAGE)
    if user_id == principal.user_id:
        raise Refused("You cannot disable your own account; another administrator can.")
    _switch(principal.actor, user_id, active=False)


def enable_user(*, principal: Principal, user_id: int) -> None:
    """Open a disabled account again, with the grants that it still has."""
    require(principal, Action.USER_MANAGE)
    _switch(principal.actor, user_id, active=True)


@transaction.atomic
def _switch(actor: Actor, user_id: int, *, active: bool) -> None:
    user = _locked(user_id)
    if user.is_active == active:
        raise Conflict(f"The account is already {'enabled' if active else 'disabled'}; nothing was changed.")
    User.objects.filter(pk=user_id).update(
        is_active=active, disabled_at=None if active else db_now(), session_epoch=F("session_epoch") + 1
    )
    record(
        actor=actor,
        action="user.enabled" if active else "user.disabled",
        subject=ref("user", user_id),
        before={"active": not active},
        after={"active": active},
    )


@transaction.atomic
def change_password(*, principal: Principal, current: str, new: str) -> None:
    """Change one's own password. Ends the account's other sessions; the caller renews the session at hand."""
    if principal.user_id is None or principal.is_token:
        raise Refused("Sign in to change your password.")
    user = _locked(principal.user_id)
    if not user.check_password(current):
        raise Invalid({"current": ["This is not your password; it was not changed."]})
    check_password_rules(new, user)
    _set_password(user, new)
    record(actor=principal.actor, action="user.password_changed", subject=principal.ref)


@transaction.atomic
def give_password(*, principal: Principal, user_id: int, password: str) -> None:
    """Set somebody else's password. They can't approve for a day: who set it could act as them."""
    require(principal, Action.USER_MANAGE)
    if user_id == principal.user_id:
        raise Refused("Change your own password with the current one.")
    user = _locked(user_id)
    check_password_rules(password, user)
    user.password_given_at = db_now()
    _set_password(user, password)
    record(actor=principal.actor, action="user.password_given", subject=ref("user", user_id))


def _set_password(user: User, password: str) -> None:
    user.set_password(password)
    user.session_epoch += 1
    user.save(update_fields=["password", "session_epoch", "password_given_at"])


def update_preferences(*, principal: Principal, time_zone: str, shortcuts_enabled: bool) -> None:
    """One's own time zone and single-key shortcuts. Not recorded: it concerns nobody else."""
    if principal.user_id is None:
        raise Refused("Sign in to do this.")
    if time_zone not in available_timezones():
        raise Invalid({"time_zone": [f"There is no time zone {time_zone}; nothing was changed."]})
    User.objects.filter(pk=principal.user_id).update(time_zone=time_zone, shortcuts_enabled=shortcuts_enabled)


def _locked(user_id: int) -> User:
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such account; nothing was changed.")
    return user
