"""What the runtime role may do in the database: everything with rows, except changing history.

The owner migrates; every process of the portal runs as the runtime role. A room that keeps history lists its
tables here, and a test checks that the database refuses to update or delete in them.
"""

from __future__ import annotations

from typing import Any

from psycopg import sql

RUNTIME_ROLE = "opsportal_runtime"
OWNER_ROLE = "opsportal_owner"

# INSERT and SELECT only.
APPEND_ONLY_TABLES: tuple[str, ...] = (
    "audit_anchoring",
    "audit_checkpoint",
    "audit_entry",
    "audit_personal",
    "audit_subtree",
    "audit_verification",
    "capacity_finding_event",
    "capacity_prediction_value",
    "capacity_rule_set",
    "capacity_spend_plan",
    "challenges_evidence",
    "challenges_link",
    "challenges_log_reading",
    "challenges_move",
    "challenges_policy",
    "changes_changerevision",
    "changes_check",
    "changes_decision",
    "changes_gateoverride",
    "changes_keptfile",
    "changes_measurement",
    "changes_probe",
    "changes_sample",
    "changes_transition",
    "holds_override",
    "inventory_deployment_revision",
    "inventory_drift",
    "inventory_drift_attribution",
    "inventory_endpoint_revision",
    "inventory_raw_document",
    "inventory_sync_run",
    "metrics_budget",
    "metrics_budget_decision",
    "metrics_budget_proposal",
    "notices_message",
    "prices_sku_price",
)
# Only the owner migrates.
READ_ONLY_TABLES: tuple[str, ...] = ("django_migrations",)


def grant_runtime(cursor: Any, *, role: str = RUNTIME_ROLE) -> None:
    """Bring the runtime role's rights to what they should be, whatever they were. Runs as the owner.

    Revokes first, so that a table that became append-only loses what it had.
    """
    name = sql.Identifier(role)
    for statement in (
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    ):
        cursor.execute(sql.SQL(statement).format(role=name))
    for table in APPEND_ONLY_TABLES:
        _narrow(cursor, name, table, "UPDATE, DELETE")
    for table in READ_ONLY_TABLES:
        _narrow(cursor, name, table, "INSERT, UPDATE, DELETE")


def _narrow(cursor: Any, role: sql.Identifier, table: str, rights: str) -> None:
    # A name that does not exist fails: a typing error must not leave history open.
    cursor.execute(
        sql.SQL("REVOKE {rights} ON TABLE {table} FROM {role}").format(
            rights=sql.SQL(rights), table=sql.Identifier("public", table), role=role
        )
    )
