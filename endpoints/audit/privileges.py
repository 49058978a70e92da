"""Whether the role that this process runs as could rewrite the ledger, and whether its guards stand."""

from __future__ import annotations

import structlog
from django.db import Error, connection
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg_pool import PoolTimeout

log = structlog.get_logger(__name__)

_FORBIDDEN = {
    "audit_entry": ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES"),
    "audit_personal": ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER"),
    "audit_checkpoint": ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER"),
    "audit_subtree": ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER"),
    "audit_anchoring": ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER"),
}
# O fires in ordinary sessions, A in every session.
_TRIGGERS = {
    ("audit_entry", "audit_chain"): "OA",
    ("audit_entry", "audit_entry_rows"): "A",
    ("audit_entry", "audit_entry_table"): "A",
    ("audit_personal", "audit_personal_rows"): "A",
    ("audit_personal", "audit_personal_table"): "A",
    ("audit_personal", "audit_personal_erased"): "A",
    **{
        (table, f"{table}_{guarded}"): "A"
        for table in ("audit_checkpoint", "audit_subtree", "audit_anchoring")
        for guarded in ("rows", "table")
    },
}


_found: tuple[str, ...] | None = None


def check_at_start(*, strict: bool) -> tuple[str, ...]:
    """Look once, when a process starts; `found_at_start` tells it to pages. SystemExit when `strict` and it is open.

    A database that does not answer can't be looked at: strictly, that is no closed ledger.
    """
    global _found
    try:
        _found = tuple(check_privileges())
    except (Error, PoolTimeout) as error:
        _found = (
            f"Whether this database role could alter the ledger is not known ({type(error).__name__}).",
        )
    finally:
        _let_go()
    for problem in _found:
        log.warning("ledger_open", problem=problem)
    if strict and _found:
        raise SystemExit("The portal does not start: the ledger is open.\n  - " + "\n  - ".join(_found))
    return _found


def _let_go() -> None:
    """No connection from before a fork may be used behind it."""
    if not connection.in_atomic_block:
        connection.close()
        if isinstance(connection, DatabaseWrapper):
            connection.close_pool()


def found_at_start() -> tuple[str, ...] | None:
    """What `check_at_start` found in this process; None: it did not look."""
    return _found


def check_privileges() -> list[str]:
    """Every way, in words, in which the ledger is open to this role; empty when it is closed."""
    return _role_problems() + _privilege_problems() + _trigger_problems()


def owns_the_ledger() -> bool:
    """Whether this role may switch the guards off: it migrates, or is a superuser."""
    return bool(
        _row("SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE oid = 'audit_entry'::regclass")[0]
    )


def _role_problems() -> list[str]:
    role, superuser, owner, replica = _row(
        """
        SELECT current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
               (SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE oid = 'audit_entry'::regclass),
               current_setting('session_replication_role') = 'replica'
        """
    )
    found = []
    if superuser:
        found.append(f"The database role {role} is a superuser: it can rewrite the ledger.")
    elif owner:
        found.append(f"The database role {role} owns the ledger's table: it can switch its guards off.")
    if replica:
        found.append("This session calls itself a replica, so the trigger that chains entries does not fire.")
    return found


def _privilege_problems() -> list[str]:
    return [
        f"The runtime role may {privilege} on {table}; run manage.py grant_runtime."
        for table, privileges in _FORBIDDEN.items()
        for privilege in privileges
        if _may(table, privilege)
    ] + _schema_problems()


def _schema_problems() -> list[str]:
    """Databases that began before PostgreSQL 15 let everybody create in `public`, also after an upgrade."""
    if not _row("SELECT has_schema_privilege(current_user, 'public', 'CREATE')")[0]:
        return []
    return [
        "The runtime role may create tables and functions in the schema public; the owner takes that away with"
        " REVOKE CREATE ON SCHEMA public FROM PUBLIC."
    ]


def _may(table: str, privilege: str) -> bool:
    of_columns = privilege in ("UPDATE", "REFERENCES")
    test = "has_any_column_privilege" if of_columns else "has_table_privilege"
    return bool(_row(f"SELECT {test}(current_user, %s, %s)", table, privilege)[0])


def _trigger_problems() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger"
            " WHERE tgrelid = ANY (%s::regclass[]) AND NOT tgisinternal",
            [list(_FORBIDDEN)],
        )
        enabled = {(table, name): state for table, name, state in cursor.fetchall()}
    return [
        f"The trigger {name} of {table} is missing or switched off."
        for (table, name), states in _TRIGGERS.items()
        if enabled.get((table, name), "-") not in states
    ]


def _row(query: str, *parameters: str) -> tuple[object, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        row = cursor.fetchone()
    return tuple(row or ())
