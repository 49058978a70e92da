"""Who had which powers on a workspace at a moment: out of grants, which are kept with since and until.

Not kept row by row, so told only as far as the newest value says: that an account was disabled and enabled
again, and whose second account it is. The ledger has those.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from endpoints.access.models import ApiToken, Grant, User
from endpoints.access.policies import Principal
from endpoints.access.roles import Role
from endpoints.access.selectors.principals import HELD_BACK
from endpoints.core.ids import ref


@dataclass(frozen=True, slots=True)
class PersonThen:
    """An account with the roles that counted on the workspace then, and since when it had each of them."""

    user_id: int
    name: str
    kind: str
    roles: tuple[Role, ...]
    since: datetime
    principal: Principal


def people_then(workspace_id: int, at: datetime) -> tuple[PersonThen, ...]:
    """Every account that held a role on the workspace, or an installation's role that counts on it, by name."""
    grants = list(_in_force(Q(workspace_id=workspace_id) | Q(workspace=None), at))
    by_user: dict[int, list[Grant]] = defaultdict(list)
    for grant in grants:
        by_user[grant.user_id].append(grant)
    groups = _same_people(by_user, at)
    users = [grant.user for grant in {grant.user_id: grant for grant in grants}.values()]
    found = [_person(user, by_user[user.pk], workspace_id, at, groups[user.pk]) for user in users]
    return tuple(sorted((one for one in found if one.roles), key=lambda one: (one.name, one.user_id)))


def principals_then(user_ids: Iterable[int], workspace_id: int, at: datetime) -> dict[int, Principal]:
    """The powers on one workspace of these accounts, those without any role included; disabled ones are left out."""
    wanted = set(user_ids)
    by_user: dict[int, list[Grant]] = {user_id: [] for user_id in wanted}
    place = Q(workspace_id=workspace_id) | Q(workspace=None)
    for grant in _in_force(place & Q(user__in=wanted), at):
        by_user[grant.user_id].append(grant)
    groups = _same_people(by_user, at)
    users = User.objects.filter(_active(at), pk__in=wanted)
    return {
        user.pk: _person(user, by_user[user.pk], workspace_id, at, groups[user.pk]).principal
        for user in users
    }


def _in_force(which: Q, at: datetime) -> Iterable[Grant]:
    alive = Q(until__isnull=True) | Q(until__gt=at)
    found = Grant.objects.filter(which, alive, _active(at, "user__"), since__lte=at)
    return found.select_related("user").order_by("since", "pk")


def _active(at: datetime, prefix: str = "") -> Q:
    enabled = Q(**{f"{prefix}is_active": True}) | Q(**{f"{prefix}disabled_at__gt": at})
    return enabled & Q(**{f"{prefix}created_at__lte": at})


def _person(
    user: User, grants: list[Grant], workspace_id: int, at: datetime, accounts: frozenset[int]
) -> PersonThen:
    here = {Role(one.role) for one in grants if one.workspace_id == workspace_id}
    installation = {Role(one.role) for one in grants if one.workspace_id is None}
    if Role.AUDITOR in installation:
        here.add(Role.AUDITOR)
    return PersonThen(
        user_id=user.pk,
        name=user.display_name,
        kind=user.kind,
        roles=tuple(role for role in Role if role in here),
        since=min((one.since for one in grants), default=at),
        principal=Principal(
            user_id=user.pk,
            ref=ref("user", user.pk),
            kind="person" if user.kind == User.Kind.PERSON else "service",
            roles={workspace_id: frozenset(here)} if here else {},
            installation=frozenset(installation),
            display_name=user.display_name,
            fresh_self_grants=_fresh(user, grants, at),
            held_back=_held_back(user, at),
            same_person=accounts | {user.pk},
        ),
    )


def _fresh(user: User, grants: list[Grant], at: datetime) -> frozenset[tuple[int | None, Role]]:
    mine = {user.pk, user.second_account_of_id}
    young = {
        (one.workspace_id, Role(one.role))
        for one in grants
        if one.granted_by_id is not None and one.granted_by_id in mine and one.since > at - HELD_BACK
    }
    old = {
        (one.workspace_id, Role(one.role))
        for one in grants
        if one.granted_by_id is None or one.granted_by_id not in mine or one.since <= at - HELD_BACK
    }
    return frozenset(young - old)


def _held_back(user: User, at: datetime) -> str:
    given = user.password_given_at
    if given is None or not at - HELD_BACK < given <= at:
        return ""
    return "Somebody else had set their password less than 24 hours before, so they could not approve yet."


def _same_people(user_ids: Iterable[int], at: datetime) -> dict[int, frozenset[int]]:
    """By account: all accounts that the same human could act as then, second accounts and issued tokens included."""
    wanted = list(user_ids)
    roots = {
        pk: second or pk
        for pk, second in User.objects.filter(pk__in=wanted).values_list("pk", "second_account_of")
    }
    members: dict[int, set[int]] = defaultdict(set)
    heads = set(roots.values())
    for pk, second in User.objects.filter(Q(pk__in=heads) | Q(second_account_of__in=heads)).values_list(
        "pk", "second_account_of"
    ):
        members[second or pk].add(pk)
    issued = ApiToken.objects.filter(
        Q(created_by__in=heads) | Q(created_by__second_account_of__in=heads), created_at__lte=at
    )
    for owner, issuer, second in issued.values_list("owner", "created_by", "created_by__second_account_of"):
        members[second or issuer].add(owner)
    return {pk: frozenset(members[root]) for pk, root in roots.items()}
