"""Hand over the evidence of a case: one ZIP that convinces whoever trusts nobody here. That it left is on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.audit import signing
from endpoints.audit.actors import Actor
from endpoints.audit.services import make_checkpoint, record
from endpoints.challenges.models import Case
from endpoints.challenges.selectors.pack import Gathered, gather, pack_of
from endpoints.challenges.services.case_guards import lock_case, permit
from endpoints.core.ids import ref
from endpoints.dispatch import db_now


@dataclass(frozen=True, slots=True)
class Pack:
    """The ZIP, and the SHA-256 that the ledger recorded of it. `is_signed`: a key signs this installation's packs."""

    filename: str
    data: bytes
    sha256: str
    is_signed: bool


@transaction.atomic
def evidence_pack(case_id: int, *, actor: Principal) -> Pack:
    """Everything about the case as it is now. Unavailable when a key is set and can't be used: nothing left then."""
    case = lock_case(case_id, actor)
    permit(actor, Action.PACK_EXPORT, case.workspace_id)
    # Locked: nothing happens to the case between its entries and the checkpoint that is to cover them.
    gathered = gather(case, actor)
    signed = signing.has_key()
    if signed:
        make_checkpoint(actor=actor.actor)
    made_at = db_now()
    data = _assembled(gathered, made_at, signed)
    digest = sha256(data).hexdigest()
    _enter(actor.actor, case, digest, len(data), signed)
    return Pack(f"evidence-CH-{case.pk}-{made_at:%Y%m%dT%H%M%SZ}.zip", data, digest, signed)


def _assembled(gathered: Gathered, made_at: datetime, signed: bool) -> bytes:
    # The PDF library takes a while to load, and most processes never make a pack.
    from endpoints.challenges.pack.assemble import assemble
    from endpoints.challenges.pack.parts import Signer

    signer = Signer(signing.public_key(), signing.sign) if signed else None
    return assemble(pack_of(gathered, made_at), signer)


def _enter(actor: Actor, case: Case, digest: str, size: int, signed: bool) -> None:
    record(
        actor=actor,
        action="evidence.exported",
        subject=ref("case", case.pk),
        workspace_id=case.workspace_id,
        endpoint=ref("endpoint", case.endpoint_id) if case.endpoint_id else "",
        after={"sha256": digest, "bytes": size, "signed": signed},
    )
