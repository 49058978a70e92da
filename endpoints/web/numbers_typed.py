"""Numbers as people type them into forms, and written so that they can be typed again. Pure."""

from __future__ import annotations

import math
import re

_NUMBER = re.compile(r"[+-]?\d{1,12}(?:[.,]\d{1,9})?", re.ASCII)


def number_of(text: str) -> float | None:
    """The number, with a point or a comma; None for anything else."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    value = float(text.strip().replace(",", "."))
    return value if math.isfinite(value) else None


def plain(value: float) -> str:
    """`0.5`, `90`: without an exponent and without zeros at its end."""
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text
