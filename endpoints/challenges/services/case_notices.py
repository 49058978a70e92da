"""What is told to others of a case: that it was raised, assigned, presses or was decided. Never a word of its texts."""

from __future__ import annotations

from endpoints.access.selectors import workspace
from endpoints.challenges.models import Case
from endpoints.core.ids import ref
from endpoints.inventory.selectors import endpoint_names
from endpoints.notices.services import publish

_VERBS = {
    "case.raised": "was raised",
    "case.assigned": "was assigned",
    "case.due": "presses",
    "case.decided": "was decided",
}


def tell_of(case: Case, topic: str, *, also: str = "", **facts: str) -> None:
    """Publish within the caller's transaction. `also` tells apart what may happen to one case more than once."""
    place = workspace(case.workspace_id).slug
    name = endpoint_names([case.endpoint_id]).get(case.endpoint_id, "") if case.endpoint_id else ""
    about = f"{name} in {place}" if name else f"in {place}"
    publish(
        topic=topic,
        key=":".join(filter(None, (ref("case", case.pk), also))),
        subject=f"CH-{case.pk} {_VERBS[topic]}: {about}",
        facts={"case": f"CH-{case.pk}", "workspace": place, "endpoint": name, **facts},
        link=f"/challenges/CH-{case.pk}",
        workspace_id=case.workspace_id,
    )
