"""Which logs an endpoint exports: read rarely, a few at a time, because nobody changes it often."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from asgiref.sync import async_to_sync
from django.db.models import F, Q
from django.db.models.functions import Now

from endpoints.azure_gateway.client import connect
from endpoints.azure_gateway.errors import GatewayError, Throttled
from endpoints.azure_gateway.records import DiagnosticSetting
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.dispatch import db_now
from endpoints.inventory.connection import gateway_settings
from endpoints.metrics.models import Telemetry
from endpoints.metrics.services.database import in_database

EVERY = timedelta(hours=6)
_AT_ONCE = 10
# Groups stand for categories; this one for all of them.
ALL_LOGS = "allLogs"
CATEGORIES = (
    "AmlOnlineEndpointTrafficLog",
    "AmlOnlineEndpointConsoleLog",
    "AmlOnlineEndpointEventLog",
)


def read_diagnostics(*, settings: GatewaySettings | None = None) -> int:
    """Read the settings of those endpoints whose turn it is; how many were read."""
    due = Telemetry.objects.filter(
        # Read before it was written down where logs go to: that is wanted now.
        Q(diagnostics_read_at__isnull=True)
        | Q(diagnostics_read_at__lt=Now() - EVERY)
        | Q(log_exports_at__isnull=True, diagnostics_reason=""),
        endpoint__deleted_at__isnull=True,
        endpoint__workspace__disconnected_at__isnull=True,
    ).order_by(F("diagnostics_read_at").asc(nulls_first=True), "pk")
    wanted = list(due.values_list("pk", "endpoint__arm_id")[:_AT_ONCE])
    return async_to_sync(_read)(wanted, settings or gateway_settings()) if wanted else 0


def categories_of(found: Iterable[DiagnosticSetting]) -> list[str]:
    """The log categories that are exported anywhere, groups written out."""
    names: set[str] = set()
    for setting in found:
        names.update(setting.log_categories)
        if ALL_LOGS in setting.log_groups:
            names.update(CATEGORIES)
    return sorted(names)


def exports_of(found: Iterable[DiagnosticSetting]) -> dict[str, list[str]]:
    """Which category goes to which Log Analytics workspaces, by their ARM ids in lower case."""
    exports: dict[str, set[str]] = {}
    for setting in found:
        if setting.workspace_id:
            for category in categories_of([setting]):
                exports.setdefault(category, set()).add(setting.workspace_id.rstrip("/").lower())
    return {category: sorted(workspaces) for category, workspaces in exports.items()}


async def _read(wanted: list[tuple[int, str]], settings: GatewaySettings) -> int:
    done = 0
    async with connect(settings) as azure:
        for endpoint_id, arm_id in wanted:
            try:
                found = await azure.list_diagnostic_settings(arm_id)
            except Throttled:
                break  # their turn comes again
            except (GatewayError, ValueError) as error:
                await in_database(_note, endpoint_id, None, str(error))
            else:
                await in_database(_note, endpoint_id, found, "")
                done += 1
    return done


def _note(endpoint_id: int, found: tuple[DiagnosticSetting, ...] | None, reason: str) -> None:
    """What was read before stays when it can't be read now; the reason says so."""
    changes: dict[str, object] = {}
    if found is not None:
        changes = {
            "log_categories": categories_of(found),
            "log_exports": exports_of(found),
            "log_exports_at": db_now(),
        }
    Telemetry.objects.filter(pk=endpoint_id).update(
        diagnostics_read_at=db_now(), diagnostics_reason=reason[:1000], **changes
    )
