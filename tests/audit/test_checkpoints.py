"""Checkpoints on stored entries: what is signed, what is refused, what reaches the outside, and the proofs."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from endpoints.audit import note, signing
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.audit.chain import Fault
from endpoints.audit.merkle import extends, includes
from endpoints.audit.models import Anchoring, Checkpoint, Entry, Subtree, VerificationRun
from endpoints.audit.selectors import (
    checkpoint,
    checkpoints,
    checkpoints_after,
    consistency_proof,
    inclusion_proof,
    last_anchor,
    links,
    newest_checkpoint,
    sealing,
    unsealed,
)
from endpoints.audit.services import anchor_new, make_checkpoint, make_due_checkpoint, note_anchoring
from endpoints.audit.verification import verify_stored
from endpoints.core.errors import NotFound, Unavailable
from tests.audit.conftest import Outside, new_key
from tests.audit.support import append, seal, tamper
from tests.support.databases import Database

VERIFIER = (
    Path(__file__).resolve().parents[2] / "endpoints" / "challenges" / "verifier" / "verify_evidence.py"
)


def test_make_checkpoint__entries_behind_the_newest__are_signed_and_extend_it(
    committed_db: Database, outside: Outside
) -> None:
    first, second = seal(3), seal(2)
    assert (first.size, second.size, second.number) == (3, 5, 2)
    found = note.read(second.note)
    assert found.checkpoint == note.Checkpoint("ledger.test", 5, second.root, second.head)
    assert note.signer(found, [signing.public_key()]) == signing.public_key()
    assert second.head == bytes(Entry.objects.get(seq=5).hash)
    assert extends(3, 5, first.root, second.root, consistency_proof(3, 5))
    verified = verify_stored()
    assert (verified.ok, verified.checkpoints, verified.unchecked) == (True, 2, ())


def test_make_checkpoint__nothing_new__makes_none(committed_db: Database, outside: Outside) -> None:
    assert make_checkpoint(actor=SYSTEM_COMMAND) is None
    seal(1)
    assert make_checkpoint(actor=SYSTEM_COMMAND) is None
    assert Checkpoint.objects.count() == 1


def test_make_checkpoint__no_key__signs_nothing_and_says_so(committed_db: Database) -> None:
    append(1)
    assert make_checkpoint(actor=SYSTEM_COMMAND) is None
    assert sealing().no_key.startswith("No key signs this ledger")
    with pytest.raises(Unavailable, match="OPSPORTAL_AUDIT_KEY_FILE is not set"):
        signing.sign(b"x")


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", new_key()[0] + new_key()[0], new_key()[0].replace(b"M", b"-")]
)
def test_keys__file_that_holds_something_else__is_refused_in_words(outside: Outside, content: bytes) -> None:
    outside.key.write_bytes(content)
    with pytest.raises(Unavailable, match="something else than an Ed25519 private key"):
        signing.sign(b"x")
    outside.key.unlink()
    with pytest.raises(Unavailable, match="can't be read: No such file"):
        signing.public_key()


@pytest.mark.parametrize(
    ("statements", "bad", "fault"),
    [
        (["UPDATE audit_entry SET body = '{}' WHERE seq = 5"], 5, Fault.EDIT),
        (["DELETE FROM audit_entry WHERE seq = 5"], 5, Fault.GAP),
        (["DELETE FROM audit_entry WHERE seq > 2"], 3, Fault.CUT),
        (["UPDATE audit_entry SET hash = prev_hash WHERE seq = 4"], 4, Fault.CUT),
        (["UPDATE audit_checkpoint SET size = 3"], 3, Fault.CHECKPOINT),
        (["UPDATE audit_checkpoint SET root = head"], 4, Fault.CHECKPOINT),
        (["UPDATE audit_checkpoint SET frontier = frontier || frontier"], 4, Fault.CHECKPOINT),
        (["UPDATE audit_checkpoint SET note = replace(note, 'head', 'Head')"], 4, Fault.CHECKPOINT),
        (["UPDATE audit_checkpoint SET note = replace(note, E'\\n4\\n', E'\\n5\\n')"], 4, Fault.CHECKPOINT),
    ],
)
def test_make_checkpoint__what_was_signed_is_not_there_any_more__refuses_and_tells(
    committed_db: Database, outside: Outside, statements: list[str], bad: int, fault: Fault
) -> None:
    seal(4)
    append(2)
    tamper(committed_db, "DELETE FROM audit_anchoring", *statements)
    assert make_checkpoint(actor=SYSTEM_COMMAND) is None
    assert Checkpoint.objects.count() == 1
    told = Entry.objects.filter(action="audit.broken").get()
    assert told.after == {"first_bad_seq": bad, "fault": str(fault)}
    assert VerificationRun.objects.get().ok is False
    assert make_checkpoint(actor=SYSTEM_COMMAND) is None
    assert Entry.objects.filter(action="audit.broken").count() == 1


def test_make_checkpoint__former_key_listed_beside_the_new_one__goes_on(
    committed_db: Database, outside: Outside
) -> None:
    private, public = new_key()
    outside.key.write_bytes(private)
    seal(2)
    outside.key.write_bytes(new_key()[0] + public)
    seal(2)
    assert verify_stored().checkpoints == 2


def test_make_checkpoint__signed_with_a_key_that_is_not_listed__is_found(
    committed_db: Database, outside: Outside
) -> None:
    seal(2)
    outside.key.write_bytes(new_key()[0])
    append(1)
    assert make_checkpoint(actor=SYSTEM_COMMAND) is None
    found = verify_stored()
    assert (found.ok, found.first_bad_seq, found.fault) == (False, 2, Fault.KEY)


def test_verify__no_key_here__says_that_signatures_were_not_checked(
    committed_db: Database, outside: Outside, settings: Any
) -> None:
    seal(2)
    settings.OPSPORTAL = settings.OPSPORTAL.model_copy(update={"audit_key_file": None})
    found = verify_stored()
    assert (found.ok, found.unchecked) == (
        True,
        ("Signatures of checkpoints were not checked: no key is set.",),
    )
    assert run("verify")[0] == 2


def test_due__urgent_entry__is_sealed_at_once_and_others_wait(
    committed_db: Database, outside: Outside
) -> None:
    append(1, action="change.commented")
    make_due_checkpoint()
    assert newest_checkpoint() is None
    assert unsealed(0).count == 1
    append(1, action="change.approved")
    make_due_checkpoint()
    newest = newest_checkpoint()
    assert newest is not None
    assert newest.size == 2


def test_anchor__after_the_commit__is_in_the_file_and_on_record(
    committed_db: Database, outside: Outside
) -> None:
    made = [seal(2), seal(2)]
    assert note.split(outside.anchors.read_text()) == ([one.note for one in made], True)
    anchor = last_anchor()
    assert anchor is not None
    assert (anchor.size, anchor.places) == (4, ("file",))
    assert checkpoint(4).places == ("file",)
    assert {row.place for row in Anchoring.objects.all()} == {"file", "log"}


def test_anchor__file_that_can_not_be_written__is_told_once_and_made_up_for(
    committed_db: Database, outside: Outside
) -> None:
    outside.anchors.mkdir()
    seal(1)
    anchor_new()
    failed = Anchoring.objects.filter(ok=False).get()
    assert (failed.place, failed.reason) == ("file", "The file could not be written: Is a directory.")
    assert last_anchor() is None
    assert sealing().words == "Not anchored: nothing outside the database vouches for it."
    outside.anchors.rmdir()
    seal(1)
    assert len(note.split(outside.anchors.read_text())[0]) == 2
    assert sealing().words == ""


def test_note_anchoring__by_mail__counts_as_an_anchor(committed_db: Database, outside: Outside) -> None:
    outside.anchors.mkdir()
    made = seal(1)
    note_anchoring(size=made.size, place="mail", ok=False, reason="The server refused it.")
    assert last_anchor() is None
    note_anchoring(size=made.size, place="mail", ok=True)
    anchor = last_anchor()
    assert anchor is not None
    assert anchor.places == ("mail",)


def test_checkpoints__in_pages_and_after_a_size__none_twice_none_missed(
    committed_db: Database, outside: Outside
) -> None:
    for _ in range(5):
        seal(1)
    seen: list[int] = []
    cursor = None
    while True:
        page = checkpoints(cursor, 2)
        seen += [row.size for row in page.rows]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == [5, 4, 3, 2, 1]
    assert [row.size for row in checkpoints_after(2, 2)] == [3, 4]
    with pytest.raises(NotFound, match="There is no checkpoint of 9 entries"):
        checkpoint(9)


def test_proofs__across_stored_subtrees__verify_against_the_signed_root(
    committed_db: Database, outside: Outside
) -> None:
    old, new = seal(300), seal(260)
    assert {(row.level, row.index) for row in Subtree.objects.all()} == {(8, 0), (8, 1), (9, 0)}
    for seq in (1, 256, 257, 300, 512, 513, 560):
        (stored,) = links(seq, seq)
        assert includes(stored.leaf, seq - 1, 560, inclusion_proof(seq, 560), new.root)
    assert extends(300, 560, old.root, new.root, consistency_proof(300, 560))
    with pytest.raises(NotFound):
        inclusion_proof(561, 560)
    tamper(committed_db, "UPDATE audit_subtree SET hash = sha256(hash) WHERE level = 8 AND index = 1")
    found = verify_stored()
    assert (found.fault, found.first_bad_seq) == (Fault.CHECKPOINT, 257)


def test_verify__subtree_of_a_checkpoint_that_is_made_meanwhile__is_no_fault(
    committed_db: Database, outside: Outside
) -> None:
    seal(300)
    Subtree.objects.create(level=8, index=1, hash=bytes(32))
    assert verify_stored().ok


@pytest.mark.parametrize("table", ["audit_checkpoint", "audit_subtree", "audit_anchoring"])
def test_checkpoint_tables__owner_changes_or_empties_them__is_refused(
    committed_db: Database, outside: Outside, table: str
) -> None:
    seal(256)
    with psycopg.connect(committed_db.owner_url, autocommit=True) as owner:
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                owner.execute(statement)


def run(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("audit", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def test_command_checkpoint__prints_the_note__or_why_there_is_none(
    committed_db: Database, outside: Outside
) -> None:
    append(1)
    code, text = run("checkpoint")
    assert (code, text) == (0, Checkpoint.objects.get().note)
    tamper(committed_db, "UPDATE audit_entry SET hash = prev_hash")
    append(1)
    code, text = run("checkpoint")
    assert (code, text.partition(".")[0]) == (1, "Nothing was signed")
    outside.key.unlink()
    assert run("checkpoint")[0] == 2


def test_command_verify__anchors_of_a_tail_that_was_cut__exits_1(
    committed_db: Database, outside: Outside, tmp_path: Path
) -> None:
    seal(2)
    seal(2)
    assert run("verify")[0] == 0
    tamper(
        committed_db,
        "DELETE FROM audit_anchoring WHERE size > 2",
        "DELETE FROM audit_checkpoint WHERE size > 2",
        "DELETE FROM audit_entry WHERE seq > 2",
    )
    code, text = run("verify", "--json")
    found = json.loads(text)
    assert (code, found["first_bad_seq"], found["fault"]) == (1, 3, "cut")
    assert run("verify", "--anchors", str(outside.anchors))[0] == 1
    nothing = tmp_path / "nothing.txt"
    code, text = run("verify", "--anchors", str(nothing))
    assert (code, "NOT CHECKED: The anchors in nothing.txt can't be read" in text) == (2, True)


def test_verify__anchor_file_that_lost_a_checkpoint__says_what_is_not_checked(
    committed_db: Database, outside: Outside
) -> None:
    seal(2)
    kept = outside.anchors.read_text()
    seal(2)
    outside.anchors.write_text(kept)
    found = verify_stored()
    assert found.ok
    assert "lacks checkpoint 4" in found.unchecked[0]


def test_command_export__its_zip__is_whole_for_a_verifier_that_knows_nothing_of_the_portal(
    committed_db: Database, outside: Outside, tmp_path: Path
) -> None:
    seal(20)
    pack, public = tmp_path / "ledger.zip", tmp_path / "public.pem"
    public.write_text(signing.public_pem())
    assert run("export", "--subject", "change:3", str(pack)) == (
        0,
        "1 entries, 1 of them proven by a checkpoint.\n",
    )
    assert run("export", "--subject", "change:99", str(pack))[0] == 2
    assert run("export", str(pack))[0] == 0
    checked = [sys.executable, "-I", str(VERIFIER), str(pack), "--key", str(public)]
    found = subprocess.run([*checked, "--checkpoints", str(outside.anchors)], capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, ""), found.stdout
    pack.write_bytes(pack.read_bytes().replace(b'"seq":3', b'"seq":4'))
    assert subprocess.run(checked, capture_output=True).returncode == 1
