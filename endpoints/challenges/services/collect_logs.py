"""Reads the traffic logs that are due, and what models wrote: one question for many endpoints of a workspace.

A slice is rows that came in within some time. Its cursors move when all of it is stored: whoever is killed before reads
the same again, which changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from asgiref.sync import async_to_sync

from endpoints.azure_gateway.client import Azure, connect
from endpoints.azure_gateway.errors import Forbidden, GatewayError, LogMissing, Throttled
from endpoints.azure_gateway.limiter import Buckets
from endpoints.azure_gateway.records import LogPage, LogSpan
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.challenges.logrows import Places, answers, requests
from endpoints.challenges.recorded import Record, Source
from endpoints.challenges.services import log_cursors as cursors
from endpoints.challenges.services.log_cursors import CONSOLE, TRAFFIC, Claim, Lost, Target
from endpoints.challenges.services.take import Taken, take
from endpoints.dispatch import db_now
from endpoints.inventory.connection import gateway_settings
from endpoints.metrics.services.database import in_database

log = structlog.get_logger(__name__)

MOST_ENDPOINTS = 200
_SECONDS = 200.0
# Waiting for our own budget is no use here: what is due stays due.
_PATIENCE = 5.0
# A row may be found a little after the time at which it says that it came in.
_OVERLAP = timedelta(minutes=2)
_SLICE = timedelta(hours=6)
# Cursors that lag by less than this are read together, from where the last of them stands.
_TOGETHER = timedelta(minutes=10)
_Read = Callable[[LogSpan], Awaitable[LogPage[Any]]]


@dataclass(frozen=True, slots=True)
class Group:
    """Endpoints whose logs are in one Log Analytics workspace and were read about as far."""

    workspace: str
    targets: Sequence[Target]
    since: datetime
    claim: Claim


@dataclass(slots=True)
class Collected:
    """What one look at the logs brought."""

    endpoints: int = 0
    questions: int = 0
    rows: int = 0
    new: int = 0
    merged: int = 0
    refused: int = 0
    unreadable: int = 0
    failures: int = 0

    def took(self, taken: Taken) -> None:
        self.new += taken.new
        self.merged += taken.merged
        self.refused += len(taken.refused)


def collect_due(*, settings: GatewaySettings | None = None, buckets: Buckets | None = None) -> Collected:
    """Read every log that is due and in nobody's hands."""
    cursors.add_missing()
    targets, claim = cursors.claim()
    found = Collected(endpoints=len(targets))
    exported = [one for one in targets if one.workspace(TRAFFIC)]
    cursors.not_read(claim, [one for one in targets if not one.workspace(TRAFFIC)])
    if exported:
        own = replace(settings or gateway_settings(), patience=_PATIENCE)
        async_to_sync(_read)(list(groups(exported, claim, db_now())), found, own, buckets)
        log.info("logs_read", **{name: getattr(found, name) for name in Collected.__slots__})
    return found


def groups(targets: Sequence[Target], claim: Claim, now: datetime) -> Iterator[Group]:
    """Who is read with one question. Whoever lags far behind is read by himself, lest all others wait for him."""
    by_place: dict[tuple[str, datetime | None], list[Target]] = {}
    for one in targets:
        begins = cursors.begins(one, now)
        recent = one.read_until is not None and now - begins <= _TOGETHER
        by_place.setdefault((one.workspace(TRAFFIC), None if recent else begins), []).append(one)
    for (workspace, _), some in by_place.items():
        for first in range(0, len(some), MOST_ENDPOINTS):
            part = some[first : first + MOST_ENDPOINTS]
            since = min(
                cursors.begins(one, now) - (_OVERLAP if one.read_until else timedelta()) for one in part
            )
            yield Group(workspace, part, since, replace(claim))


async def _read(
    some: Sequence[Group], found: Collected, settings: GatewaySettings, buckets: Buckets | None
) -> None:
    """Group by group. What Azure says of one workspace concerns no other, but for a limit: that is the identity's."""
    until, throttled = await in_database(db_now), None
    loop = asyncio.get_running_loop()
    ends = loop.time() + _SECONDS
    async with connect(settings, buckets=buckets) as azure:
        for group in some:
            if throttled is not None:
                await _failed(group, throttled, found)
                continue
            try:
                async with asyncio.timeout_at(ends):
                    await in_database(cursors.renew, group.claim, group.targets)
                    await _group(azure, group, until, found)
            except Lost:
                log.warning("logs_claimed_by_another", workspace=group.workspace)
            except TimeoutError:
                said = GatewayError(f"Reading took longer than {_SECONDS:g} s and was given up.")
                await _failed(group, said, found)
            except (GatewayError, ValueError) as error:
                throttled = error if isinstance(error, Throttled) else None
                await _failed(group, error, found)
            except Exception as error:
                log.exception("logs_stopped", workspace=group.workspace)
                name = type(error).__name__
                said = GatewayError(
                    f"An error in the portal stopped the reading ({name}); its log says more."
                )
                await _failed(group, said, found)


async def _group(azure: Azure, group: Group, until: datetime, found: Collected) -> None:
    """Slice by slice: after failures in shorter ones, so that a log with very many rows gets on."""
    worst = max(one.failures for one in group.targets)
    length = max(_SLICE / 2 ** min(worst, 8), timedelta(minutes=1))
    targets, since = group.targets, group.since
    while since < until:
        end = min(since + length, until)
        await _slice(azure, group, LogSpan(since, end), found)
        await in_database(
            cursors.advance, group.claim, targets, since=group.since, until=end, done=end == until
        )
        targets = [replace(one, read_until=end, failures=0, reason="") for one in targets]
        since = end


async def _slice(azure: Azure, group: Group, span: LogSpan, found: Collected) -> None:
    places = Places(one.known for one in group.targets)
    names = sorted({one.name.lower() for one in group.targets})
    read = partial(azure.read_traffic_log, group.workspace, endpoints=names)
    await _pages(group, span, read, partial(requests, places=places), Source.LOG, found)
    for workspace in sorted({one.workspace(CONSOLE) for one in group.targets} - {""}):
        lines = Places(one.known for one in group.targets if one.workspace(CONSOLE) == workspace)
        with suppress(LogMissing):  # no container wrote a line so far
            said = partial(azure.read_model_lines, workspace)
            await _pages(group, span, said, partial(answers, places=lines), Source.MODEL, found)


async def _pages(
    group: Group,
    span: LogSpan,
    read: _Read,
    records: Callable[[Sequence[Any]], Sequence[Record]],
    source: Source,
    found: Collected,
) -> None:
    while True:
        page = await read(span)
        found.questions += 1
        found.rows += len(page.rows)
        found.unreadable += len(page.unreadable)
        if page.unreadable:
            log.warning("log_rows_unreadable", count=len(page.unreadable), first=page.unreadable[0].reason)
        found.took(await in_database(take, records(page.rows), source=source))
        if page.rest is None:
            return
        await in_database(cursors.renew, group.claim, group.targets)
        span = replace(span, after=page.rest)


async def _failed(group: Group, error: Exception, found: Collected) -> None:
    found.failures += len(group.targets)
    retry_after = error.retry_after if isinstance(error, Throttled) else None
    reason = _words(error, group.workspace)
    log.warning("logs_not_read", workspace=group.workspace, endpoints=len(group.targets), cause=reason)
    await in_database(
        cursors.failed, group.claim, group.targets, since=group.since, reason=reason, retry_after=retry_after
    )


def _words(error: Exception, workspace: str) -> str:
    where = f"Log Analytics workspace {workspace.rpartition('/')[2]}"
    if isinstance(error, Forbidden):
        return f"The portal may not query the {where}: it lacks {error.action}. {error}"
    return f"{where}: {error}"
