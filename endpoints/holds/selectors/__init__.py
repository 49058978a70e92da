"""Reads of the room, as frozen rows.

Functions take the ids of what they may look at and ask for nobody's rights; callers do, before: `reach` tells whose
holds a principal may see.
"""

from endpoints.holds.rows import FreezeRow, FreezeState, Hold, Kind, OverrideRow, StopRow, Window
from endpoints.holds.selectors.freezes import (
    FreezePage,
    freeze_row,
    past_freezes,
    preview,
    standing_freezes,
)
from endpoints.holds.selectors.in_force import holds_for_many, in_force, next_window
from endpoints.holds.selectors.overrides import overrides_of
from endpoints.holds.selectors.reach import reach, reaches, workspace_in_reach
from endpoints.holds.selectors.stops import lifted_stops, standing_stops, stop_row, stops_seen_by

__all__ = [
    "FreezePage",
    "FreezeRow",
    "FreezeState",
    "Hold",
    "Kind",
    "OverrideRow",
    "StopRow",
    "Window",
    "freeze_row",
    "holds_for_many",
    "in_force",
    "lifted_stops",
    "next_window",
    "overrides_of",
    "past_freezes",
    "preview",
    "reach",
    "reaches",
    "standing_freezes",
    "standing_stops",
    "stop_row",
    "stops_seen_by",
    "workspace_in_reach",
]
