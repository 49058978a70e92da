"""A thousand random ways to tamper with a stored ledger: each is found, and the first bad entry named."""

from __future__ import annotations

import random
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import transaction
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from endpoints.audit.actors import Actor
from endpoints.audit.anchorfile import Anchored, read_anchored
from endpoints.audit.models import Checkpoint, Entry, Personal
from endpoints.audit.services import erase
from endpoints.audit.verification import verify_stored
from opsportal.embedded.throwaway import Servers
from tests.audit.conftest import new_key
from tests.audit.mutations import MUTATIONS, TABLES, Ledger
from tests.audit.support import DANA, append, seal
from tests.support import databases

ROUNDS, EACH = 10, 100
Stage = tuple[Ledger, Anchored]


@pytest.fixture(scope="module")
def stage(
    servers: Servers,
    migrated_template: str,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """A sealed and anchored ledger; then its guards are off and the portal's connection is its owner's."""
    folder, before = tmp_path_factory.mktemp("outside"), settings.OPSPORTAL
    (folder / "key.pem").write_bytes(new_key()[0])
    named = {
        "audit_key_file": folder / "key.pem",
        "audit_anchor_file": folder / "anchors.txt",
        "audit_origin": "ledger.test",
    }
    with databases.cloned(servers, migrated_template) as database, django_db_blocker.unblock():
        settings.OPSPORTAL = before.model_copy(update=named)
        with databases.default_database(database.url):
            ledger = _filled()
        _guards_off(database)
        with databases.default_database(database.owner_url):
            yield ledger, read_anchored(folder / "anchors.txt")
        settings.OPSPORTAL = before


def _filled() -> Ledger:
    visitor = Actor("user:7", "session", ip="192.0.2.1")
    for number in range(6):
        append(30, after={"state": "approved", "version": number}, before={"state": "in_review"})
        append(10, personal={"reason": f"because of {number}"}, actor=visitor, workspace_id=None)
        erase(actor=DANA, entries=[number * 50 + 35, number * 50 + 36], reason="A court said so.")
        seal(9)
    sealed = tuple(Checkpoint.objects.order_by("size").values_list("size", flat=True))
    with_text = set(Personal.objects.filter(field="reason").values_list("entry_id", flat=True))
    return Ledger(
        entries=Entry.objects.count(),
        sealed=sealed,
        personal=tuple(sorted(with_text)),
        erased={number * 50 + seq: number * 50 + 41 for number in range(6) for seq in (35, 36)},
    )


def _guards_off(database: databases.Database) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        keys = owner.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = ANY (%s::regclass[])",
            [list(TABLES)],
        ).fetchall()
        for table, name in keys:
            owner.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                    sql.Identifier(table), sql.Identifier(name)
                )
            )
        for table in TABLES:
            owner.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))


def test_verify__nothing_was_altered__is_whole(stage: Stage) -> None:
    ledger, anchored = stage
    assert (ledger.entries, ledger.sealed) == (300, (50, 100, 150, 200, 250, 300))
    found = verify_stored(anchored=anchored)
    assert (found.ok, found.count, found.checkpoints, found.unchecked) == (True, 300, 6, ())


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_verify__random_mutations__every_one_is_found_and_the_first_bad_entry_named(
    stage: Stage, round_: int
) -> None:
    ledger, anchored = stage
    wrong = []
    for number in range(round_ * EACH, (round_ + 1) * EACH):
        draw = random.Random(number)
        mutation = MUTATIONS[number % len(MUTATIONS)]
        with transaction.atomic():
            low, high = mutation(ledger, draw)
            found = verify_stored(anchored=anchored)
            transaction.set_rollback(True)
        if found.ok or found.first_bad_seq is None or not low <= found.first_bad_seq <= high:
            wrong.append((number, mutation.__name__, (low, high), found))
    assert wrong == []


def test_verify__forged_whole_without_anchors__is_given_away_by_the_key_alone(stage: Stage) -> None:
    ledger, _ = stage
    forge = next(one for one in MUTATIONS if one.__name__ == "hash_and_seal_anew")
    with transaction.atomic():
        forge(ledger, random.Random(1))
        found = verify_stored(anchored=Anchored())
        transaction.set_rollback(True)
    assert (found.ok, found.fault) == (False, "key")


def test_verify__older_backup_without_anchors__looks_whole_as_the_docs_say(stage: Stage) -> None:
    ledger, _ = stage
    restore = next(one for one in MUTATIONS if one.__name__ == "restore_backup")
    with transaction.atomic():
        restore(ledger, random.Random(1))
        assert verify_stored(anchored=Anchored()).ok
        transaction.set_rollback(True)
