"""Writes of the room: minutes, rollups, retention, collectors, budgets, business figures."""

from endpoints.metrics.services.backfill import cancel_backfills, order_backfill
from endpoints.metrics.services.budget import Proposed, decide_budget, propose_budget, withdraw_budget
from endpoints.metrics.services.collectors import request_reading
from endpoints.metrics.services.figures import Defined, Taken, define_figure, end_figure, write_figures
from endpoints.metrics.services.keep import keep
from endpoints.metrics.services.measured_figures import Measured, measure_figures
from endpoints.metrics.services.minutes import Written, write_minutes
from endpoints.metrics.services.missed import find_missed_hours
from endpoints.metrics.services.packing import pack_hours
from endpoints.metrics.services.partitions import make_ahead
from endpoints.metrics.services.retention import Dropped, drop_old
from endpoints.metrics.services.rollups import roll_up, roll_up_all, write_hours

__all__ = [
    "Defined",
    "Dropped",
    "Measured",
    "Proposed",
    "Taken",
    "Written",
    "cancel_backfills",
    "decide_budget",
    "define_figure",
    "drop_old",
    "end_figure",
    "find_missed_hours",
    "keep",
    "make_ahead",
    "measure_figures",
    "order_backfill",
    "pack_hours",
    "propose_budget",
    "request_reading",
    "roll_up",
    "roll_up_all",
    "withdraw_budget",
    "write_figures",
    "write_hours",
    "write_minutes",
]
