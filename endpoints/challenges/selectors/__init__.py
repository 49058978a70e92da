"""Reads of the room, as frozen rows.

Functions take the ids of what they may look at and ask for nobody's rights; callers do, before.
"""

from endpoints.challenges.seen import SeenRow
from endpoints.challenges.selectors.lookup import Lookup, lookup, seen

__all__ = ["Lookup", "SeenRow", "lookup", "seen"]
