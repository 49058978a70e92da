"""The log on disk, and a restart upon it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.cloud import Cloud
from emulator.control import Write
from emulator.fold import Who
from emulator.worldlog import FILE, StateInUse, WorldLog
from tests.emulator.arm import CHECKOUT, Clock
from tests.emulator.test_fold import as_json, shift

Make = Callable[..., Cloud]


def test_restart__nothing_running__is_the_same_world(tmp_path: Path, make_cloud: Make, clock: Clock) -> None:
    first = make_cloud(state=tmp_path)
    before = as_json(first.control.world)
    first.control.log.close()
    clock.tick(86_400)

    second = make_cloud(state=tmp_path)

    assert as_json(second.control.world) == before
    second.control.log.close()


def test_restart__operation_running__ends_when_it_was_due(
    tmp_path: Path, make_cloud: Make, clock: Clock
) -> None:
    first = make_cloud(state=tmp_path)
    operation = shift(first, {"blue": 90, "green": 10}, seconds=30)
    first.control.log.close()
    clock.tick(10)

    second = make_cloud(state=tmp_path)
    second.control.advance()
    assert second.control.running_on(CHECKOUT) is not None

    clock.tick(3600)
    second.control.advance()
    assert second.control.world.operations[operation].ended_at == "2026-11-23T12:00:30.000000+00:00"
    second.control.log.close()


def test_restart__scenario_changed_meanwhile__keeps_the_log(tmp_path: Path, make_cloud: Make) -> None:
    first = make_cloud(state=tmp_path)
    write = Write("delete", CHECKOUT, "endpoint", Who("id", "x"), None)
    first.control.write_now(write)
    first.control.log.close()

    second = make_cloud(state=tmp_path)

    assert second.control.world.find(CHECKOUT) is None
    second.control.log.close()


def test_log__torn_last_line__is_cut_off(tmp_path: Path, make_cloud: Make) -> None:
    first = make_cloud(state=tmp_path)
    count = first.control.world.last
    first.control.log.close()
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"n": 999, "at": "2026')

    second = make_cloud(state=tmp_path)

    assert second.control.world.last == count
    shift(second, {"blue": 90, "green": 10})
    second.control.log.close()
    third = WorldLog(tmp_path)
    assert len(third.records) == count + 1
    third.close()


def test_log__of_a_running_emulator__is_refused_to_a_second(tmp_path: Path) -> None:
    first = WorldLog(tmp_path)

    with pytest.raises(StateInUse, match="Another emulator"):
        WorldLog(tmp_path)
    first.close()
