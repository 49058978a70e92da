"""Channels with what waits in them, and deliveries with how they went: by page, newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q

from endpoints.core.errors import NotFound
from endpoints.notices.hosts import shown
from endpoints.notices.models import Channel, Delivery
from endpoints.notices.rows import ChannelRow, DeliveryRow, DeliveryState, Kind

PAGE = 50

OPEN = Q(sent_at=None, given_up_at=None)
_STATES = {
    DeliveryState.WAITING: OPEN & Q(reason=""),
    DeliveryState.FAILING: OPEN & ~Q(reason=""),
    DeliveryState.SENT: Q(sent_at__isnull=False),
    DeliveryState.GIVEN_UP: Q(sent_at=None, given_up_at__isnull=False),
}


@dataclass(frozen=True, slots=True)
class ChannelPage:
    """`before` goes on to the next page; None: this was the last."""

    rows: tuple[ChannelRow, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """As ChannelPage."""

    rows: tuple[DeliveryRow, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class _Counts:
    waiting: int = 0
    failing: int = 0
    given_up: int = 0
    last: datetime | None = None


def channels(*, ended: bool = False, before: int | None = None, limit: int = PAGE) -> ChannelPage:
    """Those in use, or those that were ended. Two queries."""
    found = Channel.objects.filter(ended_at__isnull=not ended).order_by("-pk")
    if before is not None:
        found = found.filter(pk__lt=before)
    several = list(found[: limit + 1])
    rows = _rows(several[:limit])
    return ChannelPage(rows, rows[-1].id if len(several) > limit else None)


def channel(number: int) -> ChannelRow:
    """One of them, in use or ended."""
    found = Channel.objects.filter(pk=number).first()
    if found is None:
        raise NotFound("There is no such channel.")
    return _rows([found])[0]


def deliveries(
    *,
    channel_id: int | None = None,
    state: DeliveryState | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> DeliveryPage:
    """What is, was or will be sent; of one channel, or in one state. One query."""
    found = Delivery.objects.select_related("message", "channel").order_by("-pk")
    if channel_id is not None:
        found = found.filter(channel_id=channel_id)
    if state is not None:
        found = found.filter(_STATES[state])
    if before is not None:
        found = found.filter(pk__lt=before)
    several = [_delivery(row) for row in found[: limit + 1]]
    rows = tuple(several[:limit])
    return DeliveryPage(rows, rows[-1].id if len(several) > limit else None)


def _rows(found: Iterable[Channel]) -> tuple[ChannelRow, ...]:
    several = list(found)
    counts = _counts([row.pk for row in several])
    return tuple(_channel(row, counts.get(row.pk, _Counts())) for row in several)


def _counts(ids: Collection[int]) -> dict[int, _Counts]:
    grouped = (
        Delivery.objects.filter(channel_id__in=ids)
        .values("channel_id")
        .annotate(
            waiting=Count("pk", filter=OPEN),
            failing=Count("pk", filter=_STATES[DeliveryState.FAILING]),
            given_up=Count("pk", filter=_STATES[DeliveryState.GIVEN_UP]),
            last=Max("sent_at"),
        )
    )
    return {
        one["channel_id"]: _Counts(one["waiting"], one["failing"], one["given_up"], one["last"])
        for one in grouped
    }


def _channel(row: Channel, counts: _Counts) -> ChannelRow:
    kind = Kind(row.kind)
    return ChannelRow(
        id=row.pk,
        workspace_id=row.workspace_id,
        kind=kind,
        name=row.name,
        address=shown(row.address) if kind is Kind.WEBHOOK else row.address,
        topics=tuple(row.topics),
        made_by=row.made_by,
        made_at=row.made_at,
        ended_by=row.ended_by,
        ended_at=row.ended_at,
        waiting=counts.waiting,
        failing=counts.failing,
        given_up=counts.given_up,
        last_sent_at=counts.last,
    )


def _delivery(row: Delivery) -> DeliveryRow:
    return DeliveryRow(
        id=row.pk,
        channel_id=row.channel_id,
        channel=row.channel.name,
        kind=Kind(row.channel.kind),
        topic=row.message.topic,
        subject=row.message.subject,
        link=row.message.link,
        state=_state(row),
        made_at=row.message.made_at,
        due_at=row.due_at,
        attempts=row.attempts,
        reason=row.reason,
        sent_at=row.sent_at,
        given_up_at=row.given_up_at,
    )


def _state(row: Delivery) -> DeliveryState:
    if row.sent_at is not None:
        return DeliveryState.SENT
    if row.given_up_at is not None:
        return DeliveryState.GIVEN_UP
    return DeliveryState.FAILING if row.reason else DeliveryState.WAITING
