"""`python -m tests.flows.skewed SECONDS COMMAND…`: `manage.py COMMAND…` on a machine whose clock is so much off."""

from __future__ import annotations

import runpy
import sys
from datetime import UTC, datetime, timedelta

import time_machine

from tests.support.databases import ROOT

if __name__ == "__main__":
    off = timedelta(seconds=float(sys.argv[1]))
    sys.argv = ["manage.py", *sys.argv[2:]]
    with time_machine.travel(datetime.now(UTC) + off, tick=True):
        runpy.run_path(str(ROOT / "manage.py"), run_name="__main__")
