"""How cases are dealt with, set per workspace and never changed afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.challenges import services
from endpoints.challenges.clocks import USUAL, Clock
from endpoints.challenges.models import Policy
from endpoints.challenges.selectors.policies import policy_history, policy_of
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from tests.challenges.cases import endpoint, raised, record
from tests.support.people import principal

__all__ = ["endpoint"]
pytestmark = pytest.mark.django_db
LAW = Clock("Answer", timedelta(days=28), "GDPR Art. 12(3)", target=False)


def test_policy__that_nobody_set__is_the_usual_one(workspace: Workspace) -> None:
    found = policy_of(workspace.pk)
    assert (found.id, found.clocks, found.two_roles, found.since) == (0, USUAL, False, None)


def test_policy__set__counts_for_cases_from_then_on_and_is_in_the_ledger(
    supervisor: User, admin: User, workspace: Workspace, endpoint: Endpoint
) -> None:
    before = raised(supervisor, endpoint, record(endpoint, 1))
    then = db_now()
    services.set_policy(
        principal=principal(admin), workspace_id=workspace.pk, clocks=[LAW], two_roles=True, band=0.7
    )
    after = raised(supervisor, endpoint, record(endpoint, 2))
    assert [due["name"] for due in before.due] == ["Same-day answer"]
    assert ([due["name"] for due in after.due], after.two_roles, before.two_roles) == (
        ["Answer"],
        True,
        False,
    )
    assert policy_of(workspace.pk, then).id == 0
    assert policy_of(workspace.pk).band == 0.7
    entry = Entry.objects.get(action="case.policy_set")
    assert (entry.after["band"], entry.after["two_roles"]) == ("0.7", True)
    assert "672 h" in entry.after["clocks"]["Answer"]


@pytest.mark.parametrize(
    ("clocks", "band", "field"),
    [
        ([Clock("", timedelta(hours=1), "law", True)], None, "clocks"),
        ([LAW, LAW], None, "clocks"),
        ([LAW], 0.0, "band"),
        ([LAW], 1.0, "band"),
        ([LAW], float("nan"), "band"),
    ],
)
def test_policy__that_can_not_be__is_refused_by_field(
    admin: User, workspace: Workspace, clocks: list[Clock], band: float | None, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        services.set_policy(
            principal=principal(admin), workspace_id=workspace.pk, clocks=clocks, two_roles=False, band=band
        )
    assert list(refused.value.fields) == [field]
    assert not Policy.objects.exists()


def test_policy__as_it_is_already__is_not_set_again(admin: User, workspace: Workspace) -> None:
    with pytest.raises(Conflict, match="already"):
        services.set_policy(
            principal=principal(admin), workspace_id=workspace.pk, clocks=USUAL, two_roles=False, band=None
        )


def test_policy__by_who_may_not__is_refused_and_its_history_is_for_insiders(
    supervisor: User, admin: User, outsider: User, workspace: Workspace
) -> None:
    with pytest.raises(Refused, match="platform administrator"):
        services.set_policy(
            principal=principal(supervisor), workspace_id=workspace.pk, clocks=(), two_roles=True, band=None
        )
    for count in (0.2, 0.3, 0.4):
        services.set_policy(
            principal=principal(admin), workspace_id=workspace.pk, clocks=USUAL, two_roles=False, band=count
        )
    page = policy_history(principal(supervisor), workspace.pk, limit=2)
    assert [row.band for row in page.rows] == [0.4, 0.3]
    following = policy_history(principal(admin), workspace.pk, before=page.older, limit=2)
    assert ([row.band for row in following.rows], following.older) == ([0.2], None)
    with pytest.raises(NotFound):
        policy_history(principal(outsider), workspace.pk)
