"""One endpoint's worker: load the rows, ask `decide`, do what it says, sleep until due or woken.

Reads are given up when somebody wakes the worker, because the rows may then hold another goal; a write that
was sent is always waited for, within its deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

import structlog
from django.db import Error as DatabaseError

from endpoints.azure_gateway import errors
from endpoints.azure_gateway.client import Azure
from endpoints.changes import decide as d
from endpoints.changes.executor import outcomes
from endpoints.changes.executor.calling import put
from endpoints.changes.executor.crash import crashpoint
from endpoints.changes.executor.database import in_database
from endpoints.changes.executor.gating import measure_gates
from endpoints.changes.executor.jobs import Due, Fenced, Job, limits, load_job, scaled
from endpoints.changes.executor.lease import Held, acquire, release
from endpoints.changes.executor.mirror import observe, observe_gone
from endpoints.changes.executor.reading import GONE, Sight, failure_of, operation, read_endpoint, read_setting
from endpoints.changes.lifecycle import Kind, State
from endpoints.core.errors import Conflict, Unavailable

T = TypeVar("T")
log = structlog.get_logger(__name__)

STALE_READS = 3
"""How often in a row an answer may be too old to be ordered before the next one waits its turn."""


class Woken(Exception):
    """The rows may have changed while Azure was being read."""


class Worker:
    """Works on one endpoint while it has an active change, under one lease."""

    def __init__(self, endpoint_id: int, holder: str, azure: Azure) -> None:
        self.endpoint_id = endpoint_id
        self._holder = holder
        self._azure = azure
        self._wake = asyncio.Event()
        self._stopping = False
        self._working_on: tuple[int, int] | None = None

    def wake(self) -> None:
        """Look at the rows now."""
        self._wake.set()

    def look(self, due: Due) -> None:
        """Wake up if the rows name another change, or a later move of it, than is being worked on."""
        if self._working_on is None:
            return
        change_id, version = self._working_on
        if due.change_id != change_id or due.version > version:
            self._wake.set()

    def stop(self) -> None:
        """Finish the call at work, give the lease back and end."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Until no active change is left, or `stop`."""
        try:
            while not self._stopping and await self._round():
                pass
        finally:
            await self._give_back()

    async def _give_back(self) -> None:
        try:
            await in_database(release, self.endpoint_id, self._holder)
        except DatabaseError:
            log.warning("lease_not_released", endpoint=self.endpoint_id)  # it runs out by itself

    async def _round(self) -> bool:
        """One look at the rows and one action. False when there is nothing left to do here."""
        self._wake.clear()
        self._working_on = None
        try:
            lease = await in_database(acquire, self.endpoint_id, self._holder)
            if not isinstance(lease, Held):
                await self._sleep(scaled(1.0))
                return True
            job = await in_database(load_job, self.endpoint_id, self._holder, lease.epoch)
            if job is None:
                return False
            self._working_on = (job.change_id, job.version)
            await self._work(job)
        except (Woken, Fenced):
            return True
        except (DatabaseError, Unavailable, Conflict) as error:
            # Unavailable: the ledger takes nothing, so nothing is done. Conflict: somebody was faster.
            log.warning("database_not_usable", endpoint=self.endpoint_id, cause=str(error).strip())
            await self._sleep(scaled(1.0))
        except Exception as error:  # noqa: BLE001 - one poisoned change must not stop the others
            await self._stumble(error)
        return True

    async def _work(self, job: Job) -> None:
        pause = await self._advance(job)
        if job.stumbled:
            await in_database(outcomes.recovered, job)
        await self._sleep(pause)

    async def _stumble(self, error: Exception) -> None:
        log.exception("change_not_workable", endpoint=self.endpoint_id)
        try:
            await in_database(outcomes.stumbled, self.endpoint_id, f"{type(error).__name__}: {error}.")
        except (DatabaseError, Unavailable):
            log.warning("stumble_not_recorded", endpoint=self.endpoint_id)
        await self._sleep(scaled(2.0))

    async def _sleep(self, seconds: float) -> None:
        if seconds <= 0 or self._wake.is_set():
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def _advance(self, job: Job) -> float:
        """Decide, reading what it takes, and act. Returns the seconds to sleep."""
        seen, sight = d.Seen(), None
        while True:
            action = d.decide(job.facts, seen, job.now, limits())
            if isinstance(action, d.Poll):
                seen = replace(seen, operation=await self._operation(job))
            elif isinstance(action, d.Read):
                sight, endpoint = await self._endpoint(job)
                if endpoint is GONE:
                    await in_database(observe_gone, job)
                seen = replace(seen, endpoint=endpoint)
            elif isinstance(action, d.ReadSetting):
                seen = replace(seen, setting=await self._setting(job))
            else:
                return await self._act(job, action, sight)

    async def _interruptible(self, call: Coroutine[Any, Any, T]) -> T:
        """The call's result; Woken, with the call given up, when somebody wakes the worker first."""
        task, bell = asyncio.ensure_future(call), asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({task, bell}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise Woken
        finally:
            for pending in (task, bell):
                pending.cancel()
            await asyncio.gather(task, bell, return_exceptions=True)

    async def _operation(self, job: Job) -> d.SeenOperation | d.ReadFailure:
        assert job.facts.last is not None
        call = self._azure.get_operation(job.facts.last.operation_uri)
        try:
            return operation(await self._interruptible(call), job.now)
        except errors.GatewayError as error:
            return failure_of(error, job.now)

    async def _setting(self, job: Job) -> d.SeenSetting | d.ReadFailure:
        try:
            return await self._interruptible(read_setting(self._azure, job.step.setting))
        except errors.GatewayError as error:
            return failure_of(error, job.now)

    async def _endpoint(self, job: Job) -> tuple[Sight | None, d.SeenEndpoint | d.ReadFailure]:
        """Read, and let the mirror see it first: whoever reads a new state records it."""
        for _ in range(STALE_READS):
            try:
                sight = await self._interruptible(self._read(job))
            except errors.NotFoundInAzure:
                return None, GONE
            except errors.GatewayError as error:
                return None, failure_of(error, job.now)
            except ExceptionGroup as group:
                return None, _failure_in(group, job)
            observed = await in_database(observe, job, sight)
            if observed and observed.endpoint_id != job.endpoint_id:
                return None, GONE  # deleted and created again under the same name: another endpoint
            if not observed or not observed.stale:
                return sight, sight.seen()
        text = "The answers were older than what is on record; reading again."
        return None, d.ReadFailure(d.Trouble.UNREACHABLE, text)

    def _read(self, job: Job) -> Coroutine[Any, Any, Sight]:
        # A rollback needs no leave of the deployments: the server issued its target, and Azure has the last word.
        forward = job.facts.kind is not Kind.ROLLBACK and job.facts.state is not State.VERIFYING
        with_deployments = forward or job.step.verb in ("patch_capacity", "delete_deployment")
        return read_endpoint(self._azure, job.arm_id, with_deployments=with_deployments)

    async def _act(self, job: Job, action: d.Action, sight: Sight | None) -> float:
        match action:
            case d.Wait():
                await in_database(outcomes.waiting, job, action)
                return (action.until - job.now).total_seconds()
            case d.Put():
                assert sight is not None
                await put(self._azure, job, sight.endpoint.value, action.note)
            case d.NoteOperation():
                await in_database(outcomes.note_operation, job, action.failure)
            case d.Confirm():
                crashpoint("before_confirm")
                # Of an endpoint that is gone there is no sight.
                read_by = sight.endpoint.azure_request_id if sight else ""
                await in_database(outcomes.confirm, job, read_by)
            case d.StepDone():
                await in_database(outcomes.step_done, job)
            case d.Measure():
                await in_database(measure_gates, job)
                crashpoint("after_gates")
            case d.Baked():
                await in_database(outcomes.baked, job, action.seconds)
            case _:
                await self._turn(job, action)
        return 0.0

    async def _turn(self, job: Job, action: d.Action) -> None:
        """The turns that a change can take against expectation."""
        match action:
            case d.Accept():
                await in_database(outcomes.accept_unanswered, job, action.reason)
            case d.Again():
                await in_database(outcomes.again, job, action.reason)
            case d.Drift():
                await in_database(outcomes.drifted, job, action.found)
            case d.Fail():
                await in_database(outcomes.failed, job, action.reason)
            case d.HoldHere():
                await in_database(outcomes.held, job, action.hold, action.reason)
            case d.StepOver():
                await in_database(outcomes.stepped_over, job)
            case d.SkipStep():
                await in_database(outcomes.step_skipped, job, action.reason)
            case d.RollBack():
                await in_database(outcomes.rolled_back_by_itself, job, action.reason)
            case _:
                raise AssertionError(f"nothing is done for {action!r}")


def _failure_in(group: ExceptionGroup[Exception], job: Job) -> d.SeenEndpoint | d.ReadFailure:
    """Endpoint and deployments are read side by side; the first thing that went wrong speaks for both."""
    for error in group.exceptions:
        if isinstance(error, errors.NotFoundInAzure):
            return GONE
        if isinstance(error, errors.GatewayError):
            return failure_of(error, job.now)
    raise group
