"""A fingerprint proves the very bytes, with the key alone."""

from __future__ import annotations

from hashlib import sha256

import pytest

from endpoints.challenges.fingerprint import is_same, is_sha256, keyed

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
BODY, OTHER = (sha256(text).hexdigest() for text in (b'{"a": 1}', b'{"a":1}'))


def test_a_fingerprint__of_a_body__is_the_same_for_the_same_bytes_and_key() -> None:
    made = keyed(KEY, BODY)
    assert made == keyed(KEY, BODY.upper())
    assert is_same(made, KEY, BODY)
    assert not is_same(made, KEY, OTHER)
    assert not is_same(made, OTHER_KEY, BODY)


def test_a_fingerprint__as_it_is_stored__is_not_the_hash_that_anybody_could_try() -> None:
    made = keyed(KEY, BODY)
    assert len(made) == 32
    assert made not in (bytes.fromhex(BODY), sha256(bytes.fromhex(BODY)).digest())


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "g" * 64, "0" * 63 + "\n", " " + "0" * 63])
def test_a_hash__that_is_none__is_not_taken_for_one(text: str) -> None:
    assert not is_sha256(text)
