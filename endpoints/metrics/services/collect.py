"""One reading of a collector: claim it, read its endpoints side by side, store what came, tell how it went."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

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
from endpoints.metrics.services.minutes import Written, write_minutes
from endpoints.metrics.services.reading import MOST_AT_ONCE, Gathered, Target, gather
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
            await whole.read(azure)
    except TimeoutError:
        whole.note("TookTooLong", f"Reading took longer than {_SECONDS:g} s and was given up.")
    except GatewayError as error:
        whole.failed(error)
    except Exception as error:
        log.exception("metrics_not_read", collector=claimed.id)
        name = type(error).__name__
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
        self.retry_at: datetime | None = None

    async def read(self, azure: Azure) -> None:
        groups = [
            self.targets[first : first + MOST_AT_ONCE] for first in range(0, len(self.targets), MOST_AT_ONCE)
        ]
        places = asyncio.Semaphore(_GROUPS)

        async def one(group: list[Target]) -> None:
            async with places:
                await self._group(azure, group)

        await asyncio.gather(*(one(group) for group in groups))

    async def _group(self, azure: Azure, group: list[Target]) -> None:
        found = await gather(
            azure,
            group,
            region=self.claimed.region,
            since=self.stretch.since,
            until=self.stretch.until,
            by_batch=self.claimed.by_batch and not self.refused,
        )
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
        if found.refused is not None:
            self.refused = found.refused

    def failed(self, error: GatewayError) -> None:
        self.note(getattr(error, "code", "") or type(error).__name__, error.message)
        self.run.azure_request_id = error.azure_request_id
        if isinstance(error, Throttled) and error.retry_after is not None:
            self.retry_at = datetime.now(UTC) + timedelta(seconds=error.retry_after)

    def note(self, code: str, text: str) -> None:
        self.run.outcome, self.run.error_code, self.run.error = FAILED, code, text

    def end(self) -> None:
        """Write how it went. What was read before an error stays; the next reading begins where this one began."""
        if self.run.outcome == FAILED:
            state = State.THROTTLED if self.retry_at else State.UNREACHABLE
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
            retry_at=self.retry_at,
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
