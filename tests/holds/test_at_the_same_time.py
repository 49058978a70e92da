"""Many people, one click each, at the same time: one stop, one end, one override, one freeze of each event."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from endpoints.access.models import User
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.audit.models import Entry
from endpoints.core.errors import Conflict
from endpoints.holds import ics
from endpoints.holds.models import Freeze, Override, Protection, Stop
from endpoints.holds.scope import Scope
from endpoints.holds.services import end_freeze, import_ics, lift_stop, override, protect
from endpoints.inventory.models import Endpoint
from tests.holds.support import freeze, stop
from tests.holds.test_import import HOLIDAYS, calendar_of
from tests.metrics.test_at_the_same_time import at_once
from tests.support.databases import Database
from tests.support.people import make_endpoint, make_person, make_workspace, principal

MANY = 6


@pytest.fixture
def endpoint(committed_db: Database) -> Endpoint:
    return make_endpoint(make_workspace("mlw-prod-weu"))


@pytest.fixture
def olaf(endpoint: Endpoint) -> User:
    return make_person("olaf", {"mlw-prod-weu": ["operator", "overrider"]})


def many(work: Callable[[], object]) -> list[BaseException]:
    return at_once(*[work] * MANY)


def recorded(action: str) -> int:
    return Entry.objects.filter(action=action).count()


def test_stop__by_many_at_once__is_one_and_lifted_once(olaf: User, endpoint: Endpoint) -> None:
    assert many(lambda: stop(olaf, endpoint_id=endpoint.pk)) == []
    made = Stop.objects.get()
    errors = many(lambda: lift_stop(principal=principal(olaf), stop_id=made.pk, reason="Out."))
    assert [type(error) for error in errors] == [Conflict] * (MANY - 1)
    assert (recorded("line.stopped"), recorded("line.released")) == (1, 1)


def test_freeze__ended_by_many_at_once__is_ended_once(olaf: User, endpoint: Endpoint) -> None:
    made = freeze(olaf, Scope(endpoint.workspace_id))
    errors = many(lambda: end_freeze(principal=principal(olaf), freeze_id=made.pk, reason="Back."))
    assert [type(error) for error in errors] == [Conflict] * (MANY - 1)
    assert recorded("freeze.ended") == 1


def test_calendar__imported_by_many_at_once__is_taken_over_once(olaf: User, endpoint: Endpoint) -> None:
    def bring() -> None:
        import_ics(
            principal=principal(olaf),
            scope=Scope(endpoint.workspace_id),
            zone="UTC",
            data=calendar_of(HOLIDAYS),
            reason="The company's.",
        )

    assert many(bring) == []
    assert len(ics.read(calendar_of(HOLIDAYS), "UTC").events) == Freeze.objects.count() == 1
    assert recorded("freeze.made") == 1


def test_override_and_protection__by_many_at_once__are_one_each(olaf: User, endpoint: Endpoint) -> None:
    number = stop(olaf, endpoint_id=endpoint.pk)

    def let_past() -> None:
        override(
            principal=principal(olaf),
            endpoint_id=endpoint.pk,
            hold=f"stop:{number}",
            subject="change:42",
            reason="It mends the fault.",
        )

    def keep() -> None:
        protect(actor=SYSTEM_COMMAND, endpoint_id=endpoint.pk, cause="case:7", reason="Evidence.")

    assert many(let_past) == []
    assert many(keep) == []
    assert (Override.objects.count(), Protection.objects.count()) == (1, 1)
    assert (recorded("hold.overridden"), recorded("protection.made")) == (1, 1)
