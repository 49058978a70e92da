"""One reading of a collector: claim it, read its endpoints side by side, store what came, tell how it went."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from asgiref.sync import async_to_sync
from django.conf import settings as django_settings

from endpoints.azure_gateway.client import Azure, connect
from endpoints.azure_gateway.errors import GatewayError, Throttled
from endpoints.azure_gateway.limiter import Buckets
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.inventory.connection import gateway_settings
from endpoints.metrics import lag
from endpoints.metrics.models import CollectorRun
from endpoints.metrics.services import backfill, collectors, latest
from endpoints.metrics.services.collectors import Claimed
from endpoints.metrics.services.database import in_database
from endpoints.metrics.services.groups import Group, groups
from endpoints.metrics.services.minutes import Written, write_minutes
from endpoints.metrics.services.reading import Gathered, Target, gather
from endpoints.metrics.services.reading_list import targets_of
from endpoints.metrics.telemetry import State

log = structlog.get_logger(__name__)

# Groups of 50 endpoints under way at once: while Azure thinks about one, another is folded and stored.
_GROUPS = 3
_SECONDS = 200.0
COMPLETE, PARTIAL, FAILED = "complete", "partial", "failed"
_LONGEST_LIST = 200


def collect(
    *, collector_id: int, settings: GatewaySettings | None = None, buckets: Buckets | None = None
) -> CollectorRun | None:
    """Read a collector that is due; None when it is not, or when somebody else reads it."""
    claimed = collectors.claim(collector_id)
    if claimed is None:
        return None
    try:
        return async_to_sync(_read)(claimed, settings or gateway_settings(), buckets)
    finally:
        collectors.release(claimed)


async def _read(claimed: Claimed, settings: GatewaySettings, buckets: Buckets | None) -> CollectorRun:
    reread = timedelta(minutes=django_settings.OPSPORTAL.metrics_reread_minutes)
    stretch = lag.stretch(claimed.now, claimed.complete_until, reread=reread)
    targets = await in_database(targets_of, claimed.subscription, claimed.region)
    whole = _Whole(claimed, stretch, targets)
    try:
        async with asyncio.timeout(_SECONDS), connect(settings, buckets=buckets) as azure:
            await whole.read(azure, groups(targets, stretch, reread=reread))
    except TimeoutError:
        whole.note("TookTooLong", f"Reading took longer than {_SECONDS:g} s and was given up.")
    except GatewayError as error:
        whole.failed(error)
    except Exception as error:
        log.exception("metrics_not_read", collector=claimed.id)
        cause = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
        name = type(cause).__name__
        whole.note(name, f"An error in the portal stopped the reading ({name}); its log says more.")
    await in_database(whole.end)
    return whole.run


class _Whole:
    """A reading in the making, over all groups of endpoints."""

    def __init__(self, claimed: Claimed, stretch: lag.Stretch, targets: list[Target]) -> None:
        self.claimed, self.stretch, self.targets = claimed, stretch, targets
        self.run = CollectorRun(
            collector_id=claimed.id,
            started_at=claimed.now,
            since=stretch.since,
            until=stretch.until,
            outcome=COMPLETE,
        )
        self.written = Written()
        self.troubles: dict[int, tuple[State, str]] = {}
        self.read_endpoints: set[int] = set()
        self.refused: str | None = None
        self.throttled = False
        self.retry_after: float | None = None

    async def read(self, azure: Azure, some: list[Group]) -> None:
        """Group by group. An error that concerns them all ends it; what is under way then still counts."""
        places = asyncio.Semaphore(_GROUPS)

        async def one(group: Group) -> None:
            async with places:
                if self.run.outcome == FAILED:
                    return
                try:
                    await self._group(azure, group)
                except GatewayError as error:
                    self.failed(error)

        async with asyncio.TaskGroup() as tasks:
            for group in some:
                tasks.create_task(one(group))

    async def _group(self, azure: Azure, group: Group) -> None:
        if group.sample is None:
            await self._some(azure, group.targets, group.since)
            return
        await self._some(azure, [group.sample], group.since, alone=True)
        rest = [one for one in group.targets if one is not group.sample]
        if rest and group.sample.endpoint_id not in self.troubles:
            await self._some(azure, rest, group.since, alone=True)
        else:
            self.troubles |= {one.endpoint_id: one.trouble for one in rest if one.trouble is not None}

    async def _some(
        self, azure: Azure, group: Sequence[Target], since: datetime, *, alone: bool = False
    ) -> None:
        """Read and store. `alone`: what these are refused says nothing of all others."""
        found = await gather(
            azure,
            group,
            region=self.claimed.region,
            since=since,
            until=self.stretch.until,
            by_batch=self.claimed.by_batch and not self.refused,
        )
        if alone:
            found.refused = None
        written = await in_database(write_minutes, found.rows)
        if not await in_database(collectors.renew, self.claimed):
            raise GatewayError("Somebody else reads this collector now.")
        self._took(found, written)
        self.read_endpoints.update(target.endpoint_id for target in group)

    def _took(self, found: Gathered, written: Written) -> None:
        self.written += written
        self.troubles.update(found.troubles)
        self.run.calls += found.calls
        self.run.points += found.points
        self.run.azure_request_id = found.azure_request_id or self.run.azure_request_id
        self.run.unreadable += [{"item": one.item, "reason": one.reason} for one in found.unreadable]
        self.run.truncated += found.truncated
        if found.refused is not None and self.refused != "":  # once it was served, it is to be had
            self.refused = found.refused

    def failed(self, error: GatewayError) -> None:
        self.note(getattr(error, "code", "") or type(error).__name__, error.message)
        self.run.azure_request_id = error.azure_request_id
        if isinstance(error, Throttled):
            self.throttled, self.retry_after = True, error.retry_after

    def note(self, code: str, text: str) -> None:
        self.run.outcome, self.run.error_code, self.run.error = FAILED, code, text

    def end(self) -> None:
        """Write how it went. What was read before an error stays; the next reading begins where this one began."""
        if self.run.outcome == FAILED:
            state = State.THROTTLED if self.throttled else State.UNREACHABLE
            missed = {one.endpoint_id for one in self.targets} - self.read_endpoints
            self.troubles |= dict.fromkeys(missed, (state, self.run.error))
        elif self.troubles or self.run.unreadable or self.run.truncated:
            self.run.outcome = PARTIAL
        self.run.rows, self.run.rows_changed = self.written.rows, self.written.changed
        self.run.unreadable = self.run.unreadable[:_LONGEST_LIST]
        self.run.truncated = self.run.truncated[:_LONGEST_LIST]
        known = {one.endpoint_id: tuple(one.deployments) for one in self.targets}
        self.run.lag_seconds = latest.refresh(known, troubles=self.troubles, read=self.read_endpoints)
        self.run.ended_at = latest.moment()
        done = self.run.outcome != FAILED
        if done and self.stretch.gap:
            backfill.fill_gap(self.claimed.id, *self.stretch.gap)
        collectors.finish(
            self.claimed,
            self.run,
            complete_until=self.stretch.until if done else None,
            retry_at=None
            if self.retry_after is None
            else self.run.ended_at + timedelta(seconds=self.retry_after),
            refused=self.refused,
        )
        log.info(
            "metrics_read",
            collector=self.claimed.id,
            outcome=self.run.outcome,
            calls=self.run.calls,
            points=self.run.points,
            changed=self.run.rows_changed,
            cause=self.run.error_code,
        )
