"""The development CA."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from cryptography import x509

from emulator.certificates import ensure_ca


def test_ensure_ca__twice__gives_the_same_files(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in ensure_ca(tmp_path)]

    assert [path.read_bytes() for path in ensure_ca(tmp_path)] == first


def test_ensure_ca__certificates__are_for_loopback_and_hold_a_year(tmp_path: Path) -> None:
    files = ensure_ca(tmp_path)
    ca, cert = (x509.load_pem_x509_certificate(path.read_bytes()) for path in (files.ca, files.cert))
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    cert.verify_directly_issued_by(ca)
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert "127.0.0.1" in map(str, names.get_values_for_type(x509.IPAddress))
    assert ca.not_valid_after_utc > datetime.now(UTC) + timedelta(days=365)
    assert files.key.stat().st_mode & 0o077 == 0
    ssl.create_default_context(cafile=str(files.ca)).load_cert_chain(files.cert, files.key)


def test_ensure_ca__about_to_end__is_made_anew(tmp_path: Path) -> None:
    first = ensure_ca(tmp_path).cert.read_bytes()

    with time_machine.travel(datetime.now(UTC) + timedelta(days=360)):
        assert ensure_ca(tmp_path).cert.read_bytes() != first


def test_ensure_ca__for_a_further_name__is_made_anew_once(tmp_path: Path) -> None:
    first = ensure_ca(tmp_path).cert.read_bytes()
    named = ensure_ca(tmp_path, ["emulator"]).cert.read_bytes()

    assert named != first
    assert ensure_ca(tmp_path, ["emulator"]).cert.read_bytes() == named
    assert ensure_ca(tmp_path).cert.read_bytes() == named


@pytest.mark.parametrize("name", ["ca.pem", "cert.pem", "key.pem"])
def test_ensure_ca__broken_or_missing_file__is_made_anew(tmp_path: Path, name: str) -> None:
    ensure_ca(tmp_path)
    (tmp_path / name).write_text("nonsense", encoding="utf-8")
    files = ensure_ca(tmp_path)
    (tmp_path / name).unlink()
    again = ensure_ca(tmp_path)

    for path in (*files, *again):
        assert b"-----BEGIN" in path.read_bytes()
