"""The demo's signing key and the file of its anchors, made at the first start beside the database's folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

ORIGIN = "opsportal-demo"


def prepare(folder: Path) -> dict[str, str]:
    """The settings by which every process of the portal finds them; in `folder`, for this user alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key, fingerprints = folder / "signing.pem", folder / "fingerprints.key"
    if not key.exists():
        made = Ed25519PrivateKey.generate()
        _write(key, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    if not fingerprints.exists():
        _write(fingerprints, secrets.token_urlsafe(32).encode())
    return {
        "OPSPORTAL_AUDIT_ORIGIN": ORIGIN,
        "OPSPORTAL_AUDIT_KEY_FILE": str(key),
        "OPSPORTAL_AUDIT_ANCHOR_FILE": str(folder / "anchors.txt"),
        "OPSPORTAL_FINGERPRINT_KEY": fingerprints.read_text(),
    }


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
