"""What people see while a stack starts and runs: one line per step, then every process under its own name."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_COLOURS = ("36", "33", "35", "32", "34", "96", "93", "95")
_NAME_WIDTH = 9


class Console:
    """Writes whole lines only, from any thread."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stdout
        self._lock = threading.Lock()
        self._coloured = self._stream.isatty() and "NO_COLOR" not in os.environ
        self._colour_of: dict[str, str] = {}
        self._began = time.monotonic()

    def say(self, text: str = "") -> None:
        with self._lock:
            try:
                self._stream.write(text + "\n")
                self._stream.flush()
            except (BrokenPipeError, ValueError):
                # Whoever read us is gone; the stack itself goes on, and its logs are files.
                return

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """`  12.3 s  what (1.2 s)` when it is done; the first column is the time since the start."""
        began = time.monotonic()
        yield
        now = time.monotonic()
        self.say(f"{now - self._began:6.1f} s  {what} ({now - began:.1f} s)")

    def line_of(self, name: str, text: str) -> None:
        self.say(f"{self._paint(name, f'{name:<{_NAME_WIDTH}}|')} {text}")

    def _paint(self, name: str, text: str) -> str:
        if not self._coloured:
            return text
        colour = self._colour_of.setdefault(name, _COLOURS[len(self._colour_of) % len(_COLOURS)])
        return f"\033[{colour}m{text}\033[0m"


def relay(descriptor: int, name: str, log: Path, console: Console | None) -> None:
    """Copy a process's output to its log file and, under its name, to the console, until it ends."""

    def copy() -> None:
        with os.fdopen(descriptor, "r", errors="replace") as lines, log.open("a") as file:
            for line in lines:
                file.write(line)
                file.flush()
                if console is not None:
                    console.line_of(name, line.rstrip("\n"))

    threading.Thread(target=copy, name=f"output of {name}", daemon=True).start()
