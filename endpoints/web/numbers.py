"""Measured numbers as people read them: no more digits than they carry, 0 for a true zero alone, "-" for unknown."""

from __future__ import annotations

from endpoints.web.wording import NBSP, count

MISSING = "-"
"""In tables and lists, where the reason stands beside it or in the column's heading."""


def ms(value: float | None) -> str:
    """`231 ms`, `4.2 ms`, `1.18 s`."""
    if value is None:
        return MISSING
    if value >= 1000:
        return f"{value / 1000:.3g}{NBSP}s" if value < 100_000 else f"{count(round(value / 1000))}{NBSP}s"
    return f"{value:.0f}{NBSP}ms" if value >= 10 or value == 0 else f"{value:.1f}{NBSP}ms"


def share(value: float | None) -> str:
    """A part of one as a percentage: `12.4 %`, `0.38 %`, `<0.01 %`."""
    return MISSING if value is None else percentage(value * 100)


def percentage(value: float | None) -> str:
    """`12.4 %`, `0.38 %`; "0 %" is a true zero, and "100 %" a true hundred."""
    if value is None:
        return MISSING
    if value in (0, 100):
        return f"{value:.0f}{NBSP}%"
    if value < 0.01:
        return f"<0.01{NBSP}%"
    if 99.9 < value < 100:
        return f">99.9{NBSP}%"
    return f"{value:.2f}{NBSP}%" if value < 1 else f"{value:.1f}{NBSP}%"


def amount(value: float | None) -> str:
    """A count, or a rate: whole from 10 on, one decimal below."""
    if value is None:
        return MISSING
    if value == 0 or value >= 10 or value == int(value):
        return count(round(value))
    return f"{value:.1f}" if value >= 0.05 else "<0.1"


def per_minute(value: float | None) -> str:
    """`1 204/min`."""
    return MISSING if value is None else f"{amount(value)}/min"


def at_least(text: str, is_partial: bool) -> str:
    """What is known of a stretch of which a part is unknown: a sum and a maximum can only be larger."""
    return f"≥{NBSP}{text}" if is_partial and text != MISSING else text
