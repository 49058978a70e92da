"""The key that signs checkpoints and evidence packs. It lies in a file, out of reach of the database.

The file is PEM: one Ed25519 private key, and after it, as public keys, those that signed earlier.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from django.conf import settings

from endpoints.audit import note
from endpoints.core.errors import Unavailable

_BLOCK = re.compile(rb"-----BEGIN (?P<kind>[A-Z ]+)-----.+?-----END (?P=kind)-----", re.DOTALL)
_NO_KEY = "No key signs this ledger: OPSPORTAL_AUDIT_KEY_FILE is not set. Nothing was signed."


@dataclass(frozen=True, slots=True)
class Keys:
    """`known` are the public keys whose signatures count: the present one, and former ones."""

    private: Ed25519PrivateKey | None = None
    known: tuple[bytes, ...] = ()

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key; Unavailable when there is no key."""
        return _raw(self._present().public_key())

    def sign(self, message: bytes) -> bytes:
        """64 bytes of signature; Unavailable when there is no key."""
        return self._present().sign(message)

    def _present(self) -> Ed25519PrivateKey:
        if self.private is None:
            raise Unavailable(_NO_KEY)
        return self.private


def origin() -> str:
    """The name of this installation's ledger."""
    return str(settings.OPSPORTAL.audit_origin)


def keys() -> Keys:
    """The keys of the setting, read anew; without the setting none. Unavailable when the file can't be used."""
    path: Path | None = settings.OPSPORTAL.audit_key_file
    return read_keys(path) if path else Keys()


def read_keys(path: Path) -> Keys:
    """The keys in a PEM file; Unavailable with the reason when it can't be used."""
    try:
        return _parsed(path.read_bytes())
    except OSError as error:
        raise Unavailable(f"The key file can't be read: {error.strerror}. Nothing was signed.") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Unavailable(
            "The key file holds something else than an Ed25519 private key without a password, and public keys. "
            "Nothing was signed."
        ) from error


def has_key() -> bool:
    """Whether the setting names a key file. What is in it, signing shows."""
    return settings.OPSPORTAL.audit_key_file is not None


def sign(message: bytes) -> bytes:
    """64 bytes of signature; Unavailable, in words, when there is no key."""
    return keys().sign(message)


def public_key() -> bytes:
    """The 32 bytes of the public key; Unavailable, in words, when there is no key."""
    return keys().public


def key_id() -> str:
    """The public key's id as 8 hex digits; Unavailable when there is no key."""
    return note.key_id(origin(), public_key()).hex()


def verifier_key() -> str:
    """The public key as verifiers of C2SP notes take it: ORIGIN+ID+BASE64. Unavailable when there is no key."""
    public = public_key()
    key = b64encode(note.ED25519 + public).decode()
    return f"{origin()}+{note.key_id(origin(), public).hex()}+{key}"


def public_pem() -> str:
    """The public key as PEM; Unavailable when there is no key."""
    loaded = Ed25519PublicKey.from_public_bytes(public_key())
    return loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _parsed(data: bytes) -> Keys:
    private: Ed25519PrivateKey | None = None
    public: list[bytes] = []
    for block in _BLOCK.finditer(data):
        if block["kind"] == b"PUBLIC KEY":
            former = load_pem_public_key(block[0])
            public.append(_raw(former))
            continue
        loaded = load_pem_private_key(block[0], password=None)
        if private is not None or not isinstance(loaded, Ed25519PrivateKey):
            raise ValueError("one Ed25519 private key is wanted")
        private = loaded
        public.append(_raw(loaded.public_key()))
    if not public:
        raise ValueError("there is no key")
    return Keys(private, tuple(public))


def _raw(public: object) -> bytes:
    if not isinstance(public, Ed25519PublicKey):
        raise ValueError("an Ed25519 key is wanted")
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)
