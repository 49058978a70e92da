"""What beat sends exists, arrives in a queue that a worker reads, and carries nothing but ids."""

from __future__ import annotations

import pytest

from opsportal.celery import QUEUES, TIMETABLE, app
from opsportal.embedded import commands


@pytest.mark.parametrize("name", TIMETABLE)
def test_a_line_of_the_timetable__names_a_task_that_a_room_registers(name: str) -> None:
    app.loader.import_default_modules()
    assert TIMETABLE[name]["task"] in app.tasks


@pytest.mark.parametrize("name", TIMETABLE)
def test_a_line_of_the_timetable__that_nobody_took__is_dropped_and_not_heaped_up(name: str) -> None:
    options = TIMETABLE[name]["options"]
    assert options["queue"] in QUEUES
    assert 0 < options["expires"] <= 2 * max(TIMETABLE[name]["schedule"], 5)


def test_the_worker__as_started__reads_every_queue() -> None:
    assert commands.WORKER[commands.WORKER.index("-Q") + 1].split(",") == list(QUEUES)


def test_messages__of_every_task__are_json_and_leave_no_result() -> None:
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == "json"
    assert app.conf.task_ignore_result is True


def test_a_task__that_takes_its_time__ends_before_its_message_is_given_to_another() -> None:
    assert app.conf.task_soft_time_limit < app.conf.task_time_limit
    assert app.conf.task_time_limit < app.conf.broker_transport_options["visibility_timeout"]
