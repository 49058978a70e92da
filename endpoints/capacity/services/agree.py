"""A contract's share off list prices: made, and ended, never edited. The days that it touches are made anew."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from endpoints.access.policies import Action, Principal, visible_workspaces
from endpoints.audit.services import record
from endpoints.capacity.models import Agreement
from endpoints.capacity.services.finding_guards import permit, said
from endpoints.capacity.services.money_inputs import visible
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.prices.catalogue import region_key

_PLACES = Decimal("0.000001")
_LONGEST_NAME = 100


@transaction.atomic
def agree(
    *,
    principal: Principal,
    workspace_id: int,
    sku: str = "",
    region: str = "",
    share: Decimal,
    since: datetime,
    until: datetime | None = None,
    reason: str,
) -> int:
    """The agreement's number. `share` 0.15 is 15 percent off a size in a region, "" for all."""
    visible(principal, workspace_id)
    words = said(reason, "reason", "Say which contract this comes from.")
    if not share.is_finite() or not 0 < share <= 1 or share != share.quantize(_PLACES):
        raise Invalid(
            {"share": ["Give a share above 0, up to 1, with at most six decimals: 0.15 is 15 percent off."]}
        )
    if until is not None and until <= since:
        raise Invalid({"until": ["It has to end after it begins."]})
    size, place = sku.strip().lower(), region_key(region.strip())
    for name, text in (("sku", size), ("region", place)):
        if len(text) > _LONGEST_NAME:
            raise Invalid({name: [f"At most {_LONGEST_NAME} characters."]})
    row = Agreement.objects.create(
        workspace_id=workspace_id,
        sku=size,
        region=place,
        share=share,
        since=since,
        until=until,
        reason=words,
        made_by=principal.ref,
        made_at=db_now(),
    )
    record(
        actor=principal.actor,
        action="capacity.agreed",
        subject=ref("agreement", row.pk),
        workspace_id=workspace_id,
        after={
            "sku": size,
            "region": place,
            "share": f"{share.normalize():f}",
            "since": since.isoformat(),
            "until": until.isoformat() if until else "",
        },
        personal={"reason": words},
    )
    return row.pk


@transaction.atomic
def end_agreement(*, principal: Principal, agreement_id: int, reason: str) -> None:
    """It counts for no time after now; what it lowered before stays as it is."""
    row = Agreement.objects.select_for_update(no_key=True).filter(pk=agreement_id).first()
    if row is None or row.workspace_id not in visible_workspaces(principal, Action.CAPACITY_VIEW):
        raise NotFound("There is no such agreement, or not for you.")
    permit(principal, Action.CAPACITY_RULES, row.workspace_id)
    words = said(reason, "reason", "Say why it ends.")
    now = db_now()
    if row.ended_at is not None or (row.until is not None and row.until <= now):
        raise Conflict("This agreement is over already. Nothing was changed.")
    Agreement.objects.filter(pk=row.pk).update(ended_at=now, ended_by=principal.ref)
    record(
        actor=principal.actor,
        action="capacity.agreement_ended",
        subject=ref("agreement", row.pk),
        workspace_id=row.workspace_id,
        after={"ended_at": now.isoformat()},
        personal={"reason": words},
    )
