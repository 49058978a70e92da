"""Every page's address. A path without a rule is no page: `tests/web/test_access.py` walks this list."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from endpoints.web import (
    account,
    ask,
    audit,
    budget,
    budgets,
    changes,
    deployment,
    endpoint,
    fleet,
    guide,
    metrics,
    operation,
    review,
    rollback,
    search,
    telemetry,
    workspaces,
)

app_name = "web"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="web:fleet"), name="home"),
    path("login", account.login, name="login"),
    path("logout", account.logout, name="logout"),
    path("help", guide.guide, name="help"),
    path("search", search.search, name="search"),
    path("telemetry", telemetry.telemetry, name="telemetry"),
    path("budgets", budgets.budgets, name="budgets"),
    path("fleet", fleet.fleet, name="fleet"),
    path("w/<slug:ws>/", fleet.workspace_fleet, name="workspace"),
    path("w/<slug:ws>/e/<str:name>/", endpoint.endpoint, name="endpoint"),
    path("w/<slug:ws>/e/<str:name>/budget", budget.budget, name="budget"),
    path("w/<slug:ws>/e/<str:name>/charts/<slug:chart>.json", metrics.chart, name="chart"),
    path("w/<slug:ws>/e/<str:name>/metrics.<slug:form>", metrics.metrics_file, name="metrics_file"),
    path("w/<slug:ws>/e/<str:name>/figures.<slug:form>", metrics.figures_file, name="figures_file"),
    path("w/<slug:ws>/e/<str:name>/d/<str:deployment>/", deployment.deployment, name="deployment"),
    path("w/<slug:ws>/e/<str:name>/change/new", ask.new, name="change_new"),
    path("w/<slug:ws>/e/<str:name>/rollback", rollback.rollback, name="rollback"),
    path("changes", changes.change_list, name="changes"),
    path("changes/CR-<int:number>", review.change, name="change"),
    path("changes/CR-<int:number>/edit", ask.edit, name="change_edit"),
    path("changes/CR-<int:number>/decide", review.decide, name="change_decide"),
    path("changes/CR-<int:number>/start", review.start, name="change_start"),
    path("changes/CR-<int:number>/withdraw", review.withdraw, name="change_withdraw"),
    path("changes/CR-<int:number>/live", operation.live, name="live"),
    path("changes/CR-<int:number>/events", operation.events, name="change_events"),
    path("audit", audit.history, name="audit"),
    path("audit/verify", audit.verify, name="audit_verify"),
    path("audit/<int:seq>", audit.entry, name="audit_entry"),
    path("settings/workspaces", workspaces.workspaces, name="workspaces"),
    path("settings/workspaces/<slug:ws>/sync", workspaces.sync, name="workspace_sync"),
    path("settings/workspaces/<int:number>/disconnect", workspaces.disconnect, name="workspace_disconnect"),
    path("settings/profile", account.profile, name="profile"),
    path("settings/tokens", account.tokens, name="tokens"),
    path("settings/tokens/<int:token_id>/revoke", account.token_revoke, name="token_revoke"),
    path("settings/zone", account.zone, name="zone"),
]
