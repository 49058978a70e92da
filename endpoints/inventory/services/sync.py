"""One round of reading: claim what is due in a subscription, read it side by side, take it in as it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, ParamSpec, TypeVar

import structlog
from asgiref.sync import async_to_sync, sync_to_async

from endpoints.azure_gateway.client import Azure, connect
from endpoints.azure_gateway.errors import GatewayError, Throttled
from endpoints.azure_gateway.fleet import WorkspaceReading, read_workspace
from endpoints.azure_gateway.limiter import Buckets
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.core.clock import Clock
from endpoints.inventory.connection import gateway_settings
from endpoints.inventory.dbclock import DatabaseClock
from endpoints.inventory.models import SyncRun
from endpoints.inventory.services import targets
from endpoints.inventory.services.absorb import Absorbed, absorb, observe_again
from endpoints.inventory.services.targets import Shard, Target

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# Below the task's soft time limit: what is not read by then is recorded as failed, not killed.
ROUND_SECONDS = 200.0
# Several times within a claim.
RENEW_SECONDS = 5.0
COMPLETE, PARTIAL, FAILED = "complete", "partial", "failed"


def sync_shard(
    *, workspace_id: int, settings: GatewaySettings | None = None, buckets: Buckets | None = None
) -> int:
    """Read whatever is due in a workspace's subscription; returns how many workspaces were read.

    0 when nothing was due or somebody else is at it. `buckets` are the process's own unless given.
    """
    shard = targets.claim_shard(workspace_id)
    if shard is None:
        return 0
    try:
        async_to_sync(_read_shard)(shard, settings or gateway_settings(), buckets)
    except* targets.ClaimLost:
        log.warning("sync_claim_lost", workspace=workspace_id)
    finally:
        targets.release(shard.claim)
    return len(shard.targets)


async def _read_shard(shard: Shard, settings: GatewaySettings, buckets: Buckets | None) -> None:
    clock = await _in_database(DatabaseClock)
    claim = Claim(shard, clock)
    calls: dict[int, int] = {}

    async def one(target: Target) -> None:
        run = await _sync_one(azure, target, clock, claim)
        if run.outcome != FAILED:
            calls[target.workspace_id] = run.calls
        pace = targets.pace_of(shard, calls, settings.rates.read_refill)
        await _in_database(targets.finish, shard, run, pace)

    async with connect(settings, clock=clock, buckets=buckets) as azure:
        renewing = asyncio.create_task(_renew(claim))
        try:
            async with asyncio.TaskGroup() as group:
                for target in shard.targets:
                    group.create_task(one(target))
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)


class Claim:
    """Renews a shard's claim, but not more often than it needs to."""

    def __init__(self, shard: Shard, clock: Clock) -> None:
        self._shard = shard
        self._clock = clock
        self._renewed = clock.monotonic()

    def keep(self) -> None:
        """Renew if it is time. Raises ClaimLost when the claim went to somebody else."""
        if self._clock.monotonic() - self._renewed >= RENEW_SECONDS:
            targets.renew(self._shard)
            self._renewed = self._clock.monotonic()


async def _renew(claim: Claim) -> None:
    """While answers are waited for. That it was lost is found out, and acted upon, at the next item."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        with suppress(targets.ClaimLost):
            await _in_database(claim.keep)


async def _sync_one(azure: Azure, target: Target, clock: Clock, claim: Claim) -> SyncRun:
    run = SyncRun(workspace_id=target.workspace_id, trigger=target.trigger, started_at=clock.now())
    try:
        async with asyncio.timeout(ROUND_SECONDS):
            reading = await read_workspace(azure, target.arm_id)
            absorbed = await _in_database(absorb, target.workspace_id, reading, claim.keep)
            await _read_again(azure, target, absorbed)
        _succeeded(run, reading, absorbed)
    except (GatewayError, ValueError) as error:
        _failed(run, error, clock.now())
    except TimeoutError:
        _note(run, "TookTooLong", f"Reading it took longer than {ROUND_SECONDS:g} s and was given up.")
    except targets.ClaimLost:
        raise
    except Exception as error:
        log.exception("workspace_not_read", workspace=target.workspace_id)
        name = type(error).__name__
        _note(run, name, f"An error in the portal stopped the reading ({name}); its log says more.")
    run.ended_at = clock.now()
    log.info(
        "workspace_read",
        workspace=run.workspace_id,
        outcome=run.outcome,
        calls=run.calls,
        cause=run.error_code,
    )
    return run


async def _read_again(azure: Azure, target: Target, absorbed: Absorbed) -> None:
    """Answers that could not be ordered, once more. If others are faster again, theirs is the newer one."""
    for arm_id in dict.fromkeys(absorbed.stale):
        try:
            endpoint = await azure.get_endpoint(arm_id)
            deployments = await azure.list_deployments(arm_id)
            await _in_database(observe_again, target.workspace_id, endpoint, deployments)
        except GatewayError as error:
            absorbed.problems.add(arm_id, error.message)


def _succeeded(run: SyncRun, reading: WorkspaceReading, absorbed: Absorbed) -> None:
    run.outcome = PARTIAL if absorbed.problems else COMPLETE
    run.reads_began = reading.request_began
    run.reads_ended = max(
        (one.deployments.response_ended for one in reading.endpoints if one.deployments is not None),
        default=reading.response_ended,
    )
    run.reads_ended = max(run.reads_ended, reading.response_ended)
    run.endpoints, run.deployments = absorbed.endpoints, absorbed.deployments
    run.changes, run.calls = absorbed.changes, reading.calls
    run.unreadable = absorbed.problems.rows()
    run.azure_request_id = reading.azure_request_id


def _failed(run: SyncRun, error: Exception, now: datetime) -> None:
    _note(run, getattr(error, "code", "") or type(error).__name__, str(error))
    run.azure_request_id = getattr(error, "azure_request_id", "")
    if isinstance(error, Throttled) and error.retry_after is not None:
        run.retry_at = now + timedelta(seconds=error.retry_after)


def _note(run: SyncRun, code: str, text: str) -> None:
    run.outcome, run.error_code, run.error = FAILED, code, text


async def _in_database(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run in the thread that called `sync_shard`, with its connection: one after the other."""
    call: Any = sync_to_async(work, thread_sensitive=True)
    result: T = await call(*args, **kwargs)
    return result
