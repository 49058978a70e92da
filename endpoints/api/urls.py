"""Every address of the API. Names in addresses are those that Azure allows; all else is no address."""

from __future__ import annotations

from datetime import date

from django.urls import path, re_path, register_converter

from endpoints.api import (
    approval_rules,
    audit,
    backtest,
    budget,
    capacity,
    capacity_changes,
    capacity_export,
    capacity_rules,
    challenge_rights,
    challenges,
    changes,
    drills,
    executor,
    figures,
    finding_file,
    findings,
    fleet,
    holds,
    me,
    metrics,
    money,
    money_said,
    notices,
    passport,
    predictions,
    prices,
    probe,
    readiness,
    release,
    rollback,
    rollout,
    rollout_forecast,
    rollout_templates,
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


class DayConverter:
    """A day as ISO 8601 writes it."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(value)

    def to_url(self, value: date) -> str:
        return str(value)


register_converter(NumberConverter, "number")
register_converter(DayConverter, "day")
register_converter(NameConverter, "azure_name")

app_name = "api"
_ENDPOINT = "workspaces/<azure_name:ws>/endpoints/<azure_name:name>"
_RULE = "workspaces/<azure_name:ws>/rules/<number:rule>"
_CHANGE = "changes/<number:number>"
_CASE = "challenges/<number:number>"
_FINDING = "capacity/findings/<number:number>"

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
    path("workspaces/<azure_name:ws>/rules", approval_rules.Rules.as_view(), name="rules"),
    path(_RULE, approval_rules.Rule.as_view(), name="rule"),
    path(f"{_RULE}/end", approval_rules.End.as_view(), name="rule_end"),
    path(f"{_RULE}/decision", approval_rules.Decision.as_view(), name="rule_decision"),
    path(f"{_RULE}/withdrawal", approval_rules.Withdrawal.as_view(), name="rule_withdrawal"),
    path("workspaces/<azure_name:ws>/templates", rollout_templates.Templates.as_view(), name="templates"),
    path(
        "workspaces/<azure_name:ws>/templates/<number:template>",
        rollout_templates.Template.as_view(),
        name="template",
    ),
    path(
        "workspaces/<azure_name:ws>/challenge-policy",
        challenge_rights.CasePolicy.as_view(),
        name="challenge_policy",
    ),
    path(
        "workspaces/<azure_name:ws>/capacity-rules",
        capacity_rules.CapacityRules.as_view(),
        name="capacity_rules",
    ),
    path("workspaces/<azure_name:ws>/backtest", backtest.Backtest.as_view(), name="backtest"),
    path("endpoints", fleet.Endpoints.as_view(), name="endpoints"),
    path(_ENDPOINT, fleet.Endpoint.as_view(), name="endpoint"),
    path(f"{_ENDPOINT}/history", fleet.History.as_view(), name="endpoint_history"),
    path(f"{_ENDPOINT}/deployments", fleet.Deployments.as_view(), name="deployments"),
    path(f"{_ENDPOINT}/deployments/<azure_name:deployment>", fleet.Deployment.as_view(), name="deployment"),
    path(f"{_ENDPOINT}/rollback", rollback.Rollback.as_view(), name="rollback"),
    path(
        f"{_ENDPOINT}/capacity-changes",
        capacity_changes.CapacityChanges.as_view(),
        name="capacity_changes",
    ),
    path(f"{_ENDPOINT}/sample", probe.Sample.as_view(), name="sample"),
    path(f"{_ENDPOINT}/probes", probe.Probes.as_view(), name="probes"),
    path(f"{_ENDPOINT}/compare", release.Compare.as_view(), name="compare"),
    path(f"{_ENDPOINT}/readiness", readiness.Readiness.as_view(), name="readiness"),
    path(f"{_ENDPOINT}/drills", drills.Drills.as_view(), name="drills"),
    path(f"{_ENDPOINT}/forecast", rollout_forecast.OfPlan.as_view(), name="forecast"),
    path(f"{_ENDPOINT}/metrics", metrics.Series.as_view(), name="metrics"),
    path(f"{_ENDPOINT}/metrics/rows", metrics.Rows.as_view(), name="metrics_rows"),
    path(f"{_ENDPOINT}/metrics/latest", metrics.Latest.as_view(), name="metrics_latest"),
    path(f"{_ENDPOINT}/metrics/over-budget", metrics.OverBudget.as_view(), name="metrics_over_budget"),
    path(f"{_ENDPOINT}/metrics/observed", metrics.ObservedSplit.as_view(), name="metrics_observed"),
    path(f"{_ENDPOINT}/figures", figures.Figures.as_view(), name="figures"),
    path(f"{_ENDPOINT}/figures/<azure_name:figure>", figures.Figure.as_view(), name="figure"),
    path(f"{_ENDPOINT}/predictions", predictions.Predictions.as_view(), name="predictions"),
    path(f"{_ENDPOINT}/passport", passport.PassportAt.as_view(), name="passport_at"),
    path(f"{_ENDPOINT}/coverage", passport.Coverage.as_view(), name="coverage"),
    path(f"{_ENDPOINT}/budget", budget.Budget.as_view(), name="budget"),
    path(f"{_ENDPOINT}/budget/decision", budget.Decision.as_view(), name="budget_decision"),
    path(f"{_ENDPOINT}/budget/withdrawal", budget.Withdrawal.as_view(), name="budget_withdrawal"),
    path("predictions/passport", passport.Passports.as_view(), name="passport"),
    path("predictions", predictions.Found.as_view(), name="predictions_found"),
    path("budget-proposals", budget.Waiting.as_view(), name="budget_proposals"),
    path("telemetry", telemetry.Telemetry.as_view(), name="telemetry"),
    path("collectors", telemetry.Collectors.as_view(), name="collectors"),
    path("backfills", telemetry.Backfills.as_view(), name="backfills"),
    path("changes", changes.Changes.as_view(), name="changes"),
    path(_CHANGE, changes.Change.as_view(), name="change"),
    path(f"{_CHANGE}/approve", changes.Approve.as_view(), name="change_approve"),
    path(f"{_CHANGE}/reject", changes.Reject.as_view(), name="change_reject"),
    path(f"{_CHANGE}/start", changes.Start.as_view(), name="change_start"),
    path(f"{_CHANGE}/schedule", rollout.Schedule.as_view(), name="change_schedule"),
    path(f"{_CHANGE}/unschedule", rollout.Unschedule.as_view(), name="change_unschedule"),
    path(f"{_CHANGE}/hold", rollout.Hold.as_view(), name="change_hold"),
    path(f"{_CHANGE}/resume", rollout.Resume.as_view(), name="change_resume"),
    path(f"{_CHANGE}/advance", rollout.Advance.as_view(), name="change_advance"),
    path(f"{_CHANGE}/override", rollout.Override.as_view(), name="change_override"),
    path(f"{_CHANGE}/break-glass", rollout.BreakGlass.as_view(), name="change_break_glass"),
    path(f"{_CHANGE}/after-review", rollout.AfterReview.as_view(), name="change_after_review"),
    path(f"{_CHANGE}/comments", rollout.Comments.as_view(), name="change_comments"),
    path(f"{_CHANGE}/measurements", rollout.Measurements.as_view(), name="change_measurements"),
    path(f"{_CHANGE}/forecast", rollout_forecast.OfChange.as_view(), name="change_forecast"),
    path(f"{_CHANGE}/release", release.Release.as_view(), name="change_release"),
    path(f"{_CHANGE}/withdraw", changes.Withdraw.as_view(), name="change_withdraw"),
    path("after-reviews", rollout.AfterReviews.as_view(), name="after_reviews"),
    path(f"{_ENDPOINT}/holds", holds.EndpointHolds.as_view(), name="endpoint_holds"),
    path("holds/freezes", holds.Freezes.as_view(), name="freezes"),
    path("holds/freezes/import", holds.FreezeImport.as_view(), name="freezes_import"),
    path("holds/freezes/<number:number>", holds.Freeze.as_view(), name="freeze"),
    path("holds/freezes/<number:number>/end", holds.FreezeEnd.as_view(), name="freeze_end"),
    path("holds/stops", holds.Stops.as_view(), name="stops"),
    path("holds/stops/<number:number>", holds.Stop.as_view(), name="stop"),
    path("holds/stops/<number:number>/lift", holds.StopLift.as_view(), name="stop_lift"),
    path("challenges", challenges.Cases.as_view(), name="challenges"),
    path("challenges/erasures", challenge_rights.Erasures.as_view(), name="erasures"),
    path(_CASE, challenges.Case.as_view(), name="challenge"),
    path(f"{_CASE}/record", challenges.Choice.as_view(), name="challenge_record"),
    path(f"{_CASE}/evidence", challenges.Collection.as_view(), name="challenge_collect"),
    path(
        f"{_CASE}/evidence/<number:evidence>", challenges.EvidenceBytes.as_view(), name="challenge_evidence"
    ),
    path(f"{_CASE}/assignment", challenges.Assignment.as_view(), name="challenge_assignment"),
    path(f"{_CASE}/comments", challenges.CaseComments.as_view(), name="challenge_comments"),
    path(f"{_CASE}/links", challenges.Links.as_view(), name="challenge_links"),
    path(f"{_CASE}/decision", challenges.Verdict.as_view(), name="challenge_decision"),
    path(f"{_CASE}/confirmation", challenges.Confirmation.as_view(), name="challenge_confirmation"),
    path(f"{_CASE}/sending-back", challenges.SendingBack.as_view(), name="challenge_sending_back"),
    path(f"{_CASE}/reopening", challenges.Reopening.as_view(), name="challenge_reopening"),
    path(f"{_CASE}/pack", challenges.Pack.as_view(), name="challenge_pack"),
    path(f"{_CASE}/holds", challenge_rights.LegalHolds.as_view(), name="challenge_holds"),
    path(
        f"{_CASE}/holds/<number:hold>/agreement",
        challenge_rights.LegalHoldAgreement.as_view(),
        name="challenge_hold_agreement",
    ),
    path(
        f"{_CASE}/holds/<number:hold>/end",
        challenge_rights.LegalHoldEnd.as_view(),
        name="challenge_hold_end",
    ),
    path(f"{_CASE}/erasure", challenge_rights.Erasure.as_view(), name="challenge_erasure"),
    path(
        f"{_CASE}/erasure/agreement",
        challenge_rights.ErasureAgreement.as_view(),
        name="challenge_erasure_agreement",
    ),
    path("capacity/ledger", capacity.Ledger.as_view(), name="capacity_ledger"),
    path("capacity/days", capacity.Days.as_view(), name="capacity_days"),
    path("capacity/days/<number:number>/<day:day>", capacity.Formula.as_view(), name="capacity_formula"),
    path("capacity/findings", findings.Findings.as_view(), name="findings"),
    path(_FINDING, findings.Finding.as_view(), name="finding"),
    path(f"{_FINDING}/claim", findings.Claim.as_view(), name="finding_claim"),
    path(f"{_FINDING}/release", findings.Release.as_view(), name="finding_release"),
    path(f"{_FINDING}/file", finding_file.File.as_view(), name="finding_file"),
    path(f"{_FINDING}/postpone", findings.Postpone.as_view(), name="finding_postpone"),
    path(f"{_FINDING}/dismiss", findings.Dismiss.as_view(), name="finding_dismiss"),
    path(f"{_FINDING}/comments", findings.FindingComments.as_view(), name="finding_comments"),
    path("capacity/left-alone", findings.LeftAlone.as_view(), name="capacity_left_alone"),
    path("capacity/months", money.Months.as_view(), name="capacity_months"),
    path("capacity/savings", money.Savings.as_view(), name="capacity_savings"),
    path("capacity/unit-costs", money.UnitCosts.as_view(), name="capacity_unit_costs"),
    path("capacity/alerts", money.Alerts.as_view(), name="capacity_alerts"),
    path("capacity/plans", money_said.Plans.as_view(), name="capacity_plans"),
    path("workspaces/<azure_name:ws>/capacity-plans", money_said.PlanOf.as_view(), name="capacity_plan_of"),
    path("capacity/values", money_said.Values.as_view(), name="capacity_values"),
    path(f"{_ENDPOINT}/prediction-value", money_said.ValueOf.as_view(), name="prediction_value"),
    path("capacity/agreements", money_said.Agreements.as_view(), name="capacity_agreements"),
    path(
        "workspaces/<azure_name:ws>/price-agreements",
        money_said.AgreementOf.as_view(),
        name="price_agreements",
    ),
    path("capacity/agreements/<number:number>/end", money_said.AgreementEnd.as_view(), name="agreement_end"),
    path("capacity/heatmap", capacity.Heatmap.as_view(), name="capacity_heatmap"),
    path("capacity/export.csv", capacity_export.AsCsv.as_view(), name="capacity_csv"),
    path("capacity/export.json", capacity_export.AsJson.as_view(), name="capacity_json"),
    path("capacity/export-focus.csv", capacity_export.AsFocus.as_view(), name="capacity_focus"),
    path("notices/channels", notices.Channels.as_view(), name="channels"),
    path("notices/channels/<number:channel>", notices.Channel.as_view(), name="channel"),
    path("notices/channels/<number:channel>/end", notices.ChannelEnd.as_view(), name="channel_end"),
    path("notices/channels/<number:channel>/test", notices.ChannelTest.as_view(), name="channel_test"),
    path("notices/channels/<number:channel>/key", notices.ChannelKey.as_view(), name="channel_key"),
    path("notices/deliveries", notices.Deliveries.as_view(), name="deliveries"),
    path("audit", audit.Entries.as_view(), name="audit"),
    path("audit/verification", audit.Verification.as_view(), name="audit_verification"),
    path("audit/sealing", audit.Sealing.as_view(), name="audit_sealing"),
    path("audit/checkpoints", audit.Checkpoints.as_view(), name="audit_checkpoints"),
    path("audit/checkpoints/<number:size>", audit.Checkpoint.as_view(), name="audit_checkpoint"),
    path("audit/<number:seq>", audit.Entry.as_view(), name="audit_entry"),
    re_path(r"^[\s\S]*\Z", unknown.Unknown.as_view(), name="unknown"),
]
