"""One worker with an Azure that misbehaves in ways no emulator should: what it does, and what it leaves alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings

from endpoints.azure_gateway import errors
from endpoints.azure_gateway.records import Unreadable
from endpoints.changes.executor.clock import SharedClock
from endpoints.changes.executor.database import in_database
from endpoints.changes.executor.jobs import due
from endpoints.changes.executor.main import Main
from endpoints.changes.executor.worker import Worker
from endpoints.changes.models import Attempt, Change, Executor
from endpoints.changes.services import expire_due
from opsportal.grants import RUNTIME_ROLE
from tests.changes.desk import ALL_BLUE, ALL_GREEN, HALF, Desk
from tests.changes.fake_azure import FakeAzure
from tests.support.people import make_endpoint

HOLDER = "host-1-a"


@pytest.fixture
def desk(committed_desk: Desk) -> Desk:
    return committed_desk


@pytest.fixture
def azure(desk: Desk) -> FakeAzure:
    return FakeAzure(desk.workspace, ALL_BLUE)


@pytest.fixture(autouse=True)
def quick(committed_db: object) -> Iterator[None]:
    before = settings.OPSPORTAL
    fast = {"poll_scale": 0.02, "second_read_seconds": 0.05, "executor_poll_seconds": 0.1}
    settings.OPSPORTAL = before.model_copy(update=fast)
    yield
    settings.OPSPORTAL = before


def work(desk: Desk, azure: FakeAzure, until: Callable[[], Any], *, seconds: float = 20.0) -> None:
    """Let a worker work until something is true of the rows."""

    async def scene() -> None:
        worker = Worker(desk.endpoint_id, HOLDER, azure)  # type: ignore[arg-type]
        task = asyncio.create_task(worker.run())
        async with asyncio.timeout(seconds):
            while not await in_database(until):
                await asyncio.sleep(0.02)
        worker.stop()
        await task

    asyncio.run(scene())


def test_worker__nothing_odd__carries_the_change_out(desk, azure):
    change_id = desk.started()
    work(desk, azure, lambda: desk.state(change_id) == "succeeded")
    assert azure.traffic == HALF
    assert azure.puts == 1


def test_worker__ledger_takes_nothing_for_a_while__sends_nothing_and_sets_nothing_aside(
    desk, azure, committed_db
):
    change_id = desk.started()
    with psycopg.connect(committed_db.owner_url, autocommit=True) as owner:
        owner.execute(f"REVOKE INSERT ON audit_entry FROM {RUNTIME_ROLE}")
        work(desk, azure, lambda: azure.reads >= 8)
        assert azure.puts == 0
        assert desk.change(change_id).failures == 0
        owner.execute(f"GRANT INSERT ON audit_entry TO {RUNTIME_ROLE}")
    work(desk, azure, lambda: desk.state(change_id) == "succeeded")


def test_worker__mirror_can_not_keep_the_answer__goes_on_all_the_same(desk, azure):
    change_id = desk.started()
    azure.changes = {"location": "x" * 5000}
    work(desk, azure, lambda: desk.state(change_id) == "succeeded")
    assert azure.traffic == HALF


def test_worker__odd_deployment_in_the_list__waits_with_a_person_asked_and_does_not_call_it_gone(desk, azure):
    change_id = desk.started()
    azure.deployments = ["blue"]
    azure.unreadable = (Unreadable("item 2 of page 1", "no name"),)
    work(desk, azure, lambda: "can't be understood" in desk.change(change_id).attention)
    assert azure.puts == 0


def test_worker__target_itself_can_not_be_understood__waits_for_its_state(desk, azure):
    change_id = desk.started()
    azure.deployments = ["blue"]
    azure.unreadable = (Unreadable(f"{azure.document()['id']}/deployments/Green", "no model"),)
    work(desk, azure, lambda: desk.change(change_id).waiting_for == "green is Unknown.")
    assert azure.puts == 0


def test_rollback__deployments_can_not_be_listed__is_carried_out(desk, azure):
    desk.started()
    rollback_id = desk.roll_back(ALL_GREEN).change_id
    work(desk, azure, lambda: desk.state(rollback_id) == "succeeded")
    assert azure.lists == 0
    assert azure.traffic == ALL_GREEN


def test_worker__answers_older_than_the_record__are_not_acted_upon(desk, azure):
    change_id = desk.started()
    azure.traffic = {"blue": 70, "green": 30}
    azure.began = lambda: datetime.now(UTC) - timedelta(hours=1)
    work(desk, azure, lambda: "older than what is on record" in desk.change(change_id).waiting_for)
    assert desk.state(change_id) == "applying"
    assert azure.puts == 0


def test_worker__unexpected_errors__are_counted_and_forgotten_once_it_works(desk, azure):
    change_id = desk.started()
    azure.before_read = raising(RuntimeError("what is this"), times=2)
    work(desk, azure, lambda: desk.change(change_id).failures >= 1)
    work(desk, azure, lambda: desk.state(change_id) == "succeeded")
    assert desk.change(change_id).failures == 0
    assert desk.change(change_id).attention == ""


def raising(error: Exception, *, times: int) -> Callable[[], None]:
    left = [error] * times

    def act() -> None:
        if left:
            raise left.pop()

    return act


def test_worker__asleep_for_ten_minutes__finds_a_rollback_whose_notification_was_lost(desk, azure):
    desk.started()
    azure.before_read = raising(errors.Throttled("slow down", retry_after=600.0), times=1)

    async def scene() -> None:
        worker = Worker(desk.endpoint_id, HOLDER, azure)  # type: ignore[arg-type]
        task = asyncio.create_task(worker.run())
        while "slow down" not in (await in_database(Change.objects.get)).waiting_for:
            await asyncio.sleep(0.02)
        rollback = await in_database(desk.roll_back, ALL_GREEN)
        async with asyncio.timeout(20):
            while await in_database(desk.state, rollback.change_id) != "succeeded":
                for one in await in_database(due):
                    worker.look(one)
                await asyncio.sleep(0.05)
        worker.stop()
        await task

    asyncio.run(scene())
    assert azure.traffic == ALL_GREEN


def test_worker__woken_while_a_reading_hangs__gives_it_up(desk, azure):
    desk.started()
    hang = [True]
    azure.before_read = lambda: asyncio.sleep(3600) if hang else None

    async def scene() -> None:
        worker = Worker(desk.endpoint_id, HOLDER, azure)  # type: ignore[arg-type]
        task = asyncio.create_task(worker.run())
        while not azure.reads:
            await asyncio.sleep(0.02)
        rollback = await in_database(desk.roll_back, ALL_GREEN)
        hang.clear()
        worker.wake()
        async with asyncio.timeout(20):
            while await in_database(desk.state, rollback.change_id) != "succeeded":
                await asyncio.sleep(0.05)
        worker.stop()
        await task

    asyncio.run(scene())


def test_worker__woken_while_its_call_is_on_the_way__hears_the_answer_first(desk, azure):
    change_id = desk.started()
    azure.before_put = lambda: asyncio.sleep(0.5 if azure.puts == 1 else 0)

    async def scene() -> None:
        worker = Worker(desk.endpoint_id, HOLDER, azure)  # type: ignore[arg-type]
        task = asyncio.create_task(worker.run())
        while not azure.puts:
            await asyncio.sleep(0.02)
        rollback = await in_database(desk.roll_back, ALL_BLUE)
        worker.wake()
        async with asyncio.timeout(20):
            while await in_database(desk.state, rollback.change_id) != "succeeded":
                await asyncio.sleep(0.05)
        worker.stop()
        await task

    asyncio.run(scene())
    assert Attempt.objects.filter(change_id=change_id).get().outcome == "accepted"
    assert azure.traffic == ALL_BLUE


def test_worker__held_up_between_intent_and_call__does_not_call(desk, azure):
    """A call that begins after its bound could land when everybody believes it can't."""
    change_id = desk.started()
    settings.OPSPORTAL = settings.OPSPORTAL.model_copy(update={"remote_call_seconds": 1e-9})
    work(desk, azure, Attempt.objects.filter(outcome="refused").exists)
    assert azure.puts == 0
    assert "held up" in Attempt.objects.order_by("pk")[0].error
    assert desk.state(change_id) == "applying"


def test_main__expiry_breaks_on_one_row__changes_are_carried_out_all_the_same(desk, azure, committed_db):
    """A part of the poll that fails must not take the process, or the other parts, with it."""
    held = desk.approved()
    desk.expire_now(held)
    late = desk.request(endpoint_id=make_endpoint(desk.workspace, "photo-triage").pk)
    desk.expire_now(late)
    with psycopg.connect(committed_db.owner_url, autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;"
            f"CREATE TRIGGER no BEFORE UPDATE ON changes_change FOR EACH ROW WHEN (OLD.id = {held})"
            " EXECUTE FUNCTION no()"
        )
    rollback_id = desk.roll_back(ALL_GREEN).change_id

    async def scene() -> None:
        main = Main(azure, HOLDER, SharedClock())  # type: ignore[arg-type]
        task = asyncio.create_task(main.run())
        async with asyncio.timeout(20):
            while await in_database(desk.state, rollback_id) != "succeeded":
                await asyncio.sleep(0.05)
        main.stop()
        await task

    asyncio.run(scene())
    assert desk.state(held) == "approved"
    assert desk.state(late) == "expired"
    assert Executor.objects.get().name == HOLDER
    assert expire_due() == 0
