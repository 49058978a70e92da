"""PostgreSQL is restarted, killed and cut off while changes are at work, on a server of this module alone."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import Error as DatabaseError
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from emulator.launch import Emulator
from tests.flows.judge import judge
from tests.flows.nursery import Nursery
from tests.flows.server import Server
from tests.flows.stage import Stage, stage, wait_for
from tests.support import databases

pytestmark = pytest.mark.processes
HALF = {"blue": 50, "green": 50}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("postgres")
    for above in (folder, folder.parent):
        above.chmod(0o755)
    found = Server(folder)
    yield found
    found.child.stop()


@pytest.fixture
def shaky_world(
    emulated_azure: Emulator,
    executors: Nursery,
    server: Server,
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path: Path,
) -> Iterator[Stage]:
    with django_db_blocker.unblock():
        database = databases.clone(server.servers, databases.build_template(server.servers))
        with (
            databases.default_database(database.url),
            stage(emulated_azure, executors, database, tmp_path) as found,
        ):
            yield found
            found.stop()
            judge(found)


def test_change_and_rollback__server_killed_again_and_again__end_with_one_effect_each(
    shaky_world: Stage, server: Server
) -> None:
    """F13."""
    world, chance = shaky_world, random.Random(13)
    world.azure.admin.settings(durations={"endpoint_update": 1.5})
    world.executor()
    change_id = world.started(HALF)
    for _ in range(2):
        time.sleep(chance.uniform(0.2, 1.0))
        server.kill()
        server.start()
    world.until(change_id, "succeeded", seconds=60)
    rollback_id = world.roll_back({"blue": 100})
    time.sleep(chance.uniform(0.05, 0.4))
    server.kill()
    server.start()
    world.until(rollback_id, "succeeded", seconds=60)
    assert world.live() == {"blue": 100}


def test_rollback__server_away_for_a_while__is_finished_when_it_is_back(
    shaky_world: Stage, server: Server
) -> None:
    """F14: no call is repeated blindly while nothing can be written down."""
    world = shaky_world
    world.executor()
    world.until(world.started(HALF), "succeeded")
    world.fault("latency", milliseconds=700, times=1)
    rollback_id, before = world.roll_back({"blue": 100}), world.puts()
    wait_for("the call", lambda: world.puts() == before + 1)
    server.kill()
    time.sleep(3)
    assert world.puts() == before + 1
    server.start()
    world.until(rollback_id, "succeeded", seconds=60)
    assert world.live() == {"blue": 100}


def test_change__sessions_ended_in_mid_transaction__is_finished(shaky_world: Stage, server: Server) -> None:
    """F15."""
    world = shaky_world
    world.azure.admin.settings(durations={"endpoint_update": 1.0})
    world.executor()
    change_id = world.started(HALF)
    for _ in range(15):
        server.cut_off()
        time.sleep(0.1)
    connections.close_all()
    world.until(change_id, "succeeded", seconds=60)
    assert world.live() == HALF


def test_click__while_the_server_is_away__is_refused_and_leaves_nothing(
    shaky_world: Stage, server: Server
) -> None:
    world = shaky_world
    change_id = world.started(HALF)
    server.kill()
    with pytest.raises(DatabaseError):
        world.roll_back({"green": 100})
    server.start()
    assert world.change(change_id).state == "applying"
