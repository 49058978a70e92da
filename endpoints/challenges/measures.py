"""Which figures records of requests make: confidence, high-risk share, and each score by its name. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

from endpoints.metrics.figures import Definition, Kind

CONFIDENCE = Definition("confidence", "Confidence", Kind.MEAN)
HIGH_RISK = Definition("high_risk", "High-risk share", Kind.RATE)
PREFIX = "score-"
MOST_SCORES = 10
"""Of one endpoint, so that people's own figures find a place beside them."""
_CLEAN = re.compile(r"[a-z0-9_-]{1,40}")
_OTHER = re.compile(r"[^a-z0-9_-]")


def of_score(name: str) -> Definition:
    """The figure of a score. Names that differ only in what a figure's name can't have stay apart."""
    cleaned = _OTHER.sub("-", name.lower())[:40]
    if not _CLEAN.fullmatch(name):
        cleaned = f"{cleaned}-{sha256(name.encode()).hexdigest()[:6]}"
    return Definition(f"{PREFIX}{cleaned}", f"Score: {name}", Kind.MEAN)


def definitions(scores: Iterable[str]) -> tuple[Definition, ...]:
    """The figures of records that have these scores; of too many scores, the first by name."""
    return CONFIDENCE, HIGH_RISK, *(of_score(name) for name in sorted(set(scores))[:MOST_SCORES])
