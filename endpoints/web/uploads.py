"""The one file that a page takes: a calendar. It is held in memory, and only where a form sends one."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.urls import reverse

from endpoints.holds.ics import MOST_BYTES

# What a form adds to the file: boundaries and its other fields.
_AROUND = 64 * 1024


class OnlyCalendars(MemoryFileUploadHandler):
    """Drops every file sent anywhere else, and what is larger than a calendar may be: nothing reaches a disk.

    Django reads a form before anybody knows who sent it, so this holds for whoever asks.
    """

    activated = False

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, *rest: Any, **more: Any
    ) -> None:
        path = self.request.path if self.request is not None else ""
        self.activated = path == reverse("web:freeze_import") and content_length <= MOST_BYTES + _AROUND
