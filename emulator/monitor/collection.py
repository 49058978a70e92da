"""Data collection: events where the deployment has a collector, one type for each of its collections."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.monitor.minutes import Counts, Minutes
from emulator.monitor.parts import Labels


def collected(minutes: Minutes, word: str) -> Iterator[tuple[Labels, Counts]]:
    """Labels and counts; nothing is ever dropped here, so errors are 0."""
    collector = minutes.body.get("dataCollector")
    collections = collector.get("collections") if isinstance(collector, dict) else None
    for name, told in (collections or {}).items():
        if str(told.get("dataCollectionMode", "Enabled")).lower() != "enabled":
            continue
        share = float(told.get("samplingRate", 1.0))
        if word == "errors":
            yield {"type": name, "reason": "None"}, [0] * minutes.window.count
        else:
            yield {"type": name}, [int(count * share) for count in minutes.requests]
