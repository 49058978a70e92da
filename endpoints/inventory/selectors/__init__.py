"""Reads of the mirror, as frozen rows.

Functions take the ids of what they may look at and ask for nobody's rights; callers do, before.
"""

from endpoints.inventory.selectors.asof import (
    DeploymentThen,
    EndpointThen,
    StateThen,
    deployments_as_of,
    endpoint_as_of,
)
from endpoints.inventory.selectors.attribution import AttributionRow
from endpoints.inventory.selectors.endpoint import DeploymentRow, DriftRow, EndpointPage, endpoint_page
from endpoints.inventory.selectors.endpoint_asof import (
    DeploymentBoth,
    EndpointPageThen,
    endpoint_page_as_of,
)
from endpoints.inventory.selectors.facts import (
    EndpointFacts,
    VerifiedSplit,
    endpoint_facts,
    endpoint_id_by_name,
    raw_document,
    verified_splits,
)
from endpoints.inventory.selectors.fleet import (
    DeploymentBrief,
    FleetCounts,
    FleetPage,
    FleetRow,
    endpoint_count,
    endpoint_names,
    fleet_counts,
    fleet_rows,
)
from endpoints.inventory.selectors.fleet_asof import (
    FleetRowThen,
    FleetThen,
    differ,
    fleet_as_of,
)
from endpoints.inventory.selectors.freshness import (
    Freshness,
    Place,
    Unreadable,
    freshness,
    freshness_of,
    places,
    read_until,
)
from endpoints.inventory.selectors.history import HistoryItem, HistoryPage, drifts, history
from endpoints.inventory.selectors.named import (
    ModelThen,
    Readings,
    SplitRun,
    deployments_named,
    endpoint_then,
    models_between,
    readings_around,
    runs_between,
    split_run,
)
from endpoints.inventory.selectors.sight import (
    CurrentSplit,
    DeploymentState,
    current_split,
    deployment_states,
)
from endpoints.inventory.selectors.spans import (
    DeploymentLife,
    SplitSpan,
    deployments_between,
    split_spans,
)
from endpoints.inventory.selectors.stretches import (
    ModelSwitch,
    SplitStretch,
    model_switches,
    split_stretches,
)

__all__ = [
    "AttributionRow",
    "CurrentSplit",
    "DeploymentBoth",
    "DeploymentBrief",
    "DeploymentLife",
    "DeploymentRow",
    "DeploymentState",
    "DeploymentThen",
    "DriftRow",
    "EndpointFacts",
    "EndpointPage",
    "EndpointPageThen",
    "EndpointThen",
    "FleetCounts",
    "FleetPage",
    "FleetRow",
    "FleetRowThen",
    "FleetThen",
    "Freshness",
    "HistoryItem",
    "HistoryPage",
    "ModelSwitch",
    "ModelThen",
    "Place",
    "Readings",
    "SplitRun",
    "SplitSpan",
    "SplitStretch",
    "StateThen",
    "Unreadable",
    "VerifiedSplit",
    "current_split",
    "deployment_states",
    "deployments_as_of",
    "deployments_between",
    "deployments_named",
    "differ",
    "drifts",
    "endpoint_as_of",
    "endpoint_count",
    "endpoint_facts",
    "endpoint_id_by_name",
    "endpoint_names",
    "endpoint_page",
    "endpoint_page_as_of",
    "endpoint_then",
    "fleet_as_of",
    "fleet_counts",
    "fleet_rows",
    "freshness",
    "freshness_of",
    "history",
    "model_switches",
    "models_between",
    "places",
    "raw_document",
    "read_until",
    "readings_around",
    "runs_between",
    "split_run",
    "split_spans",
    "split_stretches",
    "verified_splits",
]
