"""Fingerprints of bodies with this installation's key, and the proof that a body is the one of a record."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from endpoints.challenges import fingerprint
from endpoints.challenges.seen import SeenRow
from endpoints.core.errors import Invalid, Unavailable

NO_KEY = "No fingerprints are kept here: the setting FINGERPRINT_KEY is empty."
_NO_HASH = "Give the SHA-256 of the body in 64 hexadecimal digits."


def keeps_fingerprints() -> bool:
    """Whether this installation has a key for them."""
    return bool(_key())


def fingerprinter() -> Callable[[str], bytes]:
    """Makes fingerprints out of SHA-256 hashes in hexadecimal digits. Unavailable without a key."""
    key = _key()
    if not key:
        raise Unavailable(f"{NO_KEY} Nothing was stored.")
    return lambda body_sha256: fingerprint.keyed(key, body_sha256)


def matches(record: SeenRow, body_sha256: str) -> bool | None:
    """Whether this is the body of that request, as somebody may want to prove. None: nobody gave its fingerprint.

    Invalid when it is no SHA-256; Unavailable without a key.
    """
    if not fingerprint.is_sha256(body_sha256.strip()):
        raise Invalid({"body_sha256": [_NO_HASH]})
    key = _key()
    if not key:
        raise Unavailable(f"{NO_KEY} Nothing can be proved with it.")
    if record.fingerprint is None:
        return None
    return fingerprint.is_same(record.fingerprint, key, body_sha256.strip())


def _key() -> bytes:
    secret: str = settings.OPSPORTAL.fingerprint_key.get_secret_value()
    return secret.encode()
