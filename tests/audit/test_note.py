"""Checkpoints as text: one form, fixed for good; a changed character is no checkpoint or not signed."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from endpoints.audit import note
from endpoints.audit.note import Checkpoint

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
CLAIM = Checkpoint("opsportal.example/ledger", 1204, bytes(range(32)), bytes(range(32, 64)))
NOTE = note.write(CLAIM, PUBLIC, KEY.sign(CLAIM.text.encode()))

# May be added to, never changed: checkpoints that people keep depend on it.
FIXED = """opsportal.example/ledger
1204
AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
head 202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f

— opsportal.example/ledger {blob}
"""


def test_note__fixed_key_and_claim__gives_fixed_text() -> None:
    assert FIXED.format(blob=NOTE.rsplit(" ", 1)[1].strip()) == NOTE
    assert note.key_id(CLAIM.origin, PUBLIC).hex() == "edb72499"


def test_note__written_and_read__says_the_same_and_names_its_signer() -> None:
    found = note.read(NOTE)
    assert found.checkpoint == CLAIM
    assert note.signer(found, [PUBLIC]) == PUBLIC
    assert note.signer(found, []) is None


@given(st.integers(0, len(NOTE) - 1), st.characters(codec="utf-8"))
def test_note__a_character_changed__is_not_signed_by_our_key(at: int, other: str) -> None:
    changed = NOTE[:at] + other + NOTE[at + 1 :]
    if changed == NOTE:
        return
    try:
        found = note.read(changed)
    except ValueError:
        return
    try:
        assert note.signer(found, [PUBLIC]) is None
    except ValueError as error:
        assert "does not fit" in str(error)


def test_signer__another_key_under_the_same_name__is_not_ours() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    forged = note.write(CLAIM, other.public_key().public_bytes_raw(), other.sign(CLAIM.text.encode()))
    assert note.signer(note.read(forged), [PUBLIC]) is None


def test_signer__our_id_over_anothers_signature__is_told() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    forged = note.write(CLAIM, PUBLIC, other.sign(CLAIM.text.encode()))
    with pytest.raises(ValueError, match="does not fit its text"):
        note.signer(note.read(forged), [PUBLIC])


@pytest.mark.parametrize(
    "text",
    [
        "",
        NOTE.rstrip("\n"),
        NOTE + "\n",
        NOTE.replace("\n1204\n", "\n01204\n"),
        NOTE.replace("\n1204\n", "\n0\n"),
        NOTE.replace("head ", "Head "),
        NOTE.partition("\n\n")[0] + "\n\n",
    ],
)
def test_read__anything_else__is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="This is no checkpoint"):
        note.read(text)


def test_split__notes_one_after_the_other__are_found_and_the_rest_is_told() -> None:
    assert note.split(NOTE + "\n" + NOTE + NOTE) == ([NOTE] * 3, True)
    assert note.split(NOTE + NOTE[:50]) == ([NOTE], False)
    assert note.split("") == ([], True)
