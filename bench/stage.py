"""What measurements run on: a database of their own, and a made-up fleet behind a real emulator process."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from emulator.launch import Emulator
    from tests.support.databases import Database

ROOT = Path(__file__).resolve().parents[1]


def prepare() -> None:
    """Django with the settings that tests use; the database comes with `database()`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsportal.settings.test")
    django.setup()


@contextmanager
def database() -> Iterator[Database]:
    """A migrated database, empty, reached as the runtime role."""
    from opsportal.embedded.throwaway import Lease
    from tests.support import databases

    lease = Lease(ROOT / ".var" / "test")
    try:
        clone = databases.clone(lease.servers, databases.build_template(lease.servers))
        with databases.default_database(clone.url):
            yield clone
        databases.drop(lease.servers, clone.name)
    finally:
        lease.close()


@contextmanager
def fleet(size: str, **options: Any) -> Iterator[Emulator]:
    """A fleet such as `200x3` in an emulator process, and the portal's settings pointed at it."""
    from django.conf import settings

    from emulator.launch import launch

    before = settings.OPSPORTAL
    with (
        tempfile.TemporaryDirectory() as folder,
        launch(Path(folder), fleet=size, keep_state=False, **options) as emulator,
    ):
        os.environ.update(emulator.environment())
        settings.OPSPORTAL = before.model_copy(
            update={
                "azure_cloud": "EmulatedCloud",
                "azure_resource_manager": emulator.arm,
                "azure_ca_bundle": emulator.ca_file,
            }
        )
        yield emulator
    settings.OPSPORTAL = before
