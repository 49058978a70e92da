"""Channels made, ended and tried out. A ledger entry each; the address is personal text there."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction

from endpoints.access.policies import Action, Principal, require
from endpoints.access.selectors import workspace
from endpoints.audit.services import record
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.notices import mail
from endpoints.notices.hosts import target
from endpoints.notices.models import Channel, Delivery
from endpoints.notices.rows import Kind
from endpoints.notices.selectors.channels import OPEN
from endpoints.notices.selectors.means import means
from endpoints.notices.services.publish import put
from endpoints.notices.signing import channel_key
from endpoints.notices.topics import TEST, unfit

NAME_LIMIT = 80
REASON_LIMIT = 2000
MOST_CHANNELS = 100
ENDED = "The channel was ended."


@dataclass(frozen=True, slots=True)
class Added:
    """`signing_key`: what a webhook's receiver checks signatures with; "" for mail. It is stored nowhere."""

    channel_id: int
    signing_key: str


def add_channel(
    *,
    principal: Principal,
    kind: str,
    name: str,
    address: str,
    topics: Sequence[str],
    workspace_id: int | None = None,
) -> Added:
    """Send messages of these topics there from now on; of one workspace, or (None) of all and of the installation."""
    require(principal, Action.NOTICES_MANAGE)
    wanted = list(dict.fromkeys(topics))
    where = address.strip()
    _check(kind, name.strip(), where, wanted, workspace_id)
    try:
        with transaction.atomic():
            row = _add(principal, kind, name.strip(), where, wanted, workspace_id)
    except IntegrityError as error:
        raise Conflict(
            "Messages go to this address already; end that channel first. Nothing was added."
        ) from error
    return Added(row.pk, _key(row) if row.kind == Kind.WEBHOOK else "")


@transaction.atomic
def end_channel(*, principal: Principal, channel_id: int, reason: str = "") -> None:
    """Send nothing there any more. What waits is not sent; what was sent stays on record."""
    row = _standing(principal, channel_id)
    if len(reason.strip()) > REASON_LIMIT:
        raise Invalid({"reason": [f"At most {REASON_LIMIT} characters; these are {len(reason.strip())}."]})
    now = db_now()
    Channel.objects.filter(pk=row.pk).update(ended_at=now, ended_by=principal.ref)
    Delivery.objects.filter(OPEN, channel=row).update(given_up_at=now, reason=ENDED)
    record(
        actor=principal.actor,
        action="channel.ended",
        subject=ref("channel", row.pk),
        workspace_id=row.workspace_id,
        personal={"reason": reason.strip()},
    )


@transaction.atomic
def test_channel(*, principal: Principal, channel_id: int) -> int:
    """Send a message to this channel alone; returns the delivery's id, where what became of it is told."""
    row = _standing(principal, channel_id)
    message = put(
        topic=TEST,
        key=f"{ref('channel', row.pk)}:{secrets.token_hex(8)}",
        subject="A test of this channel",
        text="Somebody tries whether messages of the portal arrive here. Nothing is to be done.",
        link="/settings/notices",
        channels=[row.pk],
    )
    record(
        actor=principal.actor,
        action="channel.tested",
        subject=ref("channel", row.pk),
        workspace_id=row.workspace_id,
    )
    return Delivery.objects.get(message_id=message, channel=row).pk


@transaction.atomic
def signing_key(*, principal: Principal, channel_id: int) -> str:
    """The key of a webhook once more, for its receiver. That somebody looked at it is on record."""
    row = _standing(principal, channel_id)
    if row.kind != Kind.WEBHOOK:
        raise Conflict("Mail is not signed, so this channel has no key.")
    record(
        actor=principal.actor,
        action="channel.key_shown",
        subject=ref("channel", row.pk),
        workspace_id=row.workspace_id,
    )
    return _key(row)


def _add(
    principal: Principal,
    kind: str,
    name: str,
    address: str,
    topics: list[str],
    workspace_id: int | None,
) -> Channel:
    if Channel.objects.filter(ended_at=None).count() >= MOST_CHANNELS:
        raise Conflict(f"There are {MOST_CHANNELS} channels already; end one first. Nothing was added.")
    row = Channel.objects.create(
        workspace_id=workspace_id,
        kind=kind,
        name=name,
        address=address,
        topics=topics,
        made_by=principal.ref,
        made_at=db_now(),
    )
    record(
        actor=principal.actor,
        action="channel.added",
        subject=ref("channel", row.pk),
        workspace_id=workspace_id,
        after={"kind": kind, "topics": topics},
        personal={"name": address, "comment": name},
    )
    return row


def _check(kind: str, name: str, address: str, topics: Collection[str], workspace_id: int | None) -> None:
    wrong: dict[str, list[str]] = {}
    if not 1 <= len(name) <= NAME_LIMIT or not name.isprintable():
        wrong["name"] = [f"Give it a name of at most {NAME_LIMIT} characters, on one line."]
    if kind not in Kind.__members__.values():
        wrong["kind"] = [f"Messages travel as {' or '.join(Kind)}."]
    elif said := _address_refused(Kind(kind), address):
        wrong["address"] = [said]
    if said := unfit(topics, of_workspace=workspace_id is not None):
        wrong["topics"] = [said]
    if workspace_id is not None and not _is_connected(workspace_id):
        wrong["workspace"] = ["There is no such workspace, or it is disconnected."]
    if wrong:
        raise Invalid(wrong)


def _address_refused(kind: Kind, address: str) -> str:
    if kind is Kind.WEBHOOK:
        try:
            target(address, settings.OPSPORTAL.webhook_hosts)
        except ValueError as error:
            return str(error)
        return ""
    if not mail.is_address(address):
        return "Give one mail address, such as team@example.org."
    return means().no_mail


def _is_connected(workspace_id: int) -> bool:
    try:
        return workspace(workspace_id).disconnected_at is None
    except NotFound:
        return False


def _standing(principal: Principal, channel_id: int) -> Channel:
    """The channel, locked, if the person may manage it and it was not ended."""
    require(principal, Action.NOTICES_MANAGE)
    row = Channel.objects.select_for_update(no_key=True).filter(pk=channel_id).first()
    if row is None:
        raise NotFound("There is no such channel.")
    if row.ended_at is not None:
        raise Conflict("This channel was ended by now. Nothing was done.")
    return row


def _key(row: Channel) -> str:
    return channel_key(settings.OPSPORTAL.secret_key.get_secret_value(), row.pk)
