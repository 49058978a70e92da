"""`manage.py check --database default` says how the runtime role could alter the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import Error, connection

from endpoints.audit.privileges import check_privileges, owns_the_ledger


@register(Tags.database)
def ledger_is_closed(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """One warning for each way in. Who owns the tables is about to migrate, and is not warned of that."""
    if "default" not in (databases or ()):
        return []
    if "audit_entry" not in connection.introspection.table_names():
        return []
    try:
        problems = [] if owns_the_ledger() else check_privileges()
    except Error as error:
        problems = [f"Whether the ledger is closed is not known: {error}"]
    return [Warning(problem, id="audit.W001") for problem in problems]
