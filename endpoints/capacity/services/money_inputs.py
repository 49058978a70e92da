"""What people tell the portal about money. The newest word counts, and every word before it stays on record."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

from endpoints.access.policies import Action, Principal, visible_workspaces
from endpoints.access.selectors import workspace
from endpoints.audit.services import record
from endpoints.capacity.models import PredictionValue, SpendPlan
from endpoints.capacity.services.finding_guards import permit, said, within
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.core.ids import ref
from endpoints.core.money import plain
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint

MOST = Decimal(1_000_000_000)
TEAM_LIMIT = 200
_WHY = "Say where this number comes from."


@transaction.atomic
def set_plan(
    *,
    principal: Principal,
    workspace_id: int,
    team: str = "",
    amount: Decimal | None,
    currency: str,
    reason: str,
) -> None:
    """So much may be spent each month from now on, by a team (its tag) or ("") in all; None takes a plan back."""
    visible(principal, workspace_id)
    words, code = said(reason, "reason", _WHY), currency_code(currency)
    whose = within(team, "team")
    if len(whose) > TEAM_LIMIT:
        raise Invalid({"team": [f"At most {TEAM_LIMIT} characters."]})
    number = None if amount is None else _amount(amount, places=2)
    rows = SpendPlan.objects.filter(workspace_id=workspace_id, team=whose, currency=code)
    before = rows.order_by("-pk").first()
    if (before.amount if before else None) == number:
        raise Conflict("This is how it is already. Nothing was stored.")
    SpendPlan.objects.create(
        workspace_id=workspace_id,
        team=whose,
        amount=number,
        currency=code,
        reason=words,
        made_by=principal.ref,
        made_at=db_now(),
    )
    record(
        actor=principal.actor,
        action="capacity.plan_set",
        subject=ref("workspace", workspace_id),
        workspace_id=workspace_id,
        before={"amount": _told(before.amount if before else None, code)},
        after={"team": whose, "amount": _told(number, code)},
        personal={"reason": words},
    )


@transaction.atomic
def set_value(
    *, principal: Principal, endpoint_id: int, amount: Decimal | None, currency: str, reason: str
) -> None:
    """What one prediction of an endpoint is worth from now on; None: it is not said any more."""
    endpoint = Endpoint.objects.filter(pk=endpoint_id).first()
    if endpoint is None or endpoint.workspace_id not in visible_workspaces(principal, Action.CAPACITY_VIEW):
        raise NotFound("There is no such endpoint, or not for you.")
    permit(principal, Action.CAPACITY_RULES, endpoint.workspace_id)
    words, code = said(reason, "reason", _WHY), currency_code(currency)
    number = None if amount is None else _amount(amount, places=6)
    before = PredictionValue.objects.filter(endpoint_id=endpoint_id).order_by("-pk").first()
    stood = (before.amount, before.currency) if before and before.amount is not None else (None, code)
    if stood == (number, code):
        raise Conflict("This is how it is already. Nothing was stored.")
    PredictionValue.objects.create(
        endpoint=endpoint,
        amount=number,
        currency=code,
        reason=words,
        made_by=principal.ref,
        made_at=db_now(),
    )
    record(
        actor=principal.actor,
        action="capacity.value_set",
        subject=ref("endpoint", endpoint_id),
        workspace_id=endpoint.workspace_id,
        endpoint=ref("endpoint", endpoint_id),
        before={"amount": _told(*stood)},
        after={"amount": _told(number, code)},
        personal={"reason": words},
    )


def visible(principal: Principal, workspace_id: int) -> None:
    """NotFound for who may not see the workspace's capacity, Refused for who may not say what counts there."""
    if workspace_id not in visible_workspaces(principal, Action.CAPACITY_VIEW):
        raise NotFound(f"There is no workspace {workspace(workspace_id).slug}, or you have no role on it.")
    permit(principal, Action.CAPACITY_RULES, workspace_id)


def currency_code(text: str) -> str:
    """An ISO 4217 code in capitals. Invalid for anything else."""
    code = text.strip().upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise Invalid({"currency": ["Give the currency's three letters, such as EUR."]})
    return code


def _amount(amount: Decimal, *, places: int) -> Decimal:
    if not amount.is_finite() or not 0 <= amount <= MOST:
        raise Invalid({"amount": [f"Give an amount from 0 to {MOST:,}."]})
    if amount != amount.quantize(Decimal(1).scaleb(-places)):
        raise Invalid({"amount": [f"At most {places} decimals."]})
    return amount


def _told(amount: Decimal | None, currency: str) -> str:
    """As text, for the ledger holds no fractions."""
    return "none" if amount is None else f"{plain(amount)} {currency}"
