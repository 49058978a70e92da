"""Reads of the room, as frozen rows.

Functions take the ids of what they may look at and ask for nobody's rights; callers do, before.
"""

from endpoints.challenges.logspans import LogSpan
from endpoints.challenges.seen import SeenRow
from endpoints.challenges.selectors.logs import LogHealth, LogTrouble, log_health, logged_spans
from endpoints.challenges.selectors.lookup import Lookup, lookup, seen

__all__ = [
    "LogHealth",
    "LogSpan",
    "LogTrouble",
    "Lookup",
    "SeenRow",
    "log_health",
    "logged_spans",
    "lookup",
    "seen",
]
