"""Whoever can write to the broker gains nothing: messages name due work, and what is due stands in PostgreSQL."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from kombu.pidbox import Mailbox

from endpoints.access.models import Workspace
from endpoints.dispatch import db_now
from endpoints.inventory.models import SyncRun, SyncTarget
from endpoints.inventory.services import targets
from endpoints.inventory.tasks import sync_shard
from opsportal.celery import QUEUES
from opsportal.embedded.processes import is_alive, wait_until
from opsportal.embedded.throwaway import Servers
from tests.support import processes
from tests.support.databases import Database
from tests.support.people import make_workspace

ODD: list[tuple[list[Any], dict[str, Any]]] = [
    ([], {}),
    ([None], {}),
    (["1; DROP TABLE access_user"], {}),
    (["' OR 1=1 --"], {}),
    ([-1], {}),
    ([10**30], {}),
    ([{"pk": 1}], {}),
    ([[1, 2, 3]], {}),
    ([1, 2, 3], {}),
    ([1], {"settings": {"cloud": "https://evil.example"}}),
    ([1], {"workspace_id": 1}),
    (["a\0b"], {}),
]


def in_three_hours(workspace: Workspace) -> None:
    targets.add_missing()
    SyncTarget.objects.filter(workspace=workspace).update(due_at=db_now() + timedelta(hours=3))


def test_task__with_arguments_that_nobody_sends__reads_nothing(committed_db: Database) -> None:
    """Also for a workspace that is there: a message can't make due what is not."""
    workspace = make_workspace("mlw-prod-weu")
    in_three_hours(workspace)
    for args, kwargs in [*ODD, ([workspace.pk], {})]:
        result = sync_shard.apply(args=args, kwargs=kwargs)
        assert result.failed() or result.result is None, args
    assert not SyncRun.objects.exists()
    assert Workspace.objects.get() == workspace
    assert SyncTarget.objects.get().claimed_until is None


AS_JSON = {"content_type": "application/json", "content_encoding": "utf-8"}


class Bomb:
    """What runs a command when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.target),)


@pytest.fixture
def worker(servers: Servers, committed_db: Database, tmp_path: Path) -> Iterator[processes.Process]:
    told = processes.environment(committed_db, broker_url=servers.broker_url)
    with processes.running("worker", told, tmp_path) as process:
        yield process


def send(url: str, body: bytes | str, queue: str, **more: Any) -> None:
    with Connection(url) as connection, connection.SimpleQueue(queue) as line:
        line.producer.publish(body, routing_key=queue, **more)


def header(task: str) -> dict[str, Any]:
    return {"task": task, "id": "00000000-0000-4000-8000-000000000000", "lang": "py", "argsrepr": "()",
            "kwargsrepr": "{}", "root_id": None, "parent_id": None, "group": None, "retries": 0}  # fmt: skip


def looks(servers: Servers, worker: processes.Process) -> None:
    """The worker does what it is for: a workspace without a row of its own gets one."""
    SyncTarget.objects.all().delete()
    send(servers.broker_url, "[[], {}, {}]", "sync", **AS_JSON, headers=header("inventory.sync_due"))
    assert wait_until(SyncTarget.objects.exists, seconds=20), worker.output()


@pytest.mark.processes
def test_worker__sent_forged_messages__runs_none_and_goes_on(
    servers: Servers, worker: processes.Process, tmp_path: Path
) -> None:
    make_workspace("mlw-prod-weu")
    looks(servers, worker)
    pid, bomb = worker.pid, tmp_path / "exploded"
    for queue in QUEUES:
        send(
            servers.broker_url,
            pickle.dumps(((Bomb(bomb),), {}, {})),
            queue,
            content_type="application/x-python-serialize",
            content_encoding="binary",
            headers=header("inventory.sync_shard"),
        )
        for task in ("os.system", "celery.backend_cleanup", "endpoints.access.services.accounts.add_user"):
            send(servers.broker_url, '[["id"], {}, {}]', queue, **AS_JSON, headers=header(task))
        send(servers.broker_url, "{not json", queue, **AS_JSON, headers=header("inventory.sync_shard"))
    with Connection(servers.broker_url) as connection:
        Mailbox("celery", type="fanout")(connection)._broadcast("shutdown")
    looks(servers, worker)
    assert is_alive(pid)
    assert not bomb.exists()
