"""What the ledger's tests share: entries, and the owner's hand to tamper with."""

from __future__ import annotations

import psycopg
from django.db import transaction

from endpoints.audit.actors import Actor
from endpoints.audit.models import Checkpoint
from endpoints.audit.services import make_checkpoint, record
from tests.support.databases import Database

DANA = Actor("user:7", "session")
TABLES = ("audit_entry", "audit_personal", "audit_checkpoint", "audit_subtree", "audit_anchoring")


def append(count: int = 1, **given: object) -> list[int]:
    """Record `count` events, each in a transaction of its own."""
    numbers = []
    for number in range(count):
        values: dict[str, object] = {
            "actor": DANA,
            "action": "change.approved",
            "subject": f"change:{number + 1}",
            "workspace_id": 1,
        }
        with transaction.atomic():
            numbers.append(record(**(values | given)))
    return numbers


def seal(count: int) -> Checkpoint:
    """Record `count` events and sign a checkpoint over them."""
    append(count)
    made = make_checkpoint(actor=DANA)
    assert made is not None
    return made


def tamper(database: Database, *statements: str) -> None:
    """Alter the ledger as its owner can: guards off, statements, guards on again."""
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        for table in TABLES:
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            owner.execute(statement)
        for table in TABLES:
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
