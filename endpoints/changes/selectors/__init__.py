"""Reads of changes for pages, API and executor: frozen rows out, scoped by the principal that asks."""

from endpoints.changes.selectors.executor import ExecutorState, executor_state
from endpoints.changes.selectors.page import ChangeDetail, ChangeProgress, change_detail, change_progress
from endpoints.changes.selectors.rollback import Offer, may_roll_back, offer_for, rollback_offer
from endpoints.changes.selectors.rollout import BakeView, GateView, Measured, Rollout, measurements_of
from endpoints.changes.selectors.rows import ChangePage, ChangeRow, Tab, change_rows
from endpoints.changes.selectors.waiting import Pulse, pulse, waiting_count

__all__ = [
    "BakeView",
    "ChangeDetail",
    "ChangePage",
    "ChangeProgress",
    "ChangeRow",
    "ExecutorState",
    "GateView",
    "Measured",
    "Offer",
    "Pulse",
    "Rollout",
    "Tab",
    "change_detail",
    "change_progress",
    "change_rows",
    "executor_state",
    "may_roll_back",
    "measurements_of",
    "offer_for",
    "pulse",
    "rollback_offer",
    "waiting_count",
]
