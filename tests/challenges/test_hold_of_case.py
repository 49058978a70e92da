"""Legal holds of cases: two people to begin, a reason to end."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from endpoints.access.models import User
from endpoints.challenges import services
from endpoints.challenges.models import Case, LegalHold
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.inventory.models import Endpoint
from tests.challenges.cases import decide, endpoint, raised, record, second
from tests.challenges.recording import ago
from tests.support.people import principal

__all__ = ["endpoint", "second"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def case(supervisor: User, endpoint: Endpoint) -> Case:
    return raised(supervisor, endpoint, record(endpoint))


def ask(user: User, case: Case, since: datetime | None = None, until: datetime | None = None) -> int:
    return services.ask_hold(
        principal=principal(user),
        case_id=case.pk,
        since=since or ago(days=1),
        until=until or ago(days=-1),
        reason="The court asked for it.",
    )


def test_hold__asked_for_by_one_and_agreed_by_another__is_in_force_until_somebody_ends_it(
    supervisor: User, second: User, case: Case
) -> None:
    number = ask(supervisor, case)
    case.refresh_from_db()
    assert not case.legal_hold
    with pytest.raises(Refused, match="somebody else has to agree"):
        services.agree_hold(principal=principal(supervisor), case_id=case.pk, hold_id=number)
    services.agree_hold(principal=principal(second), case_id=case.pk, hold_id=number)
    case.refresh_from_db()
    assert case.legal_hold
    with pytest.raises(Conflict, match="already"):
        services.agree_hold(principal=principal(second), case_id=case.pk, hold_id=number)
    with pytest.raises(Invalid):
        services.end_hold(principal=principal(second), case_id=case.pk, hold_id=number, reason=" ")
    services.end_hold(principal=principal(supervisor), case_id=case.pk, hold_id=number, reason="Settled.")
    case.refresh_from_db()
    hold = LegalHold.objects.get(pk=number)
    assert (case.legal_hold, hold.agreed_by, hold.ended_by) == (
        False,
        f"user:{second.pk}",
        f"user:{supervisor.pk}",
    )


def test_hold__one_at_a_time__is_not_asked_for_twice(supervisor: User, second: User, case: Case) -> None:
    first = ask(supervisor, case)
    with pytest.raises(Conflict, match="already"):
        ask(second, case)
    services.end_hold(principal=principal(second), case_id=case.pk, hold_id=first, reason="Not needed.")
    assert ask(second, case) != first


@pytest.mark.parametrize("length", [timedelta(), -timedelta(days=1), timedelta(days=367)])
def test_hold__over_no_time_or_too_much__is_refused(supervisor: User, case: Case, length: timedelta) -> None:
    since = ago(days=400)
    with pytest.raises(Invalid) as refused:
        ask(supervisor, case, since, since + length)
    assert list(refused.value.fields) == ["until"]


def test_hold__of_another_case_or_by_who_may_not__is_not_there(
    supervisor: User, second: User, reviewer: User, endpoint: Endpoint, case: Case
) -> None:
    number = ask(supervisor, case)
    other = raised(supervisor, endpoint, record(endpoint, 2))
    with pytest.raises(NotFound):
        services.agree_hold(principal=principal(second), case_id=other.pk, hold_id=number)
    with pytest.raises(Refused):
        services.agree_hold(principal=principal(reviewer), case_id=case.pk, hold_id=number)


def test_hold__of_a_case_without_an_endpoint__has_nothing_to_hold(
    supervisor: User, endpoint: Endpoint
) -> None:
    case = raised(supervisor, endpoint, "lost")
    with pytest.raises(Conflict, match="not known"):
        ask(supervisor, case)


def test_hold__on_a_closed_case__comes_before_erasing(supervisor: User, second: User, case: Case) -> None:
    decide(supervisor, case)
    number = ask(supervisor, case)
    services.agree_hold(principal=principal(second), case_id=case.pk, hold_id=number)
    with pytest.raises(Conflict, match="legal hold"):
        services.ask_erasure(principal=principal(supervisor), case_id=case.pk, reason="Art. 17")
