"""How much quota a number of instances takes. Pure."""

from __future__ import annotations

import math
from fractions import Fraction

RESERVE = Fraction(6, 5)
"""Azure keeps 20 % more instances free for upgrades, in the quota and not on the bill."""


def quota_needed(instances: int, vcpus: int | None, *, reserved: bool = True) -> int | None:
    """Cores of quota that so many instances of a size take: ceil(1.2 x instances) x cores; None: cores not known.

    Source: Microsoft, "Manage and increase quotas and limits for resources with Azure Machine Learning"
    (how-to-manage-quotas, 2026-01-27), virtual machine quota allocation for deployment. A few sizes skip the reserve
    (`reserved` False); Azure's interfaces do not tell which, so that without it the answer is the safe one. What is
    billed is the instances alone.
    """
    if instances < 0:
        raise ValueError(f"{instances} instances can't be had.")
    if vcpus is None:
        return None
    return math.ceil(instances * (RESERVE if reserved else 1)) * vcpus
