"""A case's pack out of the database: it verifies with the one-file program, and tells what happened."""

from __future__ import annotations

import base64
import io
import json
import time
import zipfile
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from pypdf import PdfReader

from endpoints.access.models import User, Workspace
from endpoints.audit.actors import SYSTEM_LEDGER
from endpoints.audit.models import Entry
from endpoints.audit.services import make_checkpoint
from endpoints.challenges import services
from endpoints.challenges.models import Case, Evidence
from endpoints.challenges.services import Pack, evidence_pack
from endpoints.challenges.verifier import verify_evidence as verifier
from endpoints.changes.models import Change
from endpoints.core.errors import NotFound, Refused, Unavailable
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint, EndpointRevision
from tests.challenges import cases
from tests.challenges.cases import endpoint, second
from tests.changes.desk import Desk
from tests.support.people import principal

__all__ = ["endpoint", "second"]
pytestmark = pytest.mark.django_db
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = [KEY.public_key().public_bytes_raw()]


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The installation signs."""
    path = tmp_path / "ledger.pem"
    path.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    config = settings.OPSPORTAL.model_copy(update={"audit_key_file": path})
    monkeypatch.setattr(settings, "OPSPORTAL", config)
    return path


def packed(user: User, case: Case) -> Pack:
    return evidence_pack(case.pk, actor=principal(user))


def files_of(pack: Pack) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pack.data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def document(pack: Pack, name: str) -> Any:
    return json.loads(files_of(pack)[name])


def decided(user: User, endpoint: Endpoint, **more: Any) -> Case:
    """A case with a record, a verdict, and everything that lies between."""
    case = cases.raised(
        user, endpoint, cases.record(endpoint), claimant="Ida Dvořák", reference="B-2214", **more
    )
    services.comment(principal=principal(user), case_id=case.pk, text="Asked the operator of the camera.")
    return cases.decide(user, case)


def test_pack__of_a_decided_case__is_whole(supervisor: User, endpoint: Endpoint, key_file: Path) -> None:
    case = decided(supervisor, endpoint)
    pack = packed(supervisor, case)
    report = verifier.verify(pack.data, KEYS)
    assert (report.findings, report.notes) == ([], [])
    assert report.checked["moves"] == case.version
    assert report.checked["evidence"] == 1
    assert report.checked["inclusions"] == report.checked["entries"] > case.version
    assert (pack.sha256, pack.is_signed) == (sha256(pack.data).hexdigest(), True)
    assert pack.filename.startswith(f"evidence-CH-{case.pk}-")


def test_pack__says_what_was_asked_and_decided(supervisor: User, endpoint: Endpoint, key_file: Path) -> None:
    case = decided(supervisor, endpoint)
    pack = packed(supervisor, case)
    told = document(pack, "case.json")
    assert (told["number"], told["outcome"], told["reference"]) == (f"CH-{case.pk}", "overturned", "B-2214")
    assert {note["kind"]: note["text"] for note in told["notes"]} == {
        "question": cases.QUESTION,
        "claimant": "Ida Dvořák",
        "comment": "Asked the operator of the camera.",
        "reason": cases.REASON,
    }
    assert document(pack, "people.json")[f"user:{supervisor.pk}"] == supervisor.display_name
    evidence = Evidence.objects.get(case=case)
    assert files_of(pack)["passport.json"] == bytes(evidence.document)
    pdf = PdfReader(io.BytesIO(files_of(pack)["evidence.pdf"]))
    text = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
    assert cases.QUESTION in text
    assert json.loads(bytes(evidence.document))["verdict"] in text


def test_pack__evidence_collected_again__holds_both(
    supervisor: User, endpoint: Endpoint, key_file: Path
) -> None:
    case = cases.raised(supervisor, endpoint, cases.record(endpoint))
    services.collect_evidence(principal=principal(supervisor), case_id=case.pk)
    pack = packed(supervisor, case)
    first, last = Evidence.objects.filter(case=case).order_by("number")
    files = files_of(pack)
    assert (files["passports/1.json"], files["passport.json"]) == (
        bytes(first.document),
        bytes(last.document),
    )
    assert verifier.verify(pack.data, KEYS).findings == []


def test_pack__nothing_collected__is_whole_and_says_so(
    supervisor: User, endpoint: Endpoint, key_file: Path
) -> None:
    case = cases.raised(supervisor, endpoint, "00000000-0000-4000-8000-00000000ffff")
    pack = packed(supervisor, case)
    assert verifier.verify(pack.data, KEYS).findings == []
    assert "Evidence about the request" in {one["what"] for one in document(pack, "not-kept.json")}


def test_pack__no_key__is_unsigned_and_incomplete(supervisor: User, endpoint: Endpoint) -> None:
    pack = packed(supervisor, decided(supervisor, endpoint))
    report = verifier.verify(pack.data, KEYS)
    assert (report.exit, pack.is_signed) == (2, False)
    assert "unsigned" in report.findings[0].words
    assert "Checkpoints" in {one["what"] for one in document(pack, "not-kept.json")}


def test_pack__key_that_cant_be_used__leaves_nothing(
    supervisor: User, endpoint: Endpoint, key_file: Path
) -> None:
    case = decided(supervisor, endpoint)
    key_file.write_text("no key")
    with pytest.raises(Unavailable, match="Nothing was signed"):
        packed(supervisor, case)
    assert not Entry.objects.filter(action="evidence.exported").exists()


def test_pack__that_it_left__is_in_the_ledger(supervisor: User, endpoint: Endpoint, key_file: Path) -> None:
    case = decided(supervisor, endpoint)
    pack = packed(supervisor, case)
    entry = Entry.objects.get(action="evidence.exported")
    assert (entry.subject, entry.actor) == (f"case:{case.pk}", f"user:{supervisor.pk}")
    assert entry.after == {"sha256": pack.sha256, "bytes": len(pack.data), "signed": True}
    again = packed(supervisor, case)
    assert verifier.verify(again.data, KEYS).findings == []
    assert b"evidence.exported" in b"".join(_bodies(again))


def test_pack__auditor__may_take_it_and_others_may_not(
    supervisor: User, auditor: User, operator: User, outsider: User, endpoint: Endpoint, key_file: Path
) -> None:
    case = decided(supervisor, endpoint)
    assert packed(auditor, case).is_signed
    with pytest.raises(Refused):
        packed(operator, case)
    with pytest.raises(NotFound):
        packed(outsider, case)
    with pytest.raises(NotFound):
        evidence_pack(case.pk + 999, actor=principal(supervisor))


def test_pack__texts_erased__is_whole_without_them(
    supervisor: User,
    second: User,
    endpoint: Endpoint,
    key_file: Path,
) -> None:
    case = decided(supervisor, endpoint)
    services.ask_erasure(principal=principal(supervisor), case_id=case.pk, reason="Asked for in writing.")
    services.agree_erasure(principal=principal(second), case_id=case.pk)
    pack = packed(supervisor, case)
    report = verifier.verify(pack.data, KEYS)
    assert report.findings == []
    assert b"Ida Dvo" not in pack.data
    assert cases.QUESTION.encode() not in pack.data
    assert "4 texts of the case" in {one["what"] for one in document(pack, "not-kept.json")}


def test_pack__other_case_at_the_same_endpoint__is_not_in_it(
    supervisor: User, endpoint: Endpoint, key_file: Path
) -> None:
    other = cases.raised(supervisor, endpoint, cases.record(endpoint, 2), reference="somebody else's")
    pack = packed(supervisor, decided(supervisor, endpoint))
    assert all(json.loads(body)["subject"] != f"case:{other.pk}" for body in _bodies(pack))
    assert other.asked_id.encode() not in pack.data


def test_pack__network_addresses__stay(supervisor: User, endpoint: Endpoint, key_file: Path) -> None:
    pack = packed(supervisor, decided(supervisor, endpoint))
    fields = {json.loads(line)["field"] for line in files_of(pack)["ledger/personal.jsonl"].splitlines()}
    assert fields == {"comment", "name", "reason"}


def test_pack__checkpoints_before_it__are_in_it_and_agree(
    supervisor: User, endpoint: Endpoint, key_file: Path
) -> None:
    case = decided(supervisor, endpoint)
    early = make_checkpoint(actor=SYSTEM_LEDGER)
    assert early is not None
    services.comment(principal=principal(supervisor), case_id=case.pk, text="Told the person.")
    pack = packed(supervisor, case)
    report = verifier.verify(pack.data, KEYS, [("mailed.txt", early.note)])
    assert report.findings == []
    assert (report.checked["anchors"], report.checked["checkpoints"]) == (1, 3)


def test_pack__case_told_otherwise_in_the_database__does_not_fit_the_ledger(
    supervisor: User, endpoint: Endpoint, key_file: Path
) -> None:
    case = decided(supervisor, endpoint)
    Case.objects.filter(pk=case.pk).update(outcome="stands")
    report = verifier.verify(packed(supervisor, case).data, KEYS)
    assert (report.exit, [finding.where for finding in report.findings]) == (1, ["case.json"])


def test_pack__takes_less_than_two_seconds(supervisor: User, endpoint: Endpoint, key_file: Path) -> None:
    case = decided(supervisor, endpoint)
    began = time.process_time()
    packed(supervisor, case)
    assert time.process_time() - began < 2


def test_pack__case_without_endpoint_or_time__is_whole(
    supervisor: User, workspace: Workspace, key_file: Path
) -> None:
    number = services.raise_case(
        principal=principal(supervisor),
        workspace_id=workspace.pk,
        challenge=services.Challenge(
            question="Which one was it?", asked_id="lost-id", asked_at=db_now() - timedelta(days=3)
        ),
    )
    pack = packed(supervisor, Case.objects.get(pk=number))
    assert verifier.verify(pack.data, KEYS).findings == []
    assert document(pack, "splits.json") == {}


def test_pack__split_that_a_change_brought__has_the_change_with_approval_and_release(
    workspace: Workspace,
    requester: User,
    reviewer: User,
    operator: User,
    supervisor: User,
    key_file: Path,
) -> None:
    desk = Desk(workspace, requester, reviewer, operator)
    number = desk.start(desk.approve(desk.request({"green": 100})))
    at = brought_on(desk, number)
    case = services.raise_case(
        principal=principal(supervisor),
        workspace_id=workspace.pk,
        challenge=services.Challenge(question="Which one?", endpoint_id=desk.endpoint_id, asked_at=at),
    )
    pack = evidence_pack(case, actor=principal(supervisor))
    assert verifier.verify(pack.data, KEYS).findings == []
    change = document(pack, f"changes/CR-{number}.json")
    assert [(one["by"], one["approved"]) for one in change["decisions"]] == [(f"user:{reviewer.pk}", True)]
    assert change["revisions"][-1]["plan"][-1]["split"] == {"green": 100}
    subjects = {json.loads(body)["subject"] for body in _bodies(pack)}
    assert {f"case:{case}", f"change:{number}"} <= subjects
    pdf = PdfReader(io.BytesIO(files_of(pack)["evidence.pdf"]))
    text = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
    assert f"by {reviewer.display_name} (user:{reviewer.pk})" in text
    # It is not over, so it left nothing behind yet.
    assert not [name for name in files_of(pack) if name.startswith(f"changes/CR-{number}/")]


def brought_on(desk: Desk, number: int) -> datetime:
    """As if Azure had the split of a started change; a moment after that, which a later reading covers."""
    begun = Change.objects.get(pk=number).started_at
    newest = EndpointRevision.objects.filter(endpoint=desk.endpoint_id).latest("pk")
    at = db_now()
    EndpointRevision.objects.create(
        endpoint_id=desk.endpoint_id,
        earliest=begun,
        latest=at,
        known_at=at,
        state_hash="1" * 64,
        state=newest.state | {"traffic": {"green": 100}},
        cause=f"change:{number}",
    )
    Endpoint.objects.filter(pk=desk.endpoint_id).update(last_read_began=at + timedelta(minutes=2))
    return db_now()


def _bodies(pack: Pack) -> list[bytes]:
    rows = files_of(pack)["ledger/entries.jsonl"].splitlines()
    return [base64.b64decode(json.loads(row)["body"]) for row in rows]
