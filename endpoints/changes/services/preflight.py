"""What is looked at again right before each further step: holds first, then the checks of that step."""

from __future__ import annotations

from endpoints.changes.decide import Blocked
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import Step


def before_next_step(change: Change, revision: ChangeRevision, steps: tuple[Step, ...]) -> Blocked | None:
    """Why the step that comes next must wait for a person; None when nothing stands against it."""
    return None
