"""Reads of changes for pages, API and executor: frozen rows out, scoped by the principal that asks."""

from endpoints.changes.selectors.accepted import accepted_by_people
from endpoints.changes.selectors.after_review import (
    AfterReviewPage,
    AfterReviewView,
    after_review_of,
    unreviewed,
)
from endpoints.changes.selectors.approval import Approval, Approved, GateSaid, approval_of
from endpoints.changes.selectors.approvals_asof import CouldApprove
from endpoints.changes.selectors.asked import base_to_ask_on
from endpoints.changes.selectors.backtest import (
    Backtested,
    BacktestPage,
    StepBacktest,
    backtest_in,
    backtests,
)
from endpoints.changes.selectors.change_asof import (
    ActiveThen,
    ChangeThen,
    active_then,
    change_then,
    last_completed_then,
)
from endpoints.changes.selectors.dossier import change_documents
from endpoints.changes.selectors.drills import DrillPage, DrillView, drill_of, drill_report
from endpoints.changes.selectors.executor import ExecutorState, executor_state
from endpoints.changes.selectors.forecast import change_forecast, forecast_draft, forecast_of
from endpoints.changes.selectors.holding import holds_against
from endpoints.changes.selectors.page import ChangeDetail, ChangeProgress, change_detail, change_progress
from endpoints.changes.selectors.probes import (
    ProbePage,
    ProbeView,
    SampleView,
    newest_probes,
    probes,
    sample_of,
)
from endpoints.changes.selectors.quorum import quorum_of
from endpoints.changes.selectors.readiness import KeptLight, kept_lights, light_of, readiness_of
from endpoints.changes.selectors.releases import Release, release_of
from endpoints.changes.selectors.rollback import Offer, may_roll_back, offer_for, rollback_offer
from endpoints.changes.selectors.rollout import BakeView, GateView, Measured, Rollout, measurements_of
from endpoints.changes.selectors.rows import ChangePage, ChangeRow, Tab, change_rows
from endpoints.changes.selectors.rules import RulePage, RuleRow, RuleState, approval_rule, approval_rules
from endpoints.changes.selectors.running import Running, RunningPage, running
from endpoints.changes.selectors.templates import TemplatePage, TemplateRow, template, templates
from endpoints.changes.selectors.waiting import Pulse, pulse, waiting_count

__all__ = [
    "ActiveThen",
    "AfterReviewPage",
    "AfterReviewView",
    "Approval",
    "Approved",
    "BacktestPage",
    "Backtested",
    "BakeView",
    "ChangeDetail",
    "ChangePage",
    "ChangeProgress",
    "ChangeRow",
    "ChangeThen",
    "CouldApprove",
    "DrillPage",
    "DrillView",
    "ExecutorState",
    "GateSaid",
    "GateView",
    "KeptLight",
    "Measured",
    "Offer",
    "ProbePage",
    "ProbeView",
    "Pulse",
    "Release",
    "Rollout",
    "RulePage",
    "RuleRow",
    "RuleState",
    "Running",
    "RunningPage",
    "SampleView",
    "StepBacktest",
    "Tab",
    "TemplatePage",
    "TemplateRow",
    "accepted_by_people",
    "active_then",
    "after_review_of",
    "approval_of",
    "approval_rule",
    "approval_rules",
    "backtest_in",
    "backtests",
    "base_to_ask_on",
    "change_detail",
    "change_documents",
    "change_forecast",
    "change_progress",
    "change_rows",
    "change_then",
    "drill_of",
    "drill_report",
    "executor_state",
    "forecast_draft",
    "forecast_of",
    "holds_against",
    "kept_lights",
    "last_completed_then",
    "light_of",
    "may_roll_back",
    "measurements_of",
    "newest_probes",
    "offer_for",
    "probes",
    "pulse",
    "quorum_of",
    "readiness_of",
    "release_of",
    "rollback_offer",
    "running",
    "sample_of",
    "template",
    "templates",
    "unreviewed",
    "waiting_count",
]
