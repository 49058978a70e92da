"""A ledger with a key and an anchor file, both outside the database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What lies out of reach of the database's administrators."""

    key: Path
    anchors: Path


def new_key() -> tuple[bytes, bytes]:
    """A fresh private key and its public key as PEM."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def outside(settings: Any, tmp_path: Path) -> Outside:
    """The settings name a key and an anchor file, which does not exist yet."""
    found = Outside(key=tmp_path / "ledger.pem", anchors=tmp_path / "anchors.txt")
    found.key.write_bytes(new_key()[0])
    settings.OPSPORTAL = settings.OPSPORTAL.model_copy(
        update={
            "audit_key_file": found.key,
            "audit_anchor_file": found.anchors,
            "audit_origin": "ledger.test",
        }
    )
    return found
