"""Writing down what a change would do: one immutable revision, its reason, its checks."""

from __future__ import annotations

from endpoints.changes.lifecycle import State
from endpoints.changes.models import Change, ChangeRevision, Check, Note
from endpoints.changes.plan import Base, Step, content_hash
from endpoints.changes.terms import Terms
from endpoints.changes.verdict import Verdict, overall
from endpoints.core.errors import Invalid
from endpoints.dispatch import db_now

REASON_LIMIT = 2000


def clean_reason(text: str, *, field: str = "reason") -> str:
    """The words that go on record; Invalid when there are none or too many."""
    words = text.strip()
    if not words:
        raise Invalid({field: ["Say why: whoever reviews this, and whoever looks back, needs it."]})
    if len(words) > REASON_LIMIT:
        raise Invalid({field: [f"At most {REASON_LIMIT} characters; these are {len(words)}."]})
    return words


def add_revision(
    *, change: Change, editor_id: int | None, steps: tuple[Step, ...], base: Base, terms: Terms | None = None
) -> ChangeRevision:
    """The revision that `change.revision` names; `editor_id` None where the portal acts by itself."""
    number = change.revision
    return ChangeRevision.objects.create(
        change=change,
        number=number,
        plan=[step.as_json() for step in steps],
        base=base.as_json(),
        terms=terms.as_json() if terms else {},
        content_hash=content_hash(change_id=change.pk, number=number, steps=steps, base=base, terms=terms),
        editor_id=editor_id,
        created_at=db_now(),
    )


def add_note(*, change: Change, author_id: int | None, kind: str, text: str) -> None:
    """A person's words beside the change; none are stored when there are none."""
    if text and author_id is not None:
        Note.objects.create(
            change=change, revision=change.revision, kind=kind, author_id=author_id, text=text, at=db_now()
        )


def keep_checks(*, change: Change, moment: str, verdicts: list[Verdict]) -> Verdict:
    """Store every verdict of this moment; the worst one is returned."""
    now = db_now()
    Check.objects.bulk_create(
        Check(
            change=change,
            revision=change.revision,
            moment=moment,
            name=verdict.name,
            outcome=verdict.outcome,
            reason=verdict.reason,
            acceptable=verdict.acceptable,
            at=now,
        )
        for verdict in verdicts
    )
    return overall(verdicts)


def state_after_checks(worst: Verdict) -> State:
    """What blocks is held with its reason; a pass goes to people, and so does what they may accept."""
    return State.CHECK_FAILED if worst.blocks else State.IN_REVIEW
