"""Set how the cases of a workspace are dealt with from now on. What was set before stays on record."""

from __future__ import annotations

import math
from collections.abc import Sequence

from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.audit.services import record
from endpoints.challenges.clocks import Clock, problems, to_json
from endpoints.challenges.models import Policy
from endpoints.challenges.selectors.policies import policy_of
from endpoints.challenges.services.case_guards import permit
from endpoints.core.errors import Conflict, Invalid
from endpoints.core.ids import ref
from endpoints.dispatch import db_now


@transaction.atomic
def set_policy(
    *, principal: Principal, workspace_id: int, clocks: Sequence[Clock], two_roles: bool, band: float | None
) -> int:
    """The new policy's number. It counts for cases raised or re-opened from now on; others keep their clocks."""
    permit(principal, Action.CASE_POLICY, workspace_id)
    wrong: dict[str, list[str]] = {}
    if found := problems(clocks):
        wrong["clocks"] = [*found, "Nothing was changed."]
    if band is not None and not (math.isfinite(band) and 0 < band < 1):
        wrong["band"] = ["Give a confidence between 0 and 1, such as 0.7. Nothing was changed."]
    if wrong:
        raise Invalid(wrong)
    now_in_force = policy_of(workspace_id)
    if (tuple(clocks), two_roles, band) == (now_in_force.clocks, now_in_force.two_roles, now_in_force.band):
        raise Conflict("This is how it is already. Nothing was changed.")
    made = Policy.objects.create(
        workspace_id=workspace_id,
        clocks=to_json(clocks),
        two_roles=two_roles,
        band=band,
        since=db_now(),
        set_by=principal.ref,
    )
    record(
        actor=principal.actor,
        action="case.policy_set",
        subject=ref("workspace", workspace_id),
        workspace_id=workspace_id,
        before=_told(now_in_force.clocks, now_in_force.two_roles, now_in_force.band),
        after=_told(clocks, two_roles, band),
    )
    return made.pk


def _told(clocks: Sequence[Clock], two_roles: bool, band: float | None) -> dict[str, object]:
    """The ledger holds no fractions: they stand as text."""
    lengths = {one.name: f"{one.length.total_seconds() / 3600:g} h, {one.source}" for one in clocks}
    return {"clocks": lengths, "two_roles": two_roles, "band": "" if band is None else f"{band:g}"}
