"""The verifier: whole packs pass, each exit code has its cause, and nothing but Python is needed."""

from __future__ import annotations

import ast
import base64
import io
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from endpoints.challenges.lifecycle import Kind
from endpoints.challenges.pack.assemble import VERIFIER, assemble, key_id
from endpoints.challenges.verifier import verify_evidence as verifier
from endpoints.core.container import container
from tests.challenges import packs

# RFC 8032, section 7.1: secret key, message, signature.
VECTORS = (
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)
KEYS = [packs.public()]


@pytest.mark.parametrize(("secret", "message", "signature"), VECTORS)
def test_ed25519__vectors_of_the_rfc__verify(secret: str, message: str, signature: str) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    public = packs.public(key)
    assert verifier.ed25519_verifies(public, bytes.fromhex(message), bytes.fromhex(signature))
    assert not verifier.ed25519_verifies(public, bytes.fromhex(message) + b"\x00", bytes.fromhex(signature))


def test_ed25519__any_bit_flipped__does_not_verify() -> None:
    message, public = b"what was said", packs.public()
    signature = packs.KEY.sign(message)
    for bit in range(0, 512, 5):
        broken = bytearray(signature)
        broken[bit // 8] ^= 1 << bit % 8
        assert not verifier.ed25519_verifies(public, message, bytes(broken))
    for bit in range(0, 256, 5):
        other = bytearray(public)
        other[bit // 8] ^= 1 << bit % 8
        assert not verifier.ed25519_verifies(bytes(other), message, signature)


def test_ed25519__signature_with_the_order_added__does_not_verify() -> None:
    message = b"one signature, one form"
    signature = packs.KEY.sign(message)
    order = 2**252 + 27742317777372353535851937790883648493
    moved = int.from_bytes(signature[32:], "little") + order
    assert not verifier.ed25519_verifies(
        packs.public(), message, signature[:32] + moved.to_bytes(32, "little")
    )


def test_ed25519__many_keys_and_messages__agrees_with_openssl_in_under_a_second_each() -> None:
    began = time.process_time()
    for number in range(40):
        key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        message = bytes([number]) * number
        assert verifier.ed25519_verifies(packs.public(key), message, key.sign(message))
    assert (time.process_time() - began) / 40 < 1


def test_trees__every_size_and_leaf__proofs_lead_to_the_root() -> None:
    leaves, other = [bytes([number]) * 32 for number in range(34)], b"\xff" * 32
    for size in range(1, 35):
        root = packs.root(leaves[:size])
        for index in range(size):
            path = packs.path(index, leaves[:size])
            assert verifier.root_of(index, size, leaves[index], path) == root
            assert verifier.root_of(index, size, leaves[index], [*path, other]) != root
            assert not path or verifier.root_of(index, size, leaves[index], path[:-1]) != root
        for old in range(1, size + 1):
            proof = packs.proof(old, leaves[:size])
            old_root = packs.root(leaves[:old])
            assert verifier.is_consistent(old, size, old_root, root, proof)
            assert not verifier.is_consistent(old, size, other, root, proof)
            assert not verifier.is_consistent(old, size, old_root, other, proof)
            assert not verifier.is_consistent(old, size, old_root, root, [*proof, other])


def test_pack__untouched__is_whole_and_everything_was_checked() -> None:
    report = verifier.verify(packs.whole_pack(), KEYS)
    assert (report.findings, report.notes, report.exit) == ([], [], 0)
    assert report.checked == {
        "signatures": 1,
        "files": 19,
        "entries": 10,
        "checkpoints": 3,
        "inclusions": 10,
        "texts": 2,
        "moves": 6,
        "evidence": 2,
    }


def test_pack__unsigned__is_incomplete() -> None:
    report = verifier.verify(assemble(packs.pack_input(), None), KEYS)
    assert report.exit == 2
    assert [finding.where for finding in report.findings] == ["manifest.json"]
    assert "unsigned" in report.findings[0].words


@pytest.mark.parametrize("keys", [[], [packs.public(packs.OTHER_KEY)]])
def test_pack__key_not_given__is_known_to_be_unknown(keys: list[bytes]) -> None:
    report = verifier.verify(packs.whole_pack(), keys)
    assert report.exit == 3
    assert {finding.kind for finding in report.findings} == {verifier.KEY}
    assert base64.b64encode(packs.public()).decode() in report.findings[0].words


def test_pack__no_checkpoints__is_incomplete() -> None:
    part = packs.pack_input().ledger
    bare = type(part)(entries=part.entries, personal=part.personal)
    report = verifier.verify(assemble(packs.pack_input(ledger=bare), packs.signer()), KEYS)
    assert report.exit == 2
    assert {finding.where for finding in report.findings} == {
        "ledger/entries.jsonl",
        "ledger/links.jsonl",
        "ledger/",
    }


def test_pack__entry_behind_the_newest_checkpoint__is_incomplete() -> None:
    part = packs.pack_input().ledger
    newer = type(part)(
        entries=(*part.entries, packs.ledger().entries[135]),
        personal=part.personal,
        proofs=part.proofs,
        growth=part.growth,
        links=part.links,
        checkpoints=part.checkpoints,
    )
    report = verifier.verify(assemble(packs.pack_input(ledger=newer), packs.signer()), KEYS)
    assert report.exit == 2
    assert "no checkpoint covers entry 136" in report.findings[0].words


def test_pack__texts_erased__is_whole() -> None:
    case = packs.case()
    for note in case["notes"]:
        note |= {"text": "", "erased_at": "2026-11-24T07:00:00.000000Z"}
    part = packs.pack_input().ledger
    erased = type(part)(
        entries=part.entries,
        proofs=part.proofs,
        growth=part.growth,
        links=part.links,
        checkpoints=part.checkpoints,
    )
    report = verifier.verify(assemble(packs.pack_input(case=case, ledger=erased), packs.signer()), KEYS)
    assert (report.findings, report.exit) == ([], 0)


def test_pack__no_case_in_it__is_checked_as_a_part_of_the_ledger() -> None:
    files = dict(contents(packs.whole_pack()))
    del files["case.json"]
    report = verifier.verify(remade(files), KEYS)
    assert (report.findings, report.checked["inclusions"]) == ([], 10)


def test_checkpoints_from_elsewhere__the_same__are_compared() -> None:
    ledger = packs.ledger()
    given = f"noted in March\n{ledger.checkpoint(40)}\n{ledger.checkpoint(130)}"
    report = verifier.verify(packs.whole_pack(), KEYS, [("mine.txt", given)])
    assert (report.findings, report.checked["anchors"]) == ([], 2)


def test_checkpoints_from_elsewhere__as_lines_of_json__are_compared() -> None:
    given = json.dumps({"at": "2026-11-23", "note": packs.ledger().checkpoint(90)}) + "\n"
    report = verifier.verify(packs.whole_pack(), KEYS, [("mine.jsonl", given)])
    assert (report.findings, report.checked["anchors"]) == ([], 1)


def test_checkpoints_from_elsewhere__the_ledger_was_rewritten_and_signed_anew__shows() -> None:
    other = packs.ledger_of([packs.body("change:1", "change.rejected", after={"n": n}) for n in range(140)])
    report = verifier.verify(packs.whole_pack(), KEYS, [("mine.txt", other.checkpoint(90))])
    assert report.exit == 1
    assert report.findings[0].where == "ledger/checkpoints/90.txt"


def test_checkpoints_from_elsewhere__forged__show() -> None:
    note = packs.ledger().checkpoint(90)
    changed = note.replace("\n90\n", "\n91\n")
    assert verifier.verify(packs.whole_pack(), KEYS, [("mine.txt", changed)]).exit == 1
    unknown = packs.ledger().checkpoint(90, packs.OTHER_KEY)
    assert verifier.verify(packs.whole_pack(), KEYS, [("mine.txt", unknown)]).exit == 3


def test_checkpoints_from_elsewhere__none_to_compare__is_incomplete() -> None:
    report = verifier.verify(packs.whole_pack(), KEYS, [("mine.txt", packs.ledger().checkpoint(60))])
    assert report.exit == 2
    assert "none of its 1 checkpoints" in report.findings[0].words


@pytest.mark.parametrize(
    ("name", "where"),
    [("../../etc/cron.d/x", "'../../etc/cron.d/x'"), ("/etc/passwd", "'/etc/passwd'"), ("a\\..\\b", "'a/../b'")],
)  # fmt: skip
def test_zip__name_that_leads_out_of_it__is_found(name: str, where: str) -> None:
    data = packed([*contents(packs.whole_pack()).items(), (name, b"x")])
    report = verifier.verify(data, KEYS)
    assert report.exit == 1
    assert any(finding.where in (where, repr(name)) for finding in report.findings)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zip__file_twice__is_found() -> None:
    files = list(contents(packs.whole_pack()).items())
    report = verifier.verify(packed([*files, ("case.json", b"{}")]), KEYS)
    assert report.exit == 1
    assert ("case.json", "the ZIP has this file twice") in [(one.where, one.words) for one in report.findings]


def test_zip__packed_again_with_compression__is_found_though_its_files_are_whole() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents(packs.whole_pack()).items():
            archive.writestr(name, content)
    report = verifier.verify(out.getvalue(), KEYS)
    assert (report.exit, report.checked["files"]) == (1, 19)
    assert {finding.where for finding in report.findings} <= {"the ZIP", "README.txt"}


def test_container__of_portal_and_of_verifier__are_the_same_bytes() -> None:
    files = [("README.txt", b"hello"), ("a/b.json", bytes(1000)), ("z", b"")]
    assert container(files) == verifier.container(files)
    with zipfile.ZipFile(io.BytesIO(container(files))) as archive:
        assert archive.testzip() is None
        assert {info.filename: archive.read(info) for info in archive.infolist()} == dict(files)


def test_moves__of_the_portal__have_the_action_that_the_verifier_expects() -> None:
    assert set(verifier.ACTIONS) == {kind.value for kind in Kind}


def test_key__pem_base64_and_vkey__are_the_same_key(tmp_path: Path) -> None:
    pem = tmp_path / "public.pem"
    pem.write_bytes(packs.KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    plain = base64.b64encode(packs.public()).decode()
    named = base64.b64encode(b"\x01" + packs.public()).decode()
    vkey = f"{packs.ORIGIN}+{key_id(packs.ORIGIN, packs.public())}+{named}"
    assert verifier.public_keys([str(pem), plain, vkey]) == [packs.public()] * 3


@pytest.mark.parametrize("text", ["", "nonsense", "AAAA", "no/such/file.pem"])
def test_key__anything_else__is_refused_with_words(text: str) -> None:
    with pytest.raises(ValueError, match="key"):
        verifier.public_keys([text])


def test_program__runs_alone__prints_findings_and_exits_with_the_verdict(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    good.write_bytes(packs.whole_pack())
    bad.write_bytes(packs.whole_pack().replace(b"facility 8841", b"facility 8842", 1))
    key = base64.b64encode(packs.public()).decode()
    whole = run(tmp_path, str(good), "--key", key)
    assert (whole.returncode, whole.stderr) == (0, "")
    assert "WHOLE" in whole.stdout
    altered = run(tmp_path, str(bad), "--key", key, "--json")
    assert altered.returncode == 1
    told = json.loads(altered.stdout)
    assert (told["verdict"], told["exit"]) == ("tampered", 1)
    assert "case.json" in {finding["where"] for finding in told["findings"]}
    missing = run(tmp_path, str(tmp_path / "none.zip"), "--key", key)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr.startswith("Could not be checked")


def test_program__python_3_8__can_read_it_and_it_imports_the_standard_library_only() -> None:
    tree = ast.parse(VERIFIER.read_text(), feature_version=(3, 8))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program as somebody runs it who has nothing else: isolated, away from the project."""
    program = folder / "verify_evidence.py"
    program.write_bytes(VERIFIER.read_bytes())
    return subprocess.run(
        [sys.executable, "-I", str(program), *arguments], capture_output=True, text=True, cwd=folder
    )


def contents(pack: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def packed(files: list[tuple[str, bytes]]) -> bytes:
    return container(files)


def remade(files: dict[str, bytes]) -> bytes:
    """As somebody makes it who holds the portal's key."""
    return packs.remade(files, packs.KEY)
