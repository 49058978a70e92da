"""Accounts, and names for the opaque refs that other rooms keep."""

from __future__ import annotations

from collections.abc import Iterable

from endpoints.access.models import User
from endpoints.access.policies import Action, Principal, require
from endpoints.access.roles import Role
from endpoints.access.rows import PersonRow
from endpoints.access.selectors.grants import active_grants
from endpoints.core.errors import NotFound

_SYSTEM_NAMES = {
    "system:executor": "opsportal executor",
    "system:sync": "opsportal sync",
    "system:challenges": "opsportal, from records of requests",
    "system:capacity": "opsportal, looking at capacity",
    "system:audit": "opsportal, by the clock",
    "system:command": "command line",
    "anonymous:visitor": "not signed in",
}


def users_by_ids(user_ids: Iterable[int | None]) -> dict[int | None, str]:
    """Display names by user id; unknown ids are absent. None, where the portal acted by itself, has its own name."""
    wanted = set(user_ids)
    itself: dict[int | None, str] = {None: _SYSTEM_NAMES["system:executor"]} if None in wanted else {}
    known = User.objects.filter(pk__in=[one for one in wanted if one is not None]).values_list(
        "pk", "display_name"
    )
    return itself | dict(known)


def display_names(refs: Iterable[str]) -> dict[str, str]:
    """Names for people of "user:7" and of the portal's own processes; any other ref names itself."""
    wanted = set(refs)
    ids = {int(text[5:]): text for text in wanted if text.startswith("user:") and text[5:].isdecimal()}
    names = {text: _SYSTEM_NAMES.get(text, text) for text in wanted}
    return names | {ids[pk]: name for pk, name in users_by_ids(ids).items() if pk is not None}


def person(user_id: int) -> PersonRow:
    """One account by id."""
    found = User.objects.filter(pk=user_id).first()
    if found is None:
        raise NotFound("There is no such account.")
    return _person_row(found)


def people(principal: Principal) -> list[PersonRow]:
    """All accounts, for those who manage them."""
    require(principal, Action.ACCESS_VIEW)
    return [_person_row(row) for row in User.objects.order_by("username")]


def user_id_by_name(username: str) -> int:
    """The account with this user name, for the command line."""
    found = User.objects.filter(username=username.lower()).first()
    if found is None:
        raise NotFound(f"There is no account {username}.")
    return found.pk


def holders(workspace_id: int, role: Role) -> list[PersonRow]:
    """Active persons who hold `role` on the workspace now: whom a change waits for."""
    active = active_grants().filter(workspace_id=workspace_id, role=role).values("user_id")
    found = User.objects.filter(pk__in=active, is_active=True, kind=User.Kind.PERSON)
    return [_person_row(row) for row in found.order_by("display_name")]


def _person_row(row: User) -> PersonRow:
    return PersonRow(row.pk, row.username, row.display_name, row.kind, row.is_active)
