"""Say what gates would have done with past changes. It orders and stores nothing."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from endpoints.access.selectors import workspace_id_by_slug
from endpoints.changes.gatespec import GateSpec
from endpoints.changes.models import RolloutTemplate
from endpoints.changes.selectors.backtest import WATCH, Backtested, backtest_in
from endpoints.changes.terms import terms_from_json
from endpoints.core.errors import OpsportalError
from endpoints.inventory.selectors import endpoint_id_by_name

MOST = 500


class Command(BaseCommand):
    help = "Say what gates would have done with past changes, from the minutes that were kept around them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--gates", help='a JSON list, for instance [{"kind": "errors"}]')
        which.add_argument("--template", help="the name of a rollout template of --workspace")
        parser.add_argument("--workspace", default="", help="only the changes of this workspace")
        parser.add_argument("--endpoint", default="", help="only those of this endpoint of --workspace")
        parser.add_argument(
            "--limit", type=int, default=20, help=f"so many changes, newest first, at most {MOST}"
        )
        parser.add_argument("--before", type=int, help="only changes with lower numbers")
        parser.add_argument(
            "--watch", type=int, default=WATCH, help="minutes that the last step is looked at"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["limit"] <= MOST:
            raise CommandError(f"--limit: from 1 to {MOST}. Nothing was tested.")
        if (options["endpoint"] or options["template"]) and not options["workspace"]:
            raise CommandError("Name the --workspace, too. Nothing was tested.")
        try:
            place = workspace_id_by_slug(options["workspace"]) if options["workspace"] else None
            endpoint = (
                endpoint_id_by_name(place, options["endpoint"]) if place and options["endpoint"] else None
            )
            gates = _template(place, options["template"]) if options["template"] else _gates(options["gates"])
        except OpsportalError as error:
            raise CommandError(f"{error.message} Nothing was tested.") from error
        page = backtest_in(
            None if place is None else [place],
            gates,
            endpoint_id=endpoint,
            before=options["before"],
            limit=options["limit"],
            watch=options["watch"],
        )
        for row in page.rows:
            self.stdout.write(_line(row))
        self.stdout.write(_sum(page.rows))
        if page.next_before is not None:
            self.stdout.write(f"There are older ones: --before {page.next_before}.")


def _gates(text: str) -> tuple[GateSpec, ...]:
    try:
        data = json.loads(text)
        if not isinstance(data, list) or not data or not all(isinstance(item, dict) for item in data):
            raise ValueError("Give a JSON list of gates.")
        gates = tuple(GateSpec.from_json(item) for item in data)
    except (ValueError, TypeError) as error:
        raise CommandError(f"--gates: {error} Nothing was tested.") from error
    if problems := [problem for gate in gates for problem in gate.problems()]:
        raise CommandError(f"--gates: {' '.join(problems)} Nothing was tested.")
    return gates


def _template(workspace_id: int | None, name: str) -> tuple[GateSpec, ...]:
    row = RolloutTemplate.objects.filter(workspace=workspace_id, name=name, ended_at=None).first()
    if row is None:
        raise CommandError(f"This workspace has no template {name}. Nothing was tested.")
    gates = terms_from_json(row.terms).gates
    if not gates:
        raise CommandError(f"The template {name} has no gates. Nothing was tested.")
    return gates


def _line(row: Backtested) -> str:
    happened = f"{row.state}" + (f", rolled back ({row.rolled_back})" if row.rolled_back else "")
    if row.stopped_at is not None:
        step, minutes = row.stopped_at
        would = f"would have stopped in step {step + 1} after {minutes} min by {row.by}: {row.reason}"
    elif row.outcome == "pass":
        would = "would have passed"
    else:
        would = f"would not have passed it by itself ({row.outcome}): {row.reason}"
    return f"CR-{row.change_id} {row.started_at:%Y-%m-%d %H:%M} UTC: {happened}; gates {would}"


def _sum(rows: tuple[Backtested, ...]) -> str:
    stopped = [row for row in rows if row.stopped_at is not None]
    undone = [row for row in rows if row.rolled_back]
    both = [row for row in stopped if row.rolled_back]
    unknown = [row for row in rows if row.stopped_at is None and row.outcome != "pass"]
    return (
        f"{len(rows)} changes: {len(undone)} were rolled back, the gates would have stopped {len(both)} of these and "
        f"{len(stopped) - len(both)} others; {len(unknown)} they could not judge."
    )
