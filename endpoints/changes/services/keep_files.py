"""Keep what a change is about to delete, as files that make it anew. Without them nothing is deleted."""

from __future__ import annotations

from hashlib import sha256

from endpoints.audit.actors import Actor
from endpoints.changes.models import Change, ChangeRevision, KeptFile
from endpoints.changes.plan import base_from_json, steps_from_json
from endpoints.changes.selectors.kept import missing_files, to_keep
from endpoints.changes.services.moves import tell_ledger
from endpoints.dispatch import db_now


def keep_files(change: Change, *, step: int, actor: Actor) -> None:
    """Of what step number `step` deletes; nothing where it deletes nothing, or where all is kept already.

    What can't be told for sure is not kept, which holds the step. The caller's transaction moves the change to it.
    """
    revision = ChangeRevision.objects.get(change=change, number=change.revision)
    order = steps_from_json(revision.plan)[step]
    missing = missing_files(change.pk, change.endpoint_id, order)
    if not missing:
        return
    found = to_keep(str(change), change.endpoint_id, base_from_json(revision.base), order)
    files, now = [file for file in found.files if file.name in missing], db_now()
    KeptFile.objects.bulk_create(
        KeptFile(change=change, name=one.name, text=one.text, left_out=list(one.left_out), at=now)
        for one in files
    )
    if files:
        told = [{"name": one.name, "sha256": sha256(one.text.encode()).hexdigest()} for one in files]
        tell_ledger(change, actor, "change.files_kept", after={"files": told})
