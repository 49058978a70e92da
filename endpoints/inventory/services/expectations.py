"""Writes that are about to be sent, so that their result is not taken for somebody else's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Q

from endpoints.core import traffic as splits
from endpoints.dispatch import db_now
from endpoints.inventory.drift import Expected
from endpoints.inventory.models import EndpointRevision, ExpectedWrite

PUT_SPLIT = "put_split"
DELETE_ENDPOINT = "delete_endpoint"
DELETE_DEPLOYMENT = "delete_deployment"


def expect_write(
    *,
    endpoint_id: int,
    cause: str,
    attempt: str,
    traffic: Mapping[str, int],
    mirror: Mapping[str, int] | None,
    verb: str,
    seconds: float,
    deployment: str = "",
) -> int:
    """Announce a write before it is sent, and return the announcement's id.

    A state that shows `traffic` (and `mirror`, or the mirror as it was when that is None) and that began
    before `seconds` from now is then `cause`'s. Announce, commit, then send.
    """
    now = db_now()
    row = ExpectedWrite.objects.create(
        endpoint_id=endpoint_id,
        cause=cause,
        attempt=attempt,
        verb=verb,
        deployment=deployment,
        traffic=splits.normalise(traffic),
        mirror=None if mirror is None else splits.normalise(mirror),
        created_at=now,
        expires_at=now + timedelta(seconds=seconds),
    )
    return row.pk


def cancel_expected(expected_id: int) -> bool:
    """Take an announcement back, because the write was certainly not applied; False when it was
    matched before.
    """
    open_ones = ExpectedWrite.objects.filter(pk=expected_id, matched_at=None, cancelled_at=None)
    return open_ones.update(cancelled_at=db_now()) == 1


def cancel_all_expected(endpoint_id: int) -> int:
    """Take back whatever still stands for an endpoint: nobody here owns its traffic any more. How many there were."""
    open_ones = ExpectedWrite.objects.filter(endpoint_id=endpoint_id, matched_at=None, cancelled_at=None)
    return open_ones.update(cancelled_at=db_now())


def open_between(
    endpoint_id: int, since: datetime | None, until: datetime, verb: str, deployment: str = ""
) -> list[Expected]:
    """Announcements that stood at some moment of an interval, and that nothing has matched yet."""
    stood = Q(created_at__lte=until)
    if since is not None:
        stood &= Q(expires_at__gte=since)
    rows = ExpectedWrite.objects.filter(
        stood, endpoint_id=endpoint_id, matched_at=None, cancelled_at=None, verb=verb
    ).filter(deployment=deployment)
    return [Expected(row.pk, row.cause, row.traffic, row.mirror, row.created_at) for row in rows]


def matched(expected: Expected, revision: EndpointRevision | None, now: datetime) -> None:
    """The write was seen. A delete of a deployment leaves no revision of the endpoint."""
    ExpectedWrite.objects.filter(pk=expected.id).update(matched_at=now, revision=revision)
