"""What vouches for the ledger, on every audit page and on one of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.utils.timezone import now

from endpoints.access.models import User
from endpoints.access.roles import Role
from endpoints.audit import privileges, signing
from endpoints.audit.actors import SYSTEM_LEDGER
from endpoints.audit.models import Checkpoint, VerificationRun
from endpoints.audit.services import anchor_new, make_checkpoint
from tests.api.api import Api
from tests.audit.conftest import new_key
from tests.support.people import make_person
from tests.web.conftest import SignIn, Stage
from tests.web.reading import read, words


@pytest.fixture
def key(settings: Any, tmp_path: Path) -> Path:
    """The settings name a key and an anchor file."""
    file = tmp_path / "ledger.pem"
    file.write_bytes(new_key()[0])
    named = {"audit_key_file": file, "audit_anchor_file": tmp_path / "anchors.txt"}
    settings.OPSPORTAL = settings.OPSPORTAL.model_copy(update=named)
    return file


@pytest.fixture
def auditor(db: None) -> User:
    return make_person("aude", {"": [Role.AUDITOR]})


def seal() -> Checkpoint:
    made = make_checkpoint(actor=SYSTEM_LEDGER)
    assert made is not None
    anchor_new()
    return made


def test_audit_pages__nothing_sealed_nor_anchored__say_so_and_why(
    sign_in: SignIn, reviewer: User, asked: Stage
) -> None:
    client = sign_in(reviewer)
    for address in ("/audit", "/audit/verify"):
        said = words(read(client.get(address).content).one("main").text)
        assert "No checkpoint" in said
        assert "Not anchored: nothing outside the database vouches for it." in said
        assert "Not signed: No key signs this ledger" in said


def test_audit_pages__sealed_and_anchored__say_up_to_where_and_in_what(
    sign_in: SignIn, reviewer: User, asked: Stage, key: Path
) -> None:
    made, client = seal(), sign_in(reviewer)
    for address in ("/audit", "/audit/verify", "/audit/1"):
        said = words(read(client.get(address).content).one("main").text)
        assert f"last checkpoint at entry {made.size}" in said
        assert f"last anchor at entry {made.size}" in said
        assert "in file" in said
        assert "Not anchored" not in said


def test_verify_page__has_each_checkpoints_text_and_the_key_to_copy(
    sign_in: SignIn, reviewer: User, asked: Stage, key: Path
) -> None:
    made = seal()
    page = read(sign_in(reviewer).get("/audit/verify").content)
    blocks = [one.text for one in page.all("pre")]
    assert made.note in blocks
    assert signing.verifier_key() in blocks


def test_verify_page__more_checkpoints_than_a_page__goes_on_where_it_stopped(
    sign_in: SignIn, auditor: User, key: Path
) -> None:
    for number in range(55):
        make_person(f"person{number}")
        seal()
    client = sign_in(auditor)
    first = read(client.get("/audit/verify").content)
    second = read(client.get(first.one("a", rel="next").attributes["href"]).content)
    sizes = [[int(words(one.text)) for one in page.all("th", scope="row")] for page in (first, second)]
    assert (len(sizes[0]), len(sizes[1])) == (50, 5)
    assert max(sizes[1]) < min(sizes[0])


def test_verify__asked_for__says_how_much_was_checked(
    sign_in: SignIn, reviewer: User, asked: Stage, key: Path
) -> None:
    made, client = seal(), sign_in(reviewer)
    client.post("/audit/verify")
    said = words(read(client.get("/audit/verify").content).one("main").text)
    assert "1 checkpoints were checked" in said
    assert made.size > 0


def test_verify__anchors_that_can_not_be_compared__is_not_called_intact_alone(
    sign_in: SignIn, reviewer: User, asked: Stage, key: Path
) -> None:
    seal()
    (key.parent / "anchors.txt").write_text("")
    client = sign_in(reviewer)
    client.post("/audit/verify")
    said = words(read(client.get("/audit/verify").content).one("main").text)
    assert "not all checked" in said
    assert "The anchor file lacks checkpoint" in said


def test_audit_pages__broken__name_the_first_bad_entry(sign_in: SignIn, reviewer: User, asked: Stage) -> None:
    VerificationRun.objects.create(
        began_at=now(), ended_at=now(), ok=False, entries=2, first_bad_seq=3, fault="gap",
        reason="Entry 3 is missing.", asked_by="system:ledger",
    )  # fmt: skip
    said = words(read(sign_in(reviewer).get("/audit").content).one("main").text)
    assert "Ledger broken at entry 3" in said
    assert "Entry 3 is missing. Entries from 3 on are not proven, and nothing behind them is signed." in said


def test_every_page__process_whose_role_could_alter_the_ledger__says_so(
    sign_in: SignIn, reviewer: User, asked: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privileges, "_found", ("The runtime role may UPDATE on audit_entry.",))
    said = words(read(sign_in(reviewer).get("/fleet").content).one("main").text)
    assert "The audit ledger is open to changes. The runtime role may UPDATE on audit_entry." in said


def test_api__sealing_and_checkpoints__say_what_the_page_says(auditor: User, key: Path) -> None:
    api = Api(auditor)
    nothing = api.get("/audit/sealing").json()
    assert (nothing["sealed"], nothing["anchored"], nothing["sealed_to"]) == ("none", "none", None)
    made = seal()
    body = api.get("/audit/sealing").json()
    assert (body["sealed_to"], body["anchored_to"], body["places"]) == (made.size, made.size, ["file"])
    assert body["key"] == signing.verifier_key()
    (listed,) = api.get("/audit/checkpoints").json()["items"]
    assert listed == api.get(f"/audit/checkpoints/{made.size}").json()
    assert (listed["note"], listed["root_hash"]) == (made.note, bytes(made.root).hex())
    assert api.get(f"/audit/checkpoints/{made.size + 1}").status_code == 404
