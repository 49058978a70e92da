"""Read the past of metrics from Azure Monitor, newest first, in the background; or show how far that is."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from endpoints.access.selectors import workspace_id_by_slug
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.core.errors import OpsportalError
from endpoints.metrics.models import Backfill
from endpoints.metrics.services.backfill import MOST_DAYS, cancel_backfills, order_backfill
from endpoints.metrics.services.collectors import add_missing


class Command(BaseCommand):
    help = "Order the past of metrics to be read from Azure Monitor, newest first, by the workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=30, help=f"how far back, 1 to {MOST_DAYS}")
        parser.add_argument("--workspace", default="", help="only the subscription of this workspace")
        parser.add_argument("--status", action="store_true", help="order nothing, show the orders")
        parser.add_argument("--cancel", action="store_true", help="end the orders that are not done")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["cancel"]:
                self.stdout.write(f"{cancel_backfills(actor=SYSTEM_COMMAND)} orders were ended.")
            elif not options["status"]:
                self._order(options["days"], options["workspace"])
        except OpsportalError as error:
            raise CommandError(f"{error.message} Nothing was ordered.") from error
        for row in Backfill.objects.select_related("collector").order_by("-pk")[:20]:
            self.stdout.write(_line(row))

    def _order(self, days: int, workspace: str) -> None:
        add_missing()
        place = workspace_id_by_slug(workspace) if workspace else None
        made = order_backfill(actor=SYSTEM_COMMAND, days=days, workspace_id=place)
        if not made:
            raise CommandError("No endpoint is known yet whose metrics could be read. Nothing was ordered.")


def _line(row: Backfill) -> str:
    whole, done = row.until - row.since, row.until - row.cursor
    state = "cancelled" if row.cancelled_at else "done" if row.ended_at else "under way"
    about = f"{row.collector.region}, subscription {row.collector.subscription}"
    trouble = f"; {row.error}" if row.error and not row.ended_at else ""
    return (
        f"{row.pk}: {about}: {done / whole:.0%} of {whole.days} days, {row.points:,} points, {state}{trouble}"
    )
