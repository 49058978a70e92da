"""The executor process: finds endpoints with an active change and keeps a worker on each.

PostgreSQL's rows are polled; notifications only make it faster. The heartbeat tells pages that somebody works.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import suppress

import structlog
from django.conf import settings
from django.db import Error as DatabaseError

from endpoints.azure_gateway.client import Azure, connect
from endpoints.changes import wake
from endpoints.changes.executor.clock import SharedClock
from endpoints.changes.executor.database import in_database
from endpoints.changes.executor.heartbeat import beat
from endpoints.changes.executor.jobs import due
from endpoints.changes.executor.lease import renew
from endpoints.changes.executor.worker import Worker
from endpoints.changes.services import expire_due, finish_drills, start_due
from endpoints.core.errors import OpsportalError
from endpoints.core.ids import new_request_id
from endpoints.dispatch.listening import listen
from endpoints.inventory.connection import gateway_settings

log = structlog.get_logger(__name__)


def process_name() -> str:
    """Who holds a lease: host, process and a random part, so that a reused process number is somebody else."""
    return f"{socket.gethostname()[:30]}-{os.getpid()}-{new_request_id()[:8]}"


class Main:
    """Workers by endpoint, and the tasks that feed them."""

    def __init__(self, azure: Azure, name: str, clock: SharedClock) -> None:
        self._azure = azure
        self._name = name
        self._clock = clock
        self._renew_at = 0.0
        self._workers: dict[int, Worker] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._look = asyncio.Event()
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`."""
        ears = asyncio.create_task(listen(wake.CHANNEL, self._hear))
        try:
            while not self._stopped.is_set():
                await self._poll()
                await self._pause(settings.OPSPORTAL.executor_poll_seconds)
        finally:
            ears.cancel()
            await asyncio.gather(ears, return_exceptions=True)
            await self._wind_down()

    def stop(self) -> None:
        """Finish the calls at work and end."""
        self._stopped.set()
        self._look.set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._look.wait(), seconds)
        self._look.clear()

    def _hear(self, payload: str) -> None:
        heard = wake.parse(payload)
        if heard and heard.origin == self._name:
            return
        if heard and heard.endpoint_id in self._workers:
            self._workers[heard.endpoint_id].wake()
        self._look.set()

    async def _poll(self) -> None:
        """Each part by itself: what goes wrong with one must not keep the others from being done."""
        for part in (self._start, self._employ_all, self._live_on, self._expire, self._drill):
            try:
                await part()
            except (DatabaseError, OpsportalError) as error:
                log.warning("database_not_usable", cause=str(error).strip())
            except Exception:  # the process must outlive whatever is wrong with one row
                log.exception("poll_failed")

    async def _employ_all(self) -> None:
        for one in await in_database(due):
            if one.endpoint_id in self._workers:
                self._workers[one.endpoint_id].look(one)  # its notification may have been lost
            else:
                self._employ(one.endpoint_id)

    async def _live_on(self) -> None:
        await self._clock.set()
        await in_database(beat, self._name)
        if self._workers and time.monotonic() >= self._renew_at:
            await in_database(renew, list(self._workers), self._name)
            self._renew_at = time.monotonic() + settings.OPSPORTAL.lease_renew_seconds

    async def _expire(self) -> None:
        await in_database(expire_due)

    async def _start(self) -> None:
        if await in_database(start_due):
            self._look.set()

    async def _drill(self) -> None:
        if await in_database(finish_drills):
            self._look.set()

    def _employ(self, endpoint_id: int) -> None:
        worker = Worker(endpoint_id, self._name, self._azure)
        task = asyncio.create_task(worker.run())
        self._workers[endpoint_id], self._tasks[endpoint_id] = worker, task
        task.add_done_callback(lambda done: self._dismiss(endpoint_id, done))

    def _dismiss(self, endpoint_id: int, task: asyncio.Task[None]) -> None:
        self._workers.pop(endpoint_id, None)
        self._tasks.pop(endpoint_id, None)
        self._look.set()  # a change may have started while this worker was leaving
        if not task.cancelled() and task.exception():
            log.error("worker_ended", endpoint=endpoint_id, cause=repr(task.exception()))

    async def _wind_down(self) -> None:
        for worker in self._workers.values():
            worker.stop()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def serve(stop: asyncio.Event) -> None:
    """Run until `stop` is set."""
    name = process_name()
    wake.origin.set(name)
    clock = SharedClock()
    async with connect(gateway_settings(), clock=clock) as azure:
        main = Main(azure, name, clock)
        running = asyncio.create_task(main.run())
        log.info("executor_started", name=name)
        bell = asyncio.create_task(stop.wait())
        await asyncio.wait({running, bell}, return_when=asyncio.FIRST_COMPLETED)
        bell.cancel()
        main.stop()
        await running
    log.info("executor_stopped", name=name)
