"""Named places at which a test may kill or stop the process, so that each kind of fault is exact and not luck."""

from __future__ import annotations

import os
import signal

_AT = os.environ.get("OPSPORTAL_CRASH", "")
_stops = {os.environ.get("OPSPORTAL_STOP", "")}


def crashpoint(name: str) -> None:
    """Die here, as by kill -9, when OPSPORTAL_CRASH names this place; OPSPORTAL_STOP stops here once, by SIGSTOP."""
    if name == _AT:
        os._exit(137)
    if name in _stops:
        _stops.discard(name)
        os.kill(os.getpid(), signal.SIGSTOP)
