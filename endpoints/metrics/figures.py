"""Business figures: what one is, and what is wrong with values that somebody sends. Pure."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """How a figure's total is read against its count."""

    RATE = "rate"  # of `count` observations, `total` were so: a share from 0 to 1
    MEAN = "mean"  # the sum over `count` observations, of any sign
