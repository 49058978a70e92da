"""The web process as it is started in production and demo."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import psycopg
import pytest

from opsportal.embedded.throwaway import Servers
from tests.support.databases import Database, cloned
from tests.support.processes import Process, environment, static_files, web

pytestmark = pytest.mark.processes


def _get(url: str, **headers: str) -> tuple[int, Message, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers, refusal.read().decode()


@pytest.fixture(scope="module")
def database(servers: Servers, migrated_template: str) -> Iterator[Database]:
    with cloned(servers, migrated_template) as database:
        yield database


@pytest.fixture(scope="module")
def portal(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Process]]:
    with web(environment(database), tmp_path_factory.mktemp("portal")) as running:
        yield running


def test_the_web_process__with_everything_at_hand__is_alive_and_ready(portal: tuple[str, Process]) -> None:
    url, _ = portal
    status, headers, body = _get(f"{url}/healthz")
    assert (status, json.loads(body)) == (200, {"status": "alive"})
    assert len(headers["X-Request-ID"]) == 32
    status, _headers, body = _get(f"{url}/readyz")
    assert (status, json.loads(body)["status"]) == (200, "ready")
    assert json.loads(body)["fleet"]["synced"] is False, "nothing was read, which is not being in sync"


def test_a_request_id__of_a_stranger__is_not_taken_over(portal: tuple[str, Process]) -> None:
    theirs = "0123456789abcdef"
    assert _get(f"{portal[0]}/healthz", **{"X-Request-ID": theirs})[1]["X-Request-ID"] != theirs


def test_a_request_id__of_a_trusted_proxy__is_taken_over_when_it_is_one(
    database: Database, tmp_path: Path
) -> None:
    theirs, forged = "0123456789abcdef", "a b{}"
    with web(environment(database, OPSPORTAL_TRUST_PROXY_HEADERS="true"), tmp_path) as (url, _):
        assert _get(f"{url}/healthz", **{"X-Request-ID": theirs})[1]["X-Request-ID"] == theirs
        assert _get(f"{url}/healthz", **{"X-Request-ID": forged})[1]["X-Request-ID"] != forged


def test_the_web_process__without_its_database__is_alive_but_not_ready(
    database: Database, tmp_path: Path
) -> None:
    nowhere = environment(database, DATABASE_URL="postgresql://x:y@127.0.0.1:1/z")
    with web(nowhere, tmp_path) as (url, _):
        assert _get(f"{url}/healthz")[0] == 200
        status, _headers, body = _get(f"{url}/readyz")
        assert (status, json.loads(body)) == (503, {"status": "no database"})


def test_the_web_process__whose_connections_were_cut__answers_the_next_request(
    portal: tuple[str, Process], database: Database
) -> None:
    url, _ = portal
    assert _get(f"{url}/readyz")[0] == 200
    with psycopg.connect(database.url, autocommit=True) as colleague:
        cut = colleague.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        ).fetchone()
    assert cut is not None
    assert cut[0] > 0
    assert _get(f"{url}/readyz")[0] == 200


def test_a_host_name__that_is_not_allowed__is_refused(portal: tuple[str, Process]) -> None:
    assert _get(f"{portal[0]}/healthz", Host="evil.example")[0] == 400


def test_an_answer__whatever_it_is__carries_the_browsers_protections(portal: tuple[str, Process]) -> None:
    headers = _get(f"{portal[0]}/healthz")[1]
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


def test_the_web_process__asked_to_stop__ends_in_order(database: Database, tmp_path: Path) -> None:
    with web(environment(database), tmp_path) as (_, process):
        # It shuts down cleanly and then ends by the signal that it was sent; 137 would be a kill.
        assert process.stop() == 128 + signal.SIGTERM


def test_a_static_file__by_its_hashed_name__is_kept_for_ever(portal: tuple[str, Process]) -> None:
    names = json.loads((static_files() / "staticfiles" / "staticfiles.json").read_text())["paths"]
    status, headers, _ = _get(f"{portal[0]}/static/{names['css/opsportal.css']}")
    assert status == 200
    assert "immutable" in headers["Cache-Control"]
    assert "max-age=315360000" in headers["Cache-Control"]


def test_a_static_file__by_its_plain_name__is_asked_for_again_soon(portal: tuple[str, Process]) -> None:
    status, headers, _ = _get(f"{portal[0]}/static/css/opsportal.css")
    assert status == 200
    assert "immutable" not in headers["Cache-Control"]
