"""Reads of the room, as frozen rows.

Functions take the ids of what they may look at and ask for nobody's rights; callers do, before.
"""

from endpoints.holds.rows import FreezeRow, FreezeState, Hold, Kind, OverrideRow, StopRow, Window
from endpoints.holds.selectors.in_force import holds_for_many, in_force, next_window

__all__ = [
    "FreezeRow",
    "FreezeState",
    "Hold",
    "Kind",
    "OverrideRow",
    "StopRow",
    "Window",
    "holds_for_many",
    "in_force",
    "next_window",
]
