"""The files that pages take: a calendar, and YAML files to compare. They are held in memory, and only where a form

sends them.
"""

from __future__ import annotations

import re
from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.urls import reverse

from endpoints.holds.ics import MOST_BYTES
from endpoints.inventory.selectors.declared import MOST_FILES
from endpoints.inventory.yamlfile import MOST_BYTES as MOST_YAML

# What a form adds to the file: boundaries and its other fields.
_AROUND = 64 * 1024


_COMPARE = re.compile(r"^/w/[^/]+/e/[^/]+/compare\Z")


class OnlyWhereTaken(MemoryFileUploadHandler):
    """Drops every file sent anywhere else, and what is larger than may be there: nothing reaches a disk.

    Django reads a form before anybody knows who sent it, so this holds for whoever asks.
    """

    activated = False

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, *rest: Any, **more: Any
    ) -> None:
        path = self.request.path if self.request is not None else ""
        most = _most(path)
        self.activated = most is not None and content_length <= most + _AROUND


def _most(path: str) -> int | None:
    """How many bytes of files an address takes; None: it takes no file."""
    if path == reverse("web:freeze_import"):
        return MOST_BYTES
    return MOST_FILES * MOST_YAML if _COMPARE.match(path) else None
