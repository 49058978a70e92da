"""Cases that concern each other: by hand, suggested by the model version, and counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from endpoints.access.models import User, Workspace
from endpoints.access.roles import Role
from endpoints.challenges import services
from endpoints.challenges.facts import Fact, Passport, Section, Sure
from endpoints.challenges.linking import Tally, deployments_of, model_of, tally
from endpoints.challenges.models import Case
from endpoints.challenges.selectors.cases import case_page
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.inventory.models import Endpoint
from tests.challenges.cases import decide, endpoint, grown_older, raised, record, second
from tests.support.people import make_endpoint, make_person, principal

__all__ = ["endpoint", "second"]
AT = datetime(2026, 11, 23, tzinfo=UTC)


def passport(*facts: Fact) -> Passport:
    return Passport(1, AT, (Section("answered", "What answered", facts),), Sure.CERTAIN, "x", AT)


def fact(name: str, value: Any, sure: Sure, *alternatives: Any) -> Fact:
    return Fact(name, name, value, sure, alternatives=alternatives)


@pytest.mark.parametrize(
    ("facts", "names"),
    [
        ([fact("deployment", "Blue", Sure.CERTAIN)], ("blue",)),
        ([fact("deployment", None, Sure.ONE_OF, "green", "Blue")], ("blue", "green")),
        ([fact("deployment", None, Sure.UNKNOWN)], ()),
        ([], ()),
    ],
)
def test_deployments__that_may_have_answered__are_all_of_several_and_none_when_nobody_can_say(
    facts: list[Fact], names: tuple[str, ...]
) -> None:
    assert deployments_of(passport(*facts)) == names


@pytest.mark.parametrize(
    ("sure", "model"),
    [(Sure.CERTAIN, "risk:7"), (Sure.ONE_OF, ""), (Sure.ESTIMATE, ""), (Sure.UNKNOWN, "")],
)
def test_model__of_a_case__is_only_what_is_certain(sure: Sure, model: str) -> None:
    assert model_of(passport(fact("model", "risk:7", sure))) == model


def test_tally__counts_each_outcome_and_what_is_not_decided() -> None:
    found = tally(["", "overturned", "stands", "cannot be determined", "overturned", ""])
    assert found == Tally(challenged=6, overturned=2, stands=1, undetermined=1)
    assert found.undecided == 2


@pytest.mark.django_db
def test_cases__of_one_model_version__are_suggested_and_counted_over_thirty_days(
    supervisor: User, endpoint: Endpoint
) -> None:
    one, two, old = (raised(supervisor, endpoint, record(endpoint, number)) for number in range(3))
    decide(supervisor, two)
    grown_older(old, timedelta(days=31))
    detail = case_page(principal(supervisor), one.pk)
    assert {row.id for row in detail.suggested} == {two.pk, old.pk}
    assert detail.same_model == Tally(challenged=2, overturned=1)
    services.link(principal=principal(supervisor), case_id=one.pk, other_id=two.pk, why="same model version")
    again = case_page(principal(supervisor), one.pk)
    assert [(link.case.id, link.why) for link in again.links] == [(two.pk, "same model version")]
    assert {row.id for row in again.suggested} == {old.pk}
    assert [link.case.id for link in case_page(principal(supervisor), two.pk).links] == [one.pk]


@pytest.mark.django_db
def test_link__twice_in_either_direction_or_with_itself__is_refused(
    supervisor: User, endpoint: Endpoint
) -> None:
    one, two = (raised(supervisor, endpoint, record(endpoint, number)) for number in range(2))
    me = principal(supervisor)
    services.link(principal=me, case_id=two.pk, other_id=one.pk, why="same person")
    for case, other in ((one, two), (two, one)):
        with pytest.raises(Conflict, match="already"):
            services.link(principal=me, case_id=case.pk, other_id=other.pk, why="again")
    with pytest.raises(Invalid, match="itself"):
        services.link(principal=me, case_id=one.pk, other_id=one.pk, why="x")
    with pytest.raises(Invalid):
        services.link(principal=me, case_id=one.pk, other_id=two.pk, why=" ")


@pytest.mark.django_db
def test_link__with_a_case_of_another_workspace__is_refused_or_not_there(
    supervisor: User, endpoint: Endpoint, workspace: Workspace, other_workspace: Workspace
) -> None:
    theirs = make_endpoint(other_workspace, "theirs")
    both = make_person("both", {workspace.slug: [Role.SUPERVISOR], other_workspace.slug: [Role.SUPERVISOR]})
    mine, other = raised(supervisor, endpoint, record(endpoint, 1)), raised(both, theirs, record(theirs, 2))
    with pytest.raises(NotFound):
        services.link(principal=principal(supervisor), case_id=mine.pk, other_id=other.pk, why="x")
    with pytest.raises(Invalid, match="another workspace"):
        services.link(principal=principal(both), case_id=mine.pk, other_id=other.pk, why="x")
    assert Case.objects.count() == 2
