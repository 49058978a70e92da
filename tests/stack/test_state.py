"""One stack per folder, with passwords that only its user can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsportal.embedded.state import AlreadyRunning, State


def test_a_folder__that_a_stack_holds__is_refused_to_the_next(tmp_path: Path) -> None:
    first = State(tmp_path / "demo")
    first.acquire()
    first.announce("process 17, http://127.0.0.1:8000")
    with pytest.raises(AlreadyRunning, match=r"process 17, http://127\.0\.0\.1:8000.*Nothing was started"):
        State(tmp_path / "demo").acquire()
    first.release()
    second = State(tmp_path / "demo")
    second.acquire()
    second.release()


def test_secrets__made_at_the_first_start__stay_and_are_private(tmp_path: Path) -> None:
    made = State(tmp_path).secrets()
    assert State(tmp_path).secrets() == made
    assert len(set(vars(made).values())) == 5
    assert len(made.secret_key) >= 50
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0


def test_a_wiped_folder__has_nothing_left_but_is_still_held(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.acquire()
    before = state.secrets()
    state.remember("schema", "abc")
    (tmp_path / "postgres" / "base").mkdir(parents=True)
    state.wipe()
    assert not state.remembers("schema", "abc")
    assert not (tmp_path / "postgres").exists()
    assert state.secrets() != before
    with pytest.raises(AlreadyRunning):
        State(tmp_path).acquire()
    state.release()


def test_a_step__done_for_other_code__is_not_remembered(tmp_path: Path) -> None:
    state = State(tmp_path)
    assert not state.remembers("schema", "new")
    state.remember("schema", "old")
    assert not state.remembers("schema", "new")
    assert state.remembers("schema", "old")
