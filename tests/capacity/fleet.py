"""Rows of a fleet with a history, as mirror, rollups and price lists keep them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count

from endpoints.access.models import Workspace
from endpoints.inventory.models import Deployment, DeploymentRevision, Endpoint, EndpointRevision
from endpoints.metrics.points import MinuteRow
from endpoints.metrics.services import roll_up, write_hours
from endpoints.prices.catalogue import SOURCE
from endpoints.prices.models import SkuPrice
from tests.inventory.support import make_workspace
from tests.metrics.storing import values

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
SKU, OTHER_SKU = "Standard_DS3_v2", "Standard_NC6s_v3"
_numbers = count(1)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def workspace(region: str = "westeurope") -> Workspace:
    place = make_workspace()
    Workspace.objects.filter(pk=place.pk).update(region=region)
    place.refresh_from_db()
    return place


def priced(
    place: Workspace,
    amount: str | None,
    at: datetime,
    *,
    sku: str = SKU,
    currency: str = "USD",
    source: str = SOURCE,
) -> SkuPrice:
    """A price that was read at a moment; None: from then on the list named none."""
    return SkuPrice.objects.create(
        subscription=place.subscription_id,
        region=place.region,
        sku=sku.lower(),
        amount=None if amount is None else Decimal(amount),
        currency="" if amount is None else currency,
        source=source,
        seen_at=at,
    )


def endpoint(
    place: Workspace,
    name: str = "risk",
    *,
    created: datetime,
    traffic: Mapping[str, int] | None = None,
    mirror: Mapping[str, int] | None = None,
    owner: str = "risk@example.org",
    team: str = "risk",
    deleted: datetime | None = None,
) -> Endpoint:
    key = f"{place.arm_key}/onlineendpoints/{name}"
    tags = {name: value for name, value in (("owner", owner), ("team", team)) if value}
    row = Endpoint.objects.create(
        workspace=place, name=name, name_key=name, arm_id=key, arm_key=key, owner=owner, tags=tags,
        azure_created_at=created, first_seen_at=created, last_read_began=created, last_read_ended=created,
        deleted_at=deleted,
    )  # fmt: skip
    split(row, created, traffic if traffic is not None else {"blue": 100}, mirror)
    return row


def split(
    row: Endpoint, at: datetime, live: Mapping[str, int], mirror: Mapping[str, int] | None = None
) -> None:
    """From a moment on the endpoint had these weights."""
    EndpointRevision.objects.create(
        endpoint=row, latest=at, known_at=at, state_hash=str(next(_numbers)),
        state={"traffic": dict(live), "mirror_traffic": dict(mirror or {})},
    )  # fmt: skip


def deployment(
    parent: Endpoint,
    name: str = "blue",
    *,
    created: datetime,
    seen: datetime | None = None,
    deleted: datetime | None = None,
    instances: int | None = 2,
    sku: str = SKU,
    state: str = "Succeeded",
) -> Deployment:
    """`seen`: when it was read first; `deleted`: when a read missed it."""
    first = seen or created
    key = f"{parent.arm_key}/deployments/{name}"
    row = Deployment.objects.create(
        endpoint=parent, name=name, name_key=name, arm_id=key, arm_key=key, provisioning_state=state,
        azure_created_at=created, first_seen_at=first, last_read_began=first, last_read_ended=first,
        deleted_at=deleted,
    )  # fmt: skip
    scaled(row, first, instances, sku=sku, state=state)
    if deleted is not None:
        DeploymentRevision.objects.create(
            deployment=row, latest=deleted, known_at=deleted, state_hash="", state={}, deleted=True
        )
    return row


def scaled(
    row: Deployment, at: datetime, instances: int | None, *, sku: str = SKU, state: str = "Succeeded"
) -> None:
    """A read at this moment showed so many instances; None: Azure did not say."""
    told = {"instance_type": sku, "provisioning_state": state}
    if instances is not None:
        told |= {"instance_count": instances}  # type: ignore[dict-item]
    DeploymentRevision.objects.create(
        deployment=row, latest=at, known_at=at, state_hash=str(next(_numbers)), state=told
    )


def measured(
    row: Deployment,
    minutes: Iterable[datetime],
    *,
    requests: float | None = 0.0,
    instances: float | None = 2.0,
) -> list[MinuteRow]:
    """Minutes of metrics, to be given to `keep` with all others of their hours."""
    return [
        MinuteRow(row.pk, int(at.timestamp()), values(requests=requests, instances=instances))
        for at in minutes
    ]


def keep(*told: list[MinuteRow]) -> None:
    """Roll minutes up into hours and days, as the room of metrics does it."""
    write_hours([row for rows in told for row in rows])
    roll_up()


def minutes(since: datetime, until: datetime) -> list[datetime]:
    return [since + at * MINUTE for at in range(round((until - since) / MINUTE))]
