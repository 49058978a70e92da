"""Who made a drift, as far as Azure's activity log says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from endpoints.inventory.attribution import Candidate
from endpoints.inventory.models import Drift, DriftAttribution, DriftSearch

WAITING = "waiting"
_LATE = "The activity log has nothing about it yet; it is 3 to 20 minutes behind."


@dataclass(frozen=True, slots=True)
class AttributionRow:
    """What is known of who it was. `found` is one, several, none, unknown (not readable), or waiting for the log.

    `final` False: the log may still bring more. `reason` says it for people.
    """

    found: str
    reason: str
    final: bool
    known_at: datetime | None
    candidates: tuple[Candidate, ...]


def attributions(drift_ids: Iterable[int]) -> dict[int, AttributionRow]:
    """The newest word by drift. A drift that is older than the search for it is not among them. Two queries."""
    wanted = list(drift_ids)
    if not wanted:
        return {}
    searches = DriftSearch.objects.filter(drift_id__in=wanted, ended_at=None)
    found = {row.drift_id: _waiting(row) for row in searches}
    told = (
        DriftAttribution.objects.filter(drift_id__in=wanted).order_by("drift_id", "-pk").distinct("drift_id")
    )
    return found | {row.drift_id: _row(row) for row in told}


def attributions_of(
    revision_ids: Iterable[int], deployment_revision_ids: Iterable[int]
) -> tuple[dict[int, AttributionRow], dict[int, AttributionRow]]:
    """The same by the revision that drifted: of the endpoint, and of its deployments. Four queries."""
    own = _drifts("revision_id", revision_ids)
    theirs = _drifts("deployment_revision_id", deployment_revision_ids)
    told = attributions([*own.values(), *theirs.values()])
    return _only(own, told), _only(theirs, told)


def _drifts(column: str, ids: Iterable[int]) -> dict[int, int]:
    """The drift of each revision that has one."""
    wanted = list(ids)
    if not wanted:
        return {}
    return dict(Drift.objects.filter(**{f"{column}__in": wanted}).values_list(column, "pk"))


def _only(drifts: dict[int, int], told: dict[int, AttributionRow]) -> dict[int, AttributionRow]:
    return {revision: told[drift] for revision, drift in drifts.items() if drift in told}


def _row(row: DriftAttribution) -> AttributionRow:
    candidates = tuple(Candidate.from_json(one) for one in row.candidates)
    return AttributionRow(row.found, row.reason, row.final, row.known_at, candidates)


def _waiting(search: DriftSearch) -> AttributionRow:
    reason = f"The activity log can't be read now: {search.reason}" if search.reason else _LATE
    return AttributionRow(WAITING, reason, False, search.looked_at, ())
