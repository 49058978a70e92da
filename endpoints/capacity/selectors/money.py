"""Money of capacity for pages and programs: the month, the headline, unit costs, what people said, alerts."""

from endpoints.capacity.selectors.alerts import AlertPage, AlertRow, alerts
from endpoints.capacity.selectors.headline import Headline, headline
from endpoints.capacity.selectors.inputs import AgreementRow, PlanRow, ValueRow, agreements, plans, values
from endpoints.capacity.selectors.month import Month, month_of, today_of
from endpoints.capacity.selectors.unit_costs import UnitCost, UnitCostPage, unit_costs

__all__ = [
    "AgreementRow",
    "AlertPage",
    "AlertRow",
    "Headline",
    "Month",
    "PlanRow",
    "UnitCost",
    "UnitCostPage",
    "ValueRow",
    "agreements",
    "alerts",
    "headline",
    "month_of",
    "plans",
    "today_of",
    "unit_costs",
    "values",
]
