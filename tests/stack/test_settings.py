"""Production refuses weak settings with sentences, all at once, and says nothing secret."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from opsportal.config import load
from opsportal.embedded.fingerprint import ROOT
from opsportal.settings.derived import connection_settings, derive

GOOD = {
    "SECRET_KEY": "q8Zr-2mVt_7Kx0pLwYc4Jd9Hb6Ns3Gf1Ea5Uo-TiRvXzQyMkBhPj",
    "ALLOWED_HOSTS": "portal.example.org",
    "DATABASE_URL": "postgresql://u:p@db.example.org:5432/portal",
}


def _start(module: str = "opsportal.settings.production", **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def _refusal(monkeypatch: pytest.MonkeyPatch, **changed: str | None) -> str:
    for name in list(os.environ):
        if name.startswith("OPSPORTAL_"):
            monkeypatch.delenv(name)
    for name, value in {**GOOD, **changed}.items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as refused:
        load()
    return str(refused.value)


def test_production__with_good_settings__starts() -> None:
    assert _start(**GOOD) == (0, "")


def test_production__with_nothing_set__lists_everything_and_shows_no_traceback() -> None:
    code, told = _start()
    assert code == 1
    for name in GOOD:
        assert f"- {name} is not set." in told
    assert "Traceback" not in told


def test_production__with_several_mistakes__tells_them_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _refusal(
        monkeypatch,
        SECRET_KEY="short",
        ALLOWED_HOSTS=None,
        OPSPORTAL_LEASE_SECONDS="soon",
        BROKER_URL="amqp://x",
    )
    assert "SECRET_KEY has 5 characters and needs at least 50 random ones." in told
    assert "ALLOWED_HOSTS is not set." in told
    assert "OPSPORTAL_LEASE_SECONDS: Input should be a valid number" in told
    assert "BROKER_URL is not of the form redis://" in told


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SECRET_KEY", "ab" * 40, "repeats a few characters"),
        ("SECRET_KEY", "django-insecure-" + GOOD["SECRET_KEY"], "is a published sample"),
        ("SECRET_KEY", "please-CHANGEME-please" + GOOD["SECRET_KEY"], "is a published sample"),
        ("ALLOWED_HOSTS", "*", "contains *"),
        ("ALLOWED_HOSTS", " , ", "names no host"),
        ("DATABASE_URL", "mysql://u:p@db/x", "is not of the form postgresql://"),
        ("DATABASE_URL", "postgresql://u:p@db", "is not of the form postgresql://"),
        ("OPSPORTAL_LEASE_SECONDS", "0", "greater than 0"),
        ("OPSPORTAL_AZURE_CREDENTIAL", "password", "managed_identity"),
    ],
)
def test_a_setting__that_is_weak_or_malformed__is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    told = _refusal(monkeypatch, **{name: value})
    assert f"- {name}" in told
    assert sentence in told


def test_a_refusal__of_a_secret__does_not_repeat_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _refusal(monkeypatch, SECRET_KEY="my-precious", DATABASE_URL="mysql://u:my-password@db/x")
    assert "my-precious" not in told
    assert "my-password" not in told


def _derived(**values: Any) -> dict[str, Any]:
    return derive(
        load(secret_key=GOOD["SECRET_KEY"], allowed_hosts=["a"], database_url=GOOD["DATABASE_URL"], **values)
    )


def test_the_database__in_every_process__ends_forgotten_work_and_is_pooled() -> None:
    told = _derived(database_pool_size=3)["DATABASES"]["default"]
    assert "-c statement_timeout=30000 -c lock_timeout=5000" in told["OPTIONS"]["options"]
    assert "-c idle_in_transaction_session_timeout=5000" in told["OPTIONS"]["options"]
    assert told["OPTIONS"]["pool"]["max_size"] == 3
    assert (told["CONN_MAX_AGE"], told["CONN_HEALTH_CHECKS"]) == (0, True)


def test_a_database_url__with_odd_characters_and_a_query__is_read_whole() -> None:
    told = connection_settings("postgresql://us%40er:p%2Fw%3A@[::1]:6543/na%20me?sslmode=require")
    assert (told["USER"], told["PASSWORD"], told["NAME"]) == ("us@er", "p/w:", "na me")
    assert (told["HOST"], told["PORT"], told["OPTIONS"]["sslmode"]) == ("::1", "6543", "require")


def test_a_proxys_word__unless_it_is_trusted__is_not_believed() -> None:
    assert _derived()["SECURE_PROXY_SSL_HEADER"] is None
    assert _derived(trust_proxy_headers=True)["SECURE_PROXY_SSL_HEADER"] == (
        "HTTP_X_FORWARDED_PROTO",
        "https",
    )


def test_production__checked_for_deployment__has_no_warning() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **GOOD},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
