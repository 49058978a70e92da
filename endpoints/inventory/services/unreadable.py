"""Items that could not be read: since when, why, and what that means for the rows they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from django.db import transaction

from endpoints.core.ids import arm_key
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, Endpoint
from endpoints.inventory.services.projection import refresh_marks

_ENDPOINTS, _DEPLOYMENTS = "/onlineendpoints/", "/deployments"


class Mirrored(Protocol):
    """What the mirror holds of an endpoint, as far as it matters here."""

    id: int
    is_readable: bool


@dataclass(slots=True)
class Problems:
    """Each item once: an ARM id, an endpoint's `…/deployments`, or where in a list it stood; with the reason."""

    reasons: dict[str, str] = field(default_factory=dict)

    def add(self, item: str, reason: str) -> None:
        self.reasons.setdefault(item, reason)

    def __len__(self) -> int:
        return len(self.reasons)

    @property
    def names_all(self) -> bool:
        """Whether each item says what it is. While one may be anything, nothing can be called absent."""
        return all(_endpoint_name(item) for item in self.reasons)

    @property
    def endpoint_names(self) -> set[str]:
        """Endpoints, lower case, that are there but could not be read, wholly or in part."""
        return {name for item in self.reasons if (name := _endpoint_name(item))}

    def rows(self) -> list[dict[str, str]]:
        """For the run's record."""
        return [{"item": item, "reason": reason} for item, reason in self.reasons.items()]

    def settle(self, known: Mapping[str, Mirrored]) -> None:
        """Say on each row since when it can't be read, once; and take that back from rows that can be again."""
        bad = self.endpoint_names
        for name, one in known.items():
            if name in bad:
                _mark(one.id, self._of(name))
            elif not one.is_readable:
                _mark(one.id, {})

    def _of(self, name: str) -> dict[str, str]:
        return {arm_key(item): why for item, why in self.reasons.items() if _endpoint_name(item) == name}


@transaction.atomic
def _mark(endpoint_id: int, reasons: Mapping[str, str]) -> None:
    """Bring an endpoint's row and those of its deployments to `reasons`, by ARM id; {} when all can be read."""
    endpoint = (
        Endpoint.objects.select_related("open_drift")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=endpoint_id)
    )
    now, reason = db_now(), _sentence(reasons)
    rows = Deployment.objects.filter(endpoint=endpoint, deleted_at=None)
    rows.exclude(unreadable_since=None).exclude(arm_key__in=reasons).update(
        unreadable_since=None, unreadable_reason=""
    )
    for arm_id, why in reasons.items():
        rows.filter(arm_key=arm_id, unreadable_since=None).update(unreadable_since=now, unreadable_reason=why)
    if (endpoint.unreadable_since is not None) == bool(reasons) and endpoint.unreadable_reason == reason:
        return
    endpoint.unreadable_since = (endpoint.unreadable_since or now) if reasons else None
    endpoint.unreadable_reason = reason
    refresh_marks(endpoint)
    endpoint.save(update_fields=["unreadable_since", "unreadable_reason", "marks", "severity"])


def _sentence(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{_what(item)}{reason.rstrip('.')}" for item, reason in sorted(reasons.items()))


def _what(item: str) -> str:
    if item.endswith(_DEPLOYMENTS):
        return "its deployments: "
    _, found, name = item.partition(_DEPLOYMENTS + "/")
    return f"{name}: " if found else ""


def _endpoint_name(item: str) -> str:
    """The endpoint that an ARM id is, or is part of; "" for anything else."""
    if not item.startswith("/"):
        return ""
    _, found, rest = item.lower().partition(_ENDPOINTS)
    return rest.partition("/")[0] if found else ""
