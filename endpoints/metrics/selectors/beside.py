"""An endpoint's newest figures beside its row in a list of another room: an expression, so that no query is added."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Expression, ExpressionWrapper, JSONField, OuterRef, Subquery
from django.db.models.functions import JSONObject

from endpoints.metrics.models import Budget, Telemetry
from endpoints.metrics.selectors.telemetry import NEVER_READ, Brief
from endpoints.metrics.telemetry import State

_FIGURES = (
    "state", "reason", "minute", "lag_seconds", "requests", "p95", "failure_share", "over_budget", "spark",
    "spark_until",
)  # fmt: skip


def brief_beside() -> Expression:
    """For `inventory.fleet_rows(beside=…)`; `brief_of` reads what it gives."""
    newest = Budget.objects.filter(endpoint_id=OuterRef("endpoint_id")).order_by("-since", "-pk")
    told = JSONObject(
        **{name: name for name in _FIGURES},
        budget_p95=Subquery(newest.values("p95_ms")[:1]),
        budget_failure_share=Subquery(newest.values("failure_share")[:1]),
    )
    rows = Telemetry.objects.filter(endpoint_id=OuterRef("pk")).values(told=told)
    return ExpressionWrapper(Subquery(rows), output_field=JSONField())


def brief_of(endpoint_id: int, told: Mapping[str, Any] | None, now: datetime) -> Brief:
    """The figures as `briefs` would give them, those of an endpoint that was never read included."""
    values = told or {}
    minute = _moment(values.get("minute"))
    return Brief(
        endpoint_id=endpoint_id,
        state=State(values.get("state", State.NONE_YET)),
        reason=values.get("reason", "") if told else NEVER_READ,
        minute=minute,
        age_seconds=None if minute is None else max(0.0, (now - minute).total_seconds() - 60),
        lag_seconds=values.get("lag_seconds"),
        requests=values.get("requests"),
        p95=values.get("p95"),
        failure_share=values.get("failure_share"),
        over_budget=values.get("over_budget"),
        budget_p95=values.get("budget_p95"),
        budget_failure_share=values.get("budget_failure_share"),
        spark=tuple(values.get("spark") or ()),
        spark_until=_moment(values.get("spark_until")),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
