"""The files that a change kept of what it deletes."""

from __future__ import annotations

from endpoints.changes.models import KeptFile
from endpoints.changes.release import File


def kept_files(change_id: int) -> tuple[File, ...]:
    """By name; none for a change that deletes nothing, or did not come so far. Of a change that the caller may see."""
    rows = KeptFile.objects.filter(change=change_id).order_by("name")
    return tuple(File(row.name, row.text, tuple(row.left_out)) for row in rows)
