"""A development CA and a server certificate for loopback, made once and kept until they are about to end."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CA_DAYS = 3650
_SERVER_DAYS = 365
_MARGIN = timedelta(days=14)
_NAMES = ("localhost",)
_ADDRESSES = ("127.0.0.1", "::1")


class Certificates(NamedTuple):
    ca: Path
    cert: Path
    key: Path


def ensure_ca(folder: Path, names: Sequence[str] = ()) -> Certificates:
    """The three files in `folder`: reused while they hold, made anew when one is missing or about to end.

    The server certificate is for localhost and loopback, and for further DNS `names`.
    The CA's own key is thrown away after it has signed: nobody who finds the folder can sign with it.
    """
    files = Certificates(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    wanted = (*_NAMES, *names)
    if not _hold(files, wanted):
        folder.mkdir(parents=True, exist_ok=True)
        _make(files, wanted)
    return files


def _hold(files: Certificates, wanted: Sequence[str]) -> bool:
    if not all(path.is_file() for path in files):
        return False
    try:
        ca, cert = (x509.load_pem_x509_certificate(path.read_bytes()) for path in (files.ca, files.cert))
        key = serialization.load_pem_private_key(files.key.read_bytes(), password=None)
        cert.verify_directly_issued_by(ca)
        told = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    if not set(wanted) <= set(told.get_values_for_type(x509.DNSName)):
        return False
    ends = min(ca.not_valid_after_utc, cert.not_valid_after_utc)
    return ends > datetime.now(UTC) + _MARGIN and key.public_key() == cert.public_key()


def _make(files: Certificates, wanted: Sequence[str]) -> None:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    ca = _ca(ca_key)
    cert = _server(key, ca, ca_key, wanted)
    _write(files.key, _pem(key), mode=0o600)
    _write(files.cert, cert.public_bytes(serialization.Encoding.PEM))
    _write(files.ca, ca.public_bytes(serialization.Encoding.PEM))


def _ca(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("Azure emulator development CA")
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        _builder(name, name, key.public_key(), _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    wanted: Sequence[str],
) -> x509.Certificate:
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in wanted]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in _ADDRESSES]
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return (
        _builder(_name("localhost"), ca.subject, key.public_key(), _SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(authority, critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Whole or not at all: another process may be reading the folder."""
    staged = path.with_suffix(".new")
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(data)
    staged.replace(path)
