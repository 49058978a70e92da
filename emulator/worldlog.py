"""The world log on disk: one JSON record a line, each synced before anybody hears of what it says.

A line that was torn by a crash was never acknowledged, so it is cut off at the next start. A lock keeps a
second emulator away from the same folder.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import IO

from emulator.fold import Record
from emulator.values import Clock, moment, stamp

FILE = "world.jsonl"
BEGAN = "began"


class StateInUse(RuntimeError):
    """Another emulator works on this state folder."""


class WorldLog:
    """Append-only. Without a folder it lives in memory, for tests that need no restart."""

    def __init__(self, folder: Path | None = None) -> None:
        self.records: list[Record] = []
        self._file: IO[bytes] | None = None
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = _locked(folder / FILE)
            self.records = _read(self._file)

    def append(self, records: Iterable[Record]) -> None:
        fresh = list(records)
        if self._file is not None:
            self._file.write(b"".join(_line(record) for record in fresh))
            self._file.flush()
            os.fsync(self._file.fileno())
        self.records.extend(fresh)

    def since(self, n: int) -> list[Record]:
        """Records after number `n`; numbers start at 1 and have no gaps."""
        return self.records[max(n, 0) :]

    def began(self, clock: Clock) -> datetime:
        """When this world was first started, told to the folder once."""
        if self._folder is None:
            return clock()
        path = self._folder / BEGAN
        if not path.exists():
            staged = path.with_suffix(".new")
            staged.write_text(stamp(clock()), encoding="utf-8")
            staged.replace(path)
        return moment(path.read_text(encoding="utf-8"))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _locked(path: Path) -> IO[bytes]:
    file = path.open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise StateInUse(f"Another emulator uses {path.parent}. Nothing was changed.") from None
    return file


def _read(file: IO[bytes]) -> list[Record]:
    file.seek(0)
    records: list[Record] = []
    good = 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        records.append(Record.from_json(json.loads(line)))
        good += len(line)
    file.truncate(good)
    file.seek(0, os.SEEK_END)
    return records


def _line(record: Record) -> bytes:
    return json.dumps(record.to_json(), separators=(",", ":")).encode() + b"\n"
