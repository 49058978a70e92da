"""The two roles and the database of an embedded cluster; safe to repeat."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from opsportal.grants import OWNER_ROLE, RUNTIME_ROLE


def ensure_roles(admin_url: str, *, owner_password: str, runtime_password: str) -> None:
    """Create the owner (who may create databases: tests clone theirs) and the runtime role, or reset them."""
    with psycopg.connect(admin_url, autocommit=True) as session:
        # Two starts at the same time would both see no role and both create it.
        session.execute("SELECT pg_advisory_lock(7261, 1)")
        for role, password, rights in (
            (OWNER_ROLE, owner_password, "CREATEDB"),
            (RUNTIME_ROLE, runtime_password, "NOCREATEDB"),
        ):
            known = session.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            session.execute(
                sql.SQL("{verb} ROLE {role} LOGIN NOSUPERUSER {rights} PASSWORD {password}").format(
                    verb=sql.SQL("ALTER" if known else "CREATE"),
                    role=sql.Identifier(role),
                    rights=sql.SQL(rights),
                    password=sql.Literal(password),
                )
            )


def ensure_database(admin_url: str, name: str) -> None:
    """Create a database that the owner owns, unless it exists."""
    with psycopg.connect(admin_url, autocommit=True) as session:
        if not session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            session.execute(
                sql.SQL("CREATE DATABASE {name} OWNER {owner}").format(
                    name=sql.Identifier(name), owner=sql.Identifier(OWNER_ROLE)
                )
            )


def url_for(admin_url: str, *, role: str, password: str, database: str) -> str:
    """The same server's URL for another role and database."""
    parts = urlsplit(admin_url)
    place = f"{parts.hostname}:{parts.port}" if parts.port else f"{parts.hostname}"
    return urlunsplit((parts.scheme, f"{role}:{password}@{place}", f"/{database}", parts.query, ""))
