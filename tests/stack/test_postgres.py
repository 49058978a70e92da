"""PostgreSQL as the demo starts it: by password, on its own data, and again after any death."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from opsportal.embedded import roles
from opsportal.embedded.postgres import Postgres
from opsportal.embedded.processes import free_port
from opsportal.grants import OWNER_ROLE, RUNTIME_ROLE

pytestmark = pytest.mark.processes


def _postgres(folder: Path, *, durable: bool = True, port: int | None = None) -> Postgres:
    return Postgres(
        data=folder / "data",
        run_dir=folder / "run",
        port=port or free_port(),
        password="right",
        durable=durable,
    )


@pytest.fixture
def log(folder: Path) -> Iterator[int]:
    with (folder / "log").open("wb") as file:
        yield file.fileno()


def test_postgres__killed_in_the_middle_of_work__comes_back_with_every_committed_row(
    folder: Path, log: int
) -> None:
    postgres = _postgres(folder)
    child = postgres.start(output=log)
    with psycopg.connect(postgres.admin_url(), autocommit=True) as session:
        session.execute("CREATE TABLE kept (n int)")
        for number in range(50):
            session.execute("INSERT INTO kept VALUES (%s)", [number])
        assert child.pid
        os.kill(child.pid, signal.SIGKILL)
        child.stop()
    child = postgres.start(output=log)
    with psycopg.connect(postgres.admin_url()) as session:
        assert session.execute("SELECT count(*) FROM kept").fetchone() == (50,)
    assert child.stop() == 0


def test_postgres__whose_pid_file_names_a_stranger_by_now__starts(folder: Path, log: int) -> None:
    postgres = _postgres(folder)
    postgres.start(output=log).stop()
    (postgres.data / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.data}\n")
    child = postgres.start(output=log)
    assert postgres.is_ours()
    assert child.stop() == 0


def test_postgres__in_a_folder_that_only_its_user_may_enter__starts(
    tmp_path: Path, folder: Path, log: int
) -> None:
    tmp_path.chmod(0o700)
    postgres = _postgres(tmp_path)
    child = postgres.start(output=log)
    assert postgres.is_ours()
    assert child.stop() == 0


def test_postgres__asked_without_the_password__refuses(folder: Path, log: int) -> None:
    postgres = _postgres(folder, durable=False)
    child = postgres.start(output=log)
    try:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(postgres.admin_url().replace(":right@", ":wrong@"))
    finally:
        child.stop()


def test_postgres__that_answers_on_our_port_with_other_data__is_not_ours(folder: Path, log: int) -> None:
    theirs = _postgres(folder / "theirs", durable=False)
    (folder / "theirs").mkdir()
    child = theirs.start(output=log)
    try:
        assert theirs.is_ours()
        assert not _postgres(folder / "ours", port=theirs.port).is_ours()
    finally:
        child.stop()


def test_the_roles__made_twice__have_the_newest_passwords_and_few_rights(folder: Path, log: int) -> None:
    postgres = _postgres(folder, durable=False)
    child = postgres.start(output=log)
    try:
        for password in ("first", "second"):
            roles.ensure_roles(postgres.admin_url(), owner_password=password, runtime_password=password)
            roles.ensure_database(postgres.admin_url(), "portal")
        url = roles.url_for(postgres.admin_url(), role=RUNTIME_ROLE, password="second", database="portal")
        with psycopg.connect(url) as session:
            row = session.execute(
                "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            owner = session.execute(
                "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
            ).fetchone()
        assert row == (False, False, False)
        assert owner == (OWNER_ROLE,)
    finally:
        child.stop()
