"""A person behind a case is forgotten: by two people, everywhere, and the chain stays whole."""

from __future__ import annotations

import pytest

from endpoints.access.models import User
from endpoints.audit.models import Entry, Personal
from endpoints.audit.verification import verify_stored
from endpoints.challenges import services
from endpoints.challenges.models import Case, Erasure, Evidence, Note
from endpoints.challenges.selectors.cases import case_page
from endpoints.challenges.selectors.erasures import erasures
from endpoints.core.errors import Conflict, Refused
from endpoints.inventory.models import Endpoint
from tests.challenges.cases import QUESTION, REASON, decide, endpoint, raised, record, second
from tests.support.people import principal

__all__ = ["endpoint", "second"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def closed(supervisor: User, endpoint: Endpoint) -> Case:
    case = raised(supervisor, endpoint, record(endpoint), claimant="D. Lund", reference="F-1")
    services.comment(principal=principal(supervisor), case_id=case.pk, text="D. Lund called.")
    return decide(supervisor, case)


def test_erasure__by_two_people__empties_every_text_here_and_in_the_ledger(
    supervisor: User, second: User, closed: Case
) -> None:
    evidence = bytes(Evidence.objects.get(case=closed).document)
    services.ask_erasure(principal=principal(supervisor), case_id=closed.pk, reason="Art. 17")
    with pytest.raises(Refused, match="somebody else has to agree"):
        services.agree_erasure(principal=principal(supervisor), case_id=closed.pk)
    assert services.agree_erasure(principal=principal(second), case_id=closed.pk) > 4
    assert not Note.objects.filter(case=closed).exclude(text="").exists()
    seqs = Entry.objects.filter(subject=f"case:{closed.pk}").values("seq")
    left = Personal.objects.filter(entry_id__in=seqs).exclude(field="ip").values_list("text", flat=True)
    for words in (QUESTION, REASON, "D. Lund", "D. Lund called."):
        assert words not in left
    closed.refresh_from_db()
    assert (closed.reference, closed.outcome) == ("", "overturned")
    assert bytes(Evidence.objects.get(case=closed).document) == evidence
    detail = case_page(principal(supervisor), closed.pk)
    assert detail.question is not None
    assert detail.question.erased_at is not None
    found = verify_stored()
    assert found.ok, found.reason


def test_erasure__of_an_open_case__is_refused(supervisor: User, endpoint: Endpoint) -> None:
    case = raised(supervisor, endpoint, record(endpoint))
    with pytest.raises(Conflict, match="not closed"):
        services.ask_erasure(principal=principal(supervisor), case_id=case.pk, reason="Art. 17")


def test_erasure__taken_back__erases_nothing_and_can_be_asked_for_again(
    supervisor: User, second: User, closed: Case
) -> None:
    services.ask_erasure(principal=principal(supervisor), case_id=closed.pk, reason="Art. 17")
    with pytest.raises(Conflict, match="already"):
        services.ask_erasure(principal=principal(second), case_id=closed.pk, reason="Art. 17")
    services.withdraw_erasure(principal=principal(second), case_id=closed.pk)
    with pytest.raises(Conflict, match="Nobody asked"):
        services.agree_erasure(principal=principal(second), case_id=closed.pk)
    assert Note.objects.filter(case=closed, erased_at=None).exclude(text="").exists()
    services.ask_erasure(principal=principal(second), case_id=closed.pk, reason="Art. 17")
    assert Erasure.objects.count() == 2


def test_erasures__listed__are_those_of_cases_that_one_may_see(
    supervisor: User, outsider: User, closed: Case
) -> None:
    services.ask_erasure(principal=principal(supervisor), case_id=closed.pk, reason="Art. 17")
    assert [row.case_id for row in erasures(principal(supervisor)).rows] == [closed.pk]
    assert erasures(principal(outsider)).rows == ()


def test_erasure__by_who_may_not__is_refused(supervisor: User, auditor: User, closed: Case) -> None:
    services.ask_erasure(principal=principal(supervisor), case_id=closed.pk, reason="Art. 17")
    with pytest.raises(Refused):
        services.agree_erasure(principal=principal(auditor), case_id=closed.pk)
