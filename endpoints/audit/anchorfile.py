"""The file outside the database to which each checkpoint is appended: written durably, read whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from endpoints.audit.note import split


@dataclass(frozen=True, slots=True)
class Anchored:
    """Checkpoints that somebody kept outside the database; `unchecked` says in words what could not be read."""

    notes: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


def anchor_file() -> Path | None:
    """The file of the setting."""
    path: Path | None = settings.OPSPORTAL.audit_anchor_file
    return path


def append_note(path: Path, note: str) -> None:
    """Add a checkpoint so that it survives a crash of the machine; OSError when it was not added."""
    data = f"{note}\n".encode()
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        before = os.fstat(file).st_size
        if os.write(file, data) != len(data):
            os.ftruncate(file, before)  # half a checkpoint would spoil the next one
            raise OSError("the disk took a part of it only")
        os.fsync(file)
    finally:
        os.close(file)


def read_anchored(path: Path) -> Anchored:
    """All checkpoints of a file."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        return Anchored(unchecked=(f"The anchors in {path.name} can't be read: {error.strerror}.",))
    except UnicodeDecodeError:
        return Anchored(unchecked=(f"The anchors in {path.name} can't be read: the file is no text.",))
    notes, whole = split(text)
    rest = () if whole else (f"There is something else than checkpoints in {path.name}.",)
    return Anchored(tuple(notes), rest)
