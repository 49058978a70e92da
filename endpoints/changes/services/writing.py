"""Write a new change down, whatever it is for: its row, its first content, its checks; then it is people's turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings

from endpoints.access.policies import Principal
from endpoints.audit.actors import Actor
from endpoints.changes.checks import run
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.models import Change
from endpoints.changes.plan import Base, Step
from endpoints.changes.selectors.probes import sample_of
from endpoints.changes.selectors.situation import situation_of
from endpoints.changes.services.moves import born, move
from endpoints.changes.services.people import person_id
from endpoints.changes.services.revise import add_note, add_revision, keep_checks, state_after_checks
from endpoints.changes.terms import Terms
from endpoints.dispatch import after_commit, db_now
from endpoints.inventory.selectors import EndpointFacts

PROBE_CHANGE = "changes.probe"


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for, and by whom. `steps` have no problems on `base`. `origin`: a higher room's row, opaque."""

    principal: Principal
    endpoint: EndpointFacts
    kind: Kind
    base: Base
    steps: tuple[Step, ...]
    reason: str
    terms: Terms = field(default_factory=Terms)
    key: str = ""
    origin: str = ""


def write_down(order: Order) -> int:
    """The change's number, checked and presented; the caller has locked the lease and decided who may."""
    author_id, actor, now = person_id(order.principal), order.principal.actor, db_now()
    change = Change.objects.create(
        endpoint_id=order.endpoint.id,
        workspace_id=order.endpoint.workspace_id,
        kind=order.kind,
        state=State.CHECKING,
        author_id=author_id,
        origin=order.origin,
        idempotency_key=order.key,
        created_at=now,
        approval_expires_at=now + timedelta(hours=settings.OPSPORTAL.approval_ttl_hours),
    )
    revision = add_revision(
        change=change, editor_id=author_id, steps=order.steps, base=order.base, terms=order.terms
    )
    add_note(change=change, author_id=author_id, kind="reason", text=order.reason)
    born(
        change=change,
        actor=actor,
        facts={
            "plan": [step.for_ledger() for step in order.steps],
            "base": revision.base,
            "terms": order.terms.for_ledger(),
            "hash": revision.content_hash,
        }
        | ({"origin": order.origin} if order.origin else {}),
        personal={"reason": order.reason},
    )
    check_and_present(change=change, actor=actor)
    return change.pk


def check_and_present(*, change: Change, actor: Actor) -> None:
    """From checking to people, or held with the reason; what can be asked directly is, and judged again then."""
    worst = keep_checks(change=change, moment="request", verdicts=run(situation_of(change)))
    if sample_of(change.endpoint_id) is not None:
        after_commit(PROBE_CHANGE, change.pk)
    move(
        change=change, to=state_after_checks(worst), actor=actor, reason=worst.reason if worst.blocks else ""
    )
