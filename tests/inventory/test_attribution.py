"""Who made a drift: the match against the activity log, how long one looks, and what is said meanwhile."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from emulator.launch import Emulator
from endpoints.access.models import Workspace
from endpoints.audit import services as audit
from endpoints.audit.actors import SYSTEM_EXECUTOR
from endpoints.audit.models import Entry, Personal
from endpoints.azure_gateway.client import connect as gateway
from endpoints.azure_gateway.errors import Forbidden, Throttled
from endpoints.azure_gateway.records import ActivityRecord, Listing, Unreadable
from endpoints.azure_gateway.settings import CloudSettings, CredentialKind, GatewaySettings
from endpoints.core.clock import Clock
from endpoints.core.ids import new_request_id, ref
from endpoints.dispatch import db_now
from endpoints.inventory import attribution
from endpoints.inventory.attribution import Candidate, Found, Wanted
from endpoints.inventory.connection import gateway_settings
from endpoints.inventory.models import Drift, DriftAttribution, DriftSearch, Endpoint
from endpoints.inventory.selectors import drifts, endpoint_page, history
from endpoints.inventory.services.attribution import attribute_drift
from tests.inventory.support import at, make_workspace
from tests.inventory.test_sync_flow import connect, endpoint_id_of, sync
from tests.support.people import make_endpoint

RESOURCE = (
    "/subscriptions/s/resourcegroups/rg/providers/microsoft.machinelearningservices/workspaces/w"
    "/onlineendpoints/checkout-risk"
)
WRITE = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write"
# The state began between 100 and 130 s; with the tolerance, between -20 and 250 s.
WANTED = Wanted(RESOURCE, is_deployment=False, deleted=False, earliest=at(100), latest=at(130))
MARTA = "marta@example.org"
SETTINGS = GatewaySettings(cloud=CloudSettings(name="Tests"), credential=CredentialKind.MANAGED_IDENTITY)
_numbers = itertools.count(1)


def event(moment: float | datetime, status: str = "Succeeded", **changes: Any) -> ActivityRecord:
    number = next(_numbers)
    told: dict[str, Any] = {
        "event_id": f"event-{number}",
        "at": at(moment) if isinstance(moment, (int, float)) else moment,
        "caller": MARTA,
        "operation": WRITE,
        "status": status,
        "resource_id": RESOURCE,
        "correlation_id": f"correlation-{number}",
        "client_request_id": "",
        "app_id": "",
        "object_id": "",
    }
    return ActivityRecord(**(told | changes))


def write(began: float, ended: float, status: str = "Succeeded", **changes: Any) -> list[ActivityRecord]:
    """The two events of one write."""
    both = {"correlation_id": f"correlation-{next(_numbers)}"} | changes
    return [event(began, "Started", **both), event(ended, status, **both)]


def answered(*log: ActivityRecord, ours: Iterable[str] = (), wanted: Wanted = WANTED) -> attribution.Answer:
    return attribution.answer(wanted, log, frozenset(ours))


def test_a_write__in_the_time_of_the_drift__is_one_candidate_with_both_its_events() -> None:
    found = answered(*write(105, 112))
    (one,) = found.candidates
    assert (found.found, one.caller, one.began_at, one.ended_at) == (Found.ONE, MARTA, at(105), at(112))
    assert found.sentence() == f"The activity log has one write in that time, by {MARTA}."


def test_two_writes__in_that_time__are_both_named_and_neither_is_blamed() -> None:
    found = answered(*write(105, 112), *write(120, 125, caller="otto@example.org"))
    assert found.found is Found.SEVERAL
    assert [one.began_at for one in found.candidates] == [at(105), at(120)]
    assert found.sentence() == (
        f"The activity log has 2 writes in that time, by {MARTA}, otto@example.org. It does not say what they wrote,"
        " so which of them it was is not known."
    )


@pytest.mark.parametrize(
    "log",
    [
        pytest.param([], id="nothing at all"),
        pytest.param(write(-60, -30), id="over too early"),
        pytest.param(write(251, 260), id="begun too late"),
        pytest.param([event(110, resource_id=f"{RESOURCE}-2")], id="another endpoint"),
        pytest.param([event(110, resource_id=f"{RESOURCE}/deployments/blue")], id="a deployment"),
        pytest.param([event(110, operation=WRITE.replace("write", "delete"))], id="a deletion"),
        pytest.param([event(110, operation=WRITE.replace("write", "regenerateKeys/action"))], id="an action"),
        pytest.param([event(110, "Active")], id="a status that is none of a write"),
    ],
)
def test_what_the_log_has__of_other_things_or_times__is_nobody(log: list[ActivityRecord]) -> None:
    assert answered(*log).found is Found.NONE
    assert answered(*log).sentence() == "The activity log has no write of somebody else in that time."


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(write(-600, 900), id="under way all the time"),
        pytest.param([event(-600, "Started")], id="begun before and, as far as known, not over"),
        pytest.param([event(110, "Accepted")], id="not over yet"),
        pytest.param([event(110, resource_id=RESOURCE.upper(), operation=WRITE.upper())], id="in capitals"),
        pytest.param([event(-20)], id="at the edge before"),
        pytest.param([event(250, "Started")], id="at the edge after"),
    ],
)
def test_a_write__that_may_have_been_it__is_a_candidate(log: list[ActivityRecord]) -> None:
    assert answered(*log).found is Found.ONE


def test_a_write__that_failed__was_not_it_and_is_told() -> None:
    found = answered(*write(105, 112, "Failed"), *write(110, 115))
    assert (found.found, found.failed) == (Found.ONE, 1)
    assert found.sentence().endswith(f"by {MARTA}, beside 1 that failed.")


def test_a_write__of_the_portal_itself__is_not_taken_for_somebody_elses() -> None:
    ours = [event(105, "Started", client_request_id="", correlation_id="c"),
            event(112, client_request_id="AB12-34", correlation_id="c")]  # fmt: skip
    found = answered(*ours, ours=["ab1234"])
    assert (found.found, found.ours) == (Found.NONE, 1)
    assert found.sentence().endswith("in that time, beside 1 of this portal.")
    assert answered(*ours, ours=["other"]).found is Found.ONE


def test_drift__of_a_deployment_or_by_deletion__is_looked_for_under_its_own_operation() -> None:
    blue = f"{RESOURCE}/deployments/blue"
    changed = event(110, resource_id=blue, operation=WRITE.replace("/write", "/deployments/write"))
    removed = event(110, resource_id=blue, operation=WRITE.replace("/write", "/deployments/delete"))
    gone = event(110, operation=WRITE.replace("write", "delete"))
    log = [changed, removed, gone, event(110)]
    for kind, (is_deployment, deleted) in zip(
        log, itertools.product((True, False), (False, True)), strict=False
    ):
        resource = blue if is_deployment else RESOURCE
        wanted = Wanted(resource, is_deployment, deleted, at(100), at(130))
        (one,) = answered(*log, wanted=wanted).candidates
        expected = {
            (True, False): changed,
            (True, True): removed,
            (False, False): log[3],
            (False, True): gone,
        }
        assert one.event_id == expected[is_deployment, deleted].event_id, kind


def test_drift__of_which_nobody_knows_when_it_began__is_looked_for_a_day_back() -> None:
    wanted = Wanted(RESOURCE, False, False, None, at(130))
    assert answered(event(130 - 86_000), wanted=wanted).found is Found.ONE
    assert answered(event(130 - 87_000), wanted=wanted).found is Found.NONE
    assert attribution.window([wanted, WANTED]) == (
        at(130) - timedelta(hours=25, minutes=2), at(130) + timedelta(hours=1, minutes=2),
    )  # fmt: skip


def test_an_answer__of_a_log_that_is_not_whole__says_that_there_may_be_more() -> None:
    found = attribution.answer(WANTED, [event(110)], frozenset(), unreadable=2)
    assert found.sentence().endswith("2 of its events could not be understood, so there may be more.")


def test_a_candidate__stored_and_read_back__is_the_same() -> None:
    for one in answered(*write(105, 112, app_id="app"), event(110, "Started")).candidates:
        assert Candidate.from_json(one.as_json()) == one


def test_looking__again_and_again__gets_slower_and_ends_after_a_day() -> None:
    assert attribution.next_look(at(0), at(60)) == at(180)
    assert attribution.next_look(at(0), at(7200)) == at(7200 + 900)
    assert attribution.next_look(at(0), at(86_400)) is None
    assert (attribution.is_settled(at(0), at(1799)), attribution.is_settled(at(0), at(1800))) == (False, True)


@given(began=st.integers(-4000, 4000), length=st.integers(0, 3000), shuffled=st.randoms())
def test_a_write__at_any_time__is_a_candidate_exactly_when_it_touches_the_time(
    began: int, length: int, shuffled: Any
) -> None:
    events = write(began, began + length)
    shuffled.shuffle(events)
    touches = began <= 250 and began + length >= -20
    assert (answered(*events, *events).found is Found.ONE) == touches


# The search itself


class FakeLog:
    """An activity log that answers with `events`, or raises `error`. `asked` is what was asked for."""

    def __init__(self, *events: ActivityRecord, error: Exception | None = None, unreadable: int = 0) -> None:
        self.events, self.error, self.unreadable = events, error, unreadable
        self.asked: list[tuple[str, datetime, datetime, str]] = []

    @asynccontextmanager
    async def connect(self, settings: GatewaySettings, *, clock: Clock) -> AsyncIterator[FakeLog]:
        yield self

    async def list_activity(
        self, subscription: str, *, since: datetime, until: datetime, resource_id: str
    ) -> Listing[ActivityRecord]:
        self.asked.append((subscription, since, until, resource_id))
        if self.error is not None:
            raise self.error
        now = datetime.now(UTC)
        bad = tuple(Unreadable(f"item {number}", "odd") for number in range(self.unreadable))
        return Listing(self.events, bad, now, now, "azure-1", 1)


def look(azure: FakeLog) -> int:
    """Look once at all that is still looked for, whenever it is due."""
    DriftSearch.objects.filter(ended_at=None).update(due_at=db_now())
    return attribute_drift(settings=SETTINGS, connecting=azure.connect)


@pytest.fixture
def workspace(db: None) -> Workspace:
    return make_workspace()


@pytest.fixture
def drift(workspace: Workspace) -> Drift:
    """Somebody else moved the traffic just now."""
    make_endpoint(workspace)
    make_endpoint(workspace, traffic={"blue": 90, "green": 10})
    return Drift.objects.get()


def of(drift: Drift, **changes: Any) -> ActivityRecord:
    """A write in the time of a drift."""
    return event(drift.latest, resource_id=drift.endpoint.arm_key, **changes)


def test_a_drift__whose_writer_is_in_the_log__is_attributed_with_an_entry(drift: Drift) -> None:
    azure = FakeLog(of(drift, app_id="app-1", object_id="object-1"))
    assert look(azure) == 1

    row, entry = DriftAttribution.objects.get(), Entry.objects.get(action="drift.attributed")
    assert (row.drift_id, row.found, row.final) == (drift.pk, "one", False)
    assert MARTA in row.reason
    assert (entry.actor, entry.subject) == ("system:sync", ref("endpoint", drift.endpoint_id))
    assert entry.after["writers"] == "one"
    assert MARTA not in bytes(entry.body).decode()
    assert Personal.objects.get(entry=entry).text == MARTA
    ((subscription, since, until, resource),) = azure.asked
    assert (subscription, resource) == (drift.endpoint.workspace.subscription_id, drift.endpoint.arm_key)
    assert since < drift.latest < until


def test_a_drift__told_the_same_again__gets_no_second_row_and_a_second_writer_does(drift: Drift) -> None:
    first = of(drift)
    assert look(FakeLog(first)) == 1
    assert look(FakeLog(first)) == 0
    assert look(FakeLog(first, of(drift, caller="otto@example.org"))) == 1
    assert list(DriftAttribution.objects.order_by("pk").values_list("found", flat=True)) == ["one", "several"]


def test_a_write__that_turns_out_to_have_failed__is_taken_back(drift: Drift) -> None:
    look(FakeLog(of(drift, status="Started", correlation_id="c")))
    look(
        FakeLog(
            of(drift, status="Started", correlation_id="c"), of(drift, status="Failed", correlation_id="c")
        )
    )
    assert list(DriftAttribution.objects.order_by("pk").values_list("found", flat=True)) == ["one", "none"]


def test_a_drift__the_portal_wrote_in_its_time_too__is_not_attributed_to_the_portal(drift: Drift) -> None:
    subject = ref("endpoint", drift.endpoint_id)
    with transaction.atomic():
        audit.record(
            actor=SYSTEM_EXECUTOR, action="change.call.intended", subject=ref("change", 1), endpoint=subject,
            after={"call": "ab12"},
        )  # fmt: skip
    assert look(FakeLog(of(drift, client_request_id="ab12"))) == 0
    assert look(FakeLog(of(drift, client_request_id="ab12"), of(drift))) == 1
    assert DriftAttribution.objects.get().reason.endswith("beside 1 of this portal.")


def test_a_drift__not_in_the_log_yet__says_that_the_log_is_behind(drift: Drift) -> None:
    assert look(FakeLog()) == 0
    (row,) = drifts(drift.endpoint_id)
    assert row.attribution is not None
    assert (row.attribution.found, row.attribution.final) == ("waiting", False)
    assert "3 to 20 minutes behind" in row.attribution.reason
    assert not Entry.objects.filter(action="drift.attributed").exists()


def test_a_log__that_may_not_be_read__is_told_and_asked_again(drift: Drift) -> None:
    assert look(FakeLog(error=Forbidden("It may not read events."))) == 0
    (row,) = drifts(drift.endpoint_id)
    assert row.attribution is not None
    assert row.attribution.reason == "The activity log can't be read now: It may not read events."
    assert look(FakeLog(of(drift))) == 1


def test_a_log__that_asks_for_patience__is_left_alone_for_as_long(drift: Drift, workspace: Workspace) -> None:
    make_endpoint(workspace, "other")
    make_endpoint(workspace, "other", traffic={})
    azure = FakeLog(error=Throttled("Slower.", retry_after=600.0))
    assert look(azure) == 0
    assert len(azure.asked) == 1
    for search in DriftSearch.objects.all():
        assert timedelta(minutes=9) < search.due_at - db_now() < timedelta(minutes=11)


def test_drifts__of_one_endpoint__are_one_question(drift: Drift, workspace: Workspace) -> None:
    make_endpoint(workspace, traffic={"blue": 80, "green": 20})
    azure = FakeLog()
    look(azure)
    assert len(azure.asked) == 1
    assert DriftSearch.objects.count() == 2


def test_a_deployment__made_by_others__is_looked_for_by_its_own_id(workspace: Workspace) -> None:
    make_endpoint(workspace)
    make_endpoint(workspace, deployments=("blue", "green", "red"))
    found = Drift.objects.get()
    operation = WRITE.replace("/write", "/deployments/write")
    azure = FakeLog(event(found.latest, resource_id=found.deployment.arm_key, operation=operation))
    assert look(azure) == 1
    assert azure.asked[0][3] == found.deployment.arm_key
    newest = next(one for one in history(found.endpoint_id).items if one.cause == "drift")
    assert newest.attribution is not None and MARTA in newest.attribution.reason


def test_history__of_an_endpoint__names_the_writer_at_the_state_that_drifted(
    drift: Drift, workspace: Workspace
) -> None:
    look(FakeLog(of(drift)))
    told = {item.cause: item.attribution for item in history(drift.endpoint_id).items if not item.deployment}
    assert told[""] is None
    assert told["drift"] is not None and told["drift"].found == "one"
    page = endpoint_page(workspace.pk, "checkout-risk")
    assert page.open_drift is not None and page.open_drift.attribution == told["drift"]


def test_an_attribution__once_written__cannot_be_changed_by_the_portal(drift: Drift) -> None:
    look(FakeLog(of(drift)))
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        DriftAttribution.objects.update(found="none")


def test_a_workspace__that_was_disconnected__is_not_asked_about(drift: Drift, workspace: Workspace) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(disconnected_at=db_now())
    azure = FakeLog(of(drift))
    assert look(azure) == 0
    assert azure.asked == []


@pytest.fixture
def old_drift(drift: Drift) -> Any:
    """The same drift, known for as long as one says: a row of its own, because history can't be changed."""

    def make(age: timedelta) -> Drift:
        moment = db_now() - age
        row = Drift.objects.create(
            endpoint=drift.endpoint, kind=drift.kind, revision=drift.revision, before=drift.before, after=drift.after,
            earliest=moment - timedelta(seconds=30), latest=moment, known_at=moment,
        )  # fmt: skip
        DriftSearch.objects.create(drift=row, due_at=db_now())
        return row

    return make


def test_a_writer__still_alone_when_the_log_is_complete__is_final_and_the_search_over(old_drift: Any) -> None:
    old = old_drift(timedelta(minutes=31))
    azure = FakeLog(of(old))
    assert look(azure) == 1
    assert DriftAttribution.objects.get(drift=old).final
    assert DriftSearch.objects.get(drift=old).ended_at is not None
    assert look(azure) == 0


def test_a_drift__without_a_writer_for_a_day__is_given_up_with_the_reason(old_drift: Any) -> None:
    young, old = old_drift(timedelta(hours=23)), old_drift(timedelta(hours=24, minutes=1))
    look(FakeLog())
    assert not DriftAttribution.objects.filter(drift=young).exists()
    row = DriftAttribution.objects.get(drift=old)
    assert (row.found, row.final) == ("none", True)
    assert row.reason.endswith("It was asked for 24 h, and is asked no more.")
    assert DriftSearch.objects.get(drift=old).ended_at is not None


def test_a_log__unreadable_for_a_day__leaves_the_writer_unknown_and_not_nobody(old_drift: Any) -> None:
    old = old_drift(timedelta(hours=24, minutes=1))
    look(FakeLog(error=Forbidden("It may not read events.")))
    row = DriftAttribution.objects.get(drift=old)
    assert (row.found, row.final) == ("unknown", True)
    assert row.reason == (
        "The activity log could not be read to the end, and is asked no more: It may not read events."
    )


def test_a_drift__from_before_anybody_looked__is_left_as_it_is(drift: Drift) -> None:
    (row,) = drifts(drift.endpoint_id)
    assert row.attribution is None


@pytest.fixture
def production(azure: Emulator, db: None) -> Workspace:
    """A mirrored workspace of a world whose activity log is not late."""
    azure.admin.settings(activity_delay_min=0.0, activity_delay_max=0.0)
    workspace = connect(azure, "mlw-prod-weu")
    sync(workspace)
    return workspace


@pytest.mark.processes
def test_a_foreign_write__in_the_emulators_world__is_attributed_to_who_made_it(
    azure: Emulator, production: Workspace
) -> None:
    endpoint = Endpoint.objects.order_by("pk")[0]
    azure.admin.foreign(
        endpoint_id_of(azure, endpoint.name),
        who={"name": "marta", "upn": MARTA},
        traffic={"blue": 60, "green": 40},
    )
    sync(production)

    assert attribute_drift() == 1

    row = DriftAttribution.objects.get()
    assert row.found == "one", row.reason
    assert row.candidates[0]["caller"] == MARTA


@pytest.mark.processes
def test_our_own_write__taken_for_drift_in_the_emulators_world__is_known_for_ours(
    azure: Emulator, production: Workspace
) -> None:
    """Ours in the ledger alone: whatever made it look like drift, the log's request id tells."""
    endpoint = Endpoint.objects.order_by("pk")[0]
    call, subject = new_request_id(), ref("endpoint", endpoint.pk)
    with transaction.atomic():
        audit.record(
            actor=SYSTEM_EXECUTOR, action="change.call.intended", subject=ref("change", 1), endpoint=subject,
            after={"call": call},
        )  # fmt: skip
    async_to_sync(put_split)(endpoint.arm_id, {"blue": 60, "green": 40}, call)
    sync(production)
    assert Drift.objects.exists()

    attribute_drift()

    assert not DriftAttribution.objects.exists()
    azure.admin.foreign(
        endpoint_id_of(azure, endpoint.name), who={"name": "marta", "upn": MARTA}, tags={"a": "b"}
    )
    sync(production)
    DriftSearch.objects.update(due_at=db_now())
    attribute_drift()
    assert {row.candidates[0]["caller"] for row in DriftAttribution.objects.all()} == {MARTA}


async def put_split(arm_id: str, split: dict[str, int], request_id: str) -> None:
    async with gateway(gateway_settings()) as azure:
        document = (await azure.get_endpoint(arm_id)).value.raw
        accepted = await azure.put_endpoint_split(document, traffic=split, request_id=request_id)
        while not (await azure.get_operation(accepted.operation_uri)).ended:
            await asyncio.sleep(0.05)
