"""Every address of the API. Names in addresses are those that Azure allows; all else is no address."""

from __future__ import annotations

from django.urls import path, re_path, register_converter

from endpoints.api import (
    audit,
    budget,
    changes,
    executor,
    figures,
    fleet,
    me,
    metrics,
    prices,
    rollback,
    schema,
    telemetry,
    unknown,
    workspaces,
)


class NumberConverter:
    """A number that the database can hold."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


class NameConverter:
    """A name as Azure allows it for endpoints and deployments, or a workspace's short name."""

    regex = "[A-Za-z0-9][A-Za-z0-9_-]{0,254}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(NumberConverter, "number")
register_converter(NameConverter, "azure_name")

app_name = "api"
_ENDPOINT = "workspaces/<azure_name:ws>/endpoints/<azure_name:name>"

urlpatterns = [
    path("openapi.json", schema.OpenApi.as_view(), name="openapi"),
    path("me", me.Me.as_view(), name="me"),
    path("tokens", me.Tokens.as_view(), name="tokens"),
    path("tokens/<number:token_id>", me.Token.as_view(), name="token"),
    path("executor", executor.Executor.as_view(), name="executor"),
    path("workspaces", workspaces.Workspaces.as_view(), name="workspaces"),
    path("workspaces/<azure_name:ws>", workspaces.Workspace.as_view(), name="workspace"),
    path("workspaces/<azure_name:ws>/sync", workspaces.Sync.as_view(), name="workspace_sync"),
    path(
        "workspaces/<azure_name:ws>/disconnect", workspaces.Disconnect.as_view(), name="workspace_disconnect"
    ),
    path("workspaces/<azure_name:ws>/prices", prices.Prices.as_view(), name="prices"),
    path("endpoints", fleet.Endpoints.as_view(), name="endpoints"),
    path(_ENDPOINT, fleet.Endpoint.as_view(), name="endpoint"),
    path(f"{_ENDPOINT}/history", fleet.History.as_view(), name="endpoint_history"),
    path(f"{_ENDPOINT}/deployments", fleet.Deployments.as_view(), name="deployments"),
    path(f"{_ENDPOINT}/deployments/<azure_name:deployment>", fleet.Deployment.as_view(), name="deployment"),
    path(f"{_ENDPOINT}/rollback", rollback.Rollback.as_view(), name="rollback"),
    path(f"{_ENDPOINT}/metrics", metrics.Series.as_view(), name="metrics"),
    path(f"{_ENDPOINT}/metrics/rows", metrics.Rows.as_view(), name="metrics_rows"),
    path(f"{_ENDPOINT}/metrics/latest", metrics.Latest.as_view(), name="metrics_latest"),
    path(f"{_ENDPOINT}/metrics/over-budget", metrics.OverBudget.as_view(), name="metrics_over_budget"),
    path(f"{_ENDPOINT}/metrics/observed", metrics.ObservedSplit.as_view(), name="metrics_observed"),
    path(f"{_ENDPOINT}/figures", figures.Figures.as_view(), name="figures"),
    path(f"{_ENDPOINT}/figures/<azure_name:figure>", figures.Figure.as_view(), name="figure"),
    path(f"{_ENDPOINT}/budget", budget.Budget.as_view(), name="budget"),
    path(f"{_ENDPOINT}/budget/decision", budget.Decision.as_view(), name="budget_decision"),
    path(f"{_ENDPOINT}/budget/withdrawal", budget.Withdrawal.as_view(), name="budget_withdrawal"),
    path("budget-proposals", budget.Waiting.as_view(), name="budget_proposals"),
    path("telemetry", telemetry.Telemetry.as_view(), name="telemetry"),
    path("collectors", telemetry.Collectors.as_view(), name="collectors"),
    path("backfills", telemetry.Backfills.as_view(), name="backfills"),
    path("changes", changes.Changes.as_view(), name="changes"),
    path("changes/<number:number>", changes.Change.as_view(), name="change"),
    path("changes/<number:number>/approve", changes.Approve.as_view(), name="change_approve"),
    path("changes/<number:number>/reject", changes.Reject.as_view(), name="change_reject"),
    path("changes/<number:number>/start", changes.Start.as_view(), name="change_start"),
    path("changes/<number:number>/withdraw", changes.Withdraw.as_view(), name="change_withdraw"),
    path("audit", audit.Entries.as_view(), name="audit"),
    path("audit/verification", audit.Verification.as_view(), name="audit_verification"),
    path("audit/<number:seq>", audit.Entry.as_view(), name="audit_entry"),
    re_path(r"^[\s\S]*\Z", unknown.Unknown.as_view(), name="unknown"),
]
