"""Reads of the room, as frozen rows: series, newest values, budgets, observed splits, how well all is seen.

Functions take the ids of what they may look at and ask for nobody's rights; callers do, before.
"""

from endpoints.metrics.selectors.boundaries import finest_grain
from endpoints.metrics.selectors.budget import (
    BudgetRow,
    ProposalRow,
    WaitingPage,
    WaitingRow,
    budget_at,
    budget_history,
    budgets_at,
    budgets_between,
    open_proposal,
    open_proposals,
    waiting_proposals,
)
from endpoints.metrics.selectors.collecting import (
    BackfillPage,
    BackfillRow,
    CollectorPage,
    CollectorRow,
    backfills,
    collectors,
)
from endpoints.metrics.selectors.expected import expected_p95, expected_traffic
from endpoints.metrics.selectors.exports import Exports, log_exports
from endpoints.metrics.selectors.figures import (
    FigureMinute,
    FigureMinutes,
    FigurePage,
    FigureRow,
    FigureSeries,
    SentMinute,
    SentPage,
    figure_named,
    figure_series,
    figures,
    figures_between,
    sent_minutes,
)
from endpoints.metrics.selectors.gates import GateMinute, GateMinutes, gate_minutes
from endpoints.metrics.selectors.latest import LatestRow, latest
from endpoints.metrics.selectors.observed import ObservedSplit, observed_split
from endpoints.metrics.selectors.observed_since import observed_since
from endpoints.metrics.selectors.over_budget import Share, over_budget, together
from endpoints.metrics.selectors.peaks import peaks
from endpoints.metrics.selectors.series import COLUMNS, Coverage, Series, series
from endpoints.metrics.selectors.telemetry import Brief, HealthPage, HealthRow, briefs, health

__all__ = [
    "COLUMNS",
    "BackfillPage",
    "BackfillRow",
    "Brief",
    "BudgetRow",
    "CollectorPage",
    "CollectorRow",
    "Coverage",
    "Exports",
    "FigureMinute",
    "FigureMinutes",
    "FigurePage",
    "FigureRow",
    "FigureSeries",
    "GateMinute",
    "GateMinutes",
    "HealthPage",
    "HealthRow",
    "LatestRow",
    "ObservedSplit",
    "ProposalRow",
    "SentMinute",
    "SentPage",
    "Series",
    "Share",
    "WaitingPage",
    "WaitingRow",
    "backfills",
    "briefs",
    "budget_at",
    "budget_history",
    "budgets_at",
    "budgets_between",
    "collectors",
    "expected_p95",
    "expected_traffic",
    "figure_named",
    "figure_series",
    "figures",
    "figures_between",
    "finest_grain",
    "gate_minutes",
    "health",
    "latest",
    "log_exports",
    "observed_since",
    "observed_split",
    "open_proposal",
    "open_proposals",
    "over_budget",
    "peaks",
    "sent_minutes",
    "series",
    "together",
    "waiting_proposals",
]
