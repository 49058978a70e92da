"""What is told of cases, once each, and never in a person's words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from endpoints.access.models import User
from endpoints.challenges import services
from endpoints.inventory.models import Endpoint
from endpoints.notices.models import Message
from tests.challenges.cases import QUESTION, REASON, decide, endpoint, grown_older, raised, record, second
from tests.support.people import principal

__all__ = ["endpoint", "second"]
pytestmark = pytest.mark.django_db


def told() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("pk").values_list("topic", "subject"))


def test_case__from_raising_to_decision__is_told_without_a_word_of_its_texts(
    supervisor: User, second: User, endpoint: Endpoint
) -> None:
    case = raised(supervisor, endpoint, record(endpoint), claimant="D. Lund")
    services.assign(principal=principal(supervisor), case_id=case.pk, user_id=second.pk)
    decide(supervisor, case)
    about = f"CH-{case.pk} {{}}: checkout-risk in mlw-prod-weu"
    assert told() == [
        ("case.raised", about.format("was raised")),
        ("case.assigned", about.format("was assigned")),
        ("case.decided", about.format("was decided")),
    ]
    for message in Message.objects.all():
        assert message.link == f"/challenges/CH-{case.pk}"
        for words in (QUESTION, REASON, "D. Lund"):
            assert words not in f"{message.subject} {message.text} {message.facts}"


def test_case__that_presses_and_is_over__is_told_once_each_however_often_it_is_looked_at(
    supervisor: User, endpoint: Endpoint
) -> None:
    case = raised(supervisor, endpoint, record(endpoint))
    assert services.tell_due() == 0
    grown_older(case, timedelta(hours=7))
    assert [services.tell_due() for _ in range(3)] == [1, 1, 1]
    due = Message.objects.filter(topic="case.due")
    assert [one.facts["state"] for one in due] == ["four fifths of its time are over"]
    grown_older(case, timedelta(hours=2))
    services.tell_due()
    assert "its time is over" in [one.facts["state"] for one in due.all()]
    decide(supervisor, case)
    assert services.tell_due() == 0
