"""What chart pages weigh, and how soon the first chart stands, in Chromium."""

from __future__ import annotations

from typing import Any

from bench.figures import Figure


def figures(database: Any) -> list[Figure]:
    return []
