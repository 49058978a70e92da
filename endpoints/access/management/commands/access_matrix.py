"""`manage.py access_matrix`: docs/reference/access-matrix.md out of the policy's own table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from endpoints.access.matrix_page import page


class Command(BaseCommand):
    help = "Print the access matrix as Markdown, or write it to a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, help="the file to write")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["output"]:
            options["output"].write_text(page(), encoding="utf-8")
        else:
            self.stdout.write(page(), ending="")
