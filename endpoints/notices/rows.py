"""What this room's selectors hand out: frozen rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """How messages travel."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    """`WAITING`: not tried yet. `FAILING`: tried, and tried again at `due_at`. `GIVEN_UP`: nobody tries any more."""

    WAITING = "waiting"
    FAILING = "failing"
    SENT = "sent"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """Where messages go. `address` is as it may be shown: of a webhook, host and end. `workspace_id` None: of all.

    `waiting` counts what is not sent yet, `failing` what of it was tried already, `given_up` what never will be.
    `last_sent_at` None: nothing arrived yet.
    """

    id: int
    workspace_id: int | None
    kind: Kind
    name: str
    address: str
    topics: tuple[str, ...]
    made_by: str
    made_at: datetime
    ended_by: str
    ended_at: datetime | None
    waiting: int
    failing: int
    given_up: int
    last_sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One message on its way through one channel. `reason`: why the last attempt failed."""

    id: int
    channel_id: int
    channel: str
    kind: Kind
    topic: str
    subject: str
    link: str
    state: DeliveryState
    made_at: datetime
    due_at: datetime
    attempts: int
    reason: str
    sent_at: datetime | None
    given_up_at: datetime | None
