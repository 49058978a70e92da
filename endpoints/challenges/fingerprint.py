"""A keyed hash of a request's body: it proves that somebody holds the very bytes, and tells nothing about them. Pure.

The sender gives SHA-256 of the body as it went over the wire. A hash of few possible bodies could be guessed, so it is
hashed again with the portal's key: HMAC-SHA256(key, SHA-256(body)).
"""

from __future__ import annotations

import hmac
import re

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def is_sha256(text: str) -> bool:
    """Whether this can be a SHA-256 in hexadecimal digits."""
    return _SHA256.fullmatch(text) is not None


def keyed(key: bytes, body_sha256: str) -> bytes:
    """What is stored for a body of this hash."""
    return hmac.digest(key, bytes.fromhex(body_sha256), "sha256")


def is_same(fingerprint: bytes, key: bytes, body_sha256: str) -> bool:
    """Whether a body of this hash made that fingerprint; takes the same time either way."""
    return hmac.compare_digest(fingerprint, keyed(key, body_sha256))
